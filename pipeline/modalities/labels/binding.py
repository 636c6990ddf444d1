"""Bind a row's labels to its decoded value; `writing` says afterwards how their columns change."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.labels import (
    AnswerBinding,
    BoxBinding,
    ClipBoxBinding,
    KeypointBinding,
    Kind,
    MaskBinding,
    PlainBoxBinding,
    PlainKeypointBinding,
    PolygonBinding,
    SegmentBinding,
    SizeBinding,
    SpanBinding,
    TokenBinding,
    VolumeKeypointBinding,
    VolumeMaskBinding,
)
from pipeline.modalities.labels import anchors, cells, entry_numbers, plausibility
from pipeline.modalities.labels.cells import BadLabels, Coordinates, Layout, layout_of
from pipeline.modalities.labels.formats import oriented_boxes
from pipeline.modalities.labels.formats.answers import with_answers
from pipeline.modalities.labels.formats.boxes import to_corners
from pipeline.modalities.labels.formats.masks import read_masks
from pipeline.modalities.labels.formats.polygons import entries_of, with_polygons
from pipeline.modalities.labels.formats.volume_masks import read_volume_masks
from transforms.values import (
    AudioValue,
    Boxes,
    ImageValue,
    Keypoints,
    Segments,
    Spans,
    TextValue,
    Value,
    VideoValue,
    VolumeValue,
)
from transforms.video.timing import moved_boxes

Coordinated = BoxBinding | ClipBoxBinding | KeypointBinding | VolumeKeypointBinding | SegmentBinding | SpanBinding
Binding = Coordinated | MaskBinding | VolumeMaskBinding | PolygonBinding | SizeBinding | AnswerBinding | TokenBinding
Bindings = Mapping[Kind, Binding]
Row = tuple[pa.RecordBatch, int]
"""A batch, and the place of a row in it."""


def columns_of(bindings: Bindings) -> tuple[str, ...]:
    """Every column that changes with the value, once."""
    names = [name for b in bindings.values() for name in (b.column, *followers_of(b))]
    return tuple(dict.fromkeys(names))


def layout_for(binding: Binding, kind: pa.DataType) -> Layout:
    """Where a binding's coordinates are in a column of this type. Raises ValueError."""
    if isinstance(binding, AnswerBinding | TokenBinding):
        return Layout(0)
    if isinstance(binding, PlainBoxBinding):
        beside = (binding.frame,) if isinstance(binding, ClipBoxBinding) else ()
        width = oriented_boxes.WIDTHS.get(binding.format, 4)
        return replace(_layout(kind, width, ((binding.member,),), beside), extra=binding.extra)
    if isinstance(binding, KeypointBinding) and binding.keep_all:
        return _layout(kind, 3, ((binding.member,),))
    if isinstance(binding, VolumeKeypointBinding):
        return _layout(kind, 3, ((binding.member,), ("x", "y", "z")))
    if isinstance(binding, PlainKeypointBinding):
        return _layout(kind, 2, ((binding.member,), ("x", "y")))
    pair = cast(SegmentBinding, binding)
    return _layout(kind, 2, ((pair.start, pair.end),))


def bind(bindings: Bindings, row: pa.RecordBatch, index: int, value: Value) -> Value:
    """The value with the row's labels. A null cell binds no entries. Raises BadLabels."""
    for binding in bindings.values():
        if not isinstance(binding, SizeBinding):
            value = _bound(binding, row, index, value)
    return value


def _bound(binding: Binding, row: pa.RecordBatch, index: int, value: Value) -> Value:
    """The value with labels of one kind."""
    column = row.column(binding.column)
    if isinstance(binding, VolumeMaskBinding):
        volume = cast(VolumeValue, value)
        return replace(volume, masks=read_volume_masks(column[index].as_py(), volume.voxels.shape[:3]))
    if isinstance(binding, MaskBinding):
        return _with_masks(binding, row, index, cast(ImageValue, value))
    if isinstance(binding, AnswerBinding | TokenBinding):
        return _with_words(binding, row, index, cast(TextValue, value))
    if isinstance(binding, PolygonBinding):
        _refuse_uneven(binding, row, index, len(entries_of(binding, column, index)))
        return with_polygons(binding, row, index, cast(ImageValue, value))
    layout = layout_for(binding, column.type)
    found = cells.read(column, index, layout)
    if found is None:
        found = np.zeros((0, layout.width))
    _refuse_uneven(binding, row, index, len(found))
    return _with(binding, found, value)


def _with_masks(binding: MaskBinding, row: pa.RecordBatch, index: int, value: ImageValue) -> ImageValue:
    """A picture with one mask of class numbers, or a list of instances."""
    cell = row.column(binding.column)[index].as_py()
    masks = read_masks(cell, *shape_of(value), binding.palette)
    if not isinstance(cell, list):
        return replace(value, masks=masks, mask_rows=None)
    _refuse_uneven(binding, row, index, len(cell))
    return replace(value, masks=masks, mask_rows=entry_numbers.of_masks(len(cell), anchors.boxes_in(value)))


def _with_words(binding: AnswerBinding | TokenBinding, row: pa.RecordBatch, index: int, value: TextValue) -> TextValue:
    """A text with its answers, or a list of words with as many entries in the columns beside it."""
    if isinstance(binding, AnswerBinding):
        return with_answers(binding, row.column(binding.column)[index].as_py(), value)
    _refuse_uneven(binding, row, index, 0 if value.tokens is None else len(value.tokens.rows))
    return value


def _with(binding: Binding, found: Coordinates, value: Value) -> Value:
    if isinstance(binding, PlainBoxBinding):
        return _with_boxes(binding, found, cast(ImageValue | VideoValue, value))
    if isinstance(binding, PlainKeypointBinding):
        return _with_points(binding, found, cast(ImageValue | VolumeValue, value))
    if (found[:, 1] < found[:, 0]).any():
        raise BadLabels("a segment ends before it begins")
    if isinstance(value, TextValue):
        if found.size and (found.min() < 0 or found.max() > len(value.text)):
            raise BadLabels(f"a span lies outside of the text of {len(value.text)} characters")
        return replace(value, spans=Spans(found.astype(np.int64), _numbered(found), getattr(binding, "keep", False)))
    return _with_segments(cast(SegmentBinding, binding), found, cast(AudioValue | VideoValue, value))


def _numbered(found: Coordinates) -> NDArray[np.int64]:
    return np.arange(len(found), dtype=np.int64)


def _with_boxes(binding: PlainBoxBinding, found: Coordinates, value: ImageValue | VideoValue) -> Value:
    if isinstance(binding, BoxBinding) and binding.format in oriented_boxes.WIDTHS:
        return _with_quads(binding, found, cast(ImageValue, value))
    corners = to_corners(found[:, :4], binding.format, *shape_of(value))
    plausibility.refuse_boxes_elsewhere(found[:, :4], binding.format, *shape_of(value))
    frames = _frame_numbers(found[:, 4:], value) if isinstance(value, VideoValue) else None
    boxes = Boxes(corners, _numbered(found), binding.min_area, binding.min_visibility, frames)
    if isinstance(value, VideoValue) and value.shown is not None:  # the file's own frames came unevenly
        return replace(value, boxes=moved_boxes(boxes, value.shown.source), shown=None)
    return replace(value, boxes=boxes)


def _with_points(binding: PlainKeypointBinding, found: Coordinates, value: ImageValue | VolumeValue) -> Value:
    if isinstance(binding, KeypointBinding) and binding.fixed:
        return _with_fixed(binding, found, cast(ImageValue, value))
    sizes = shape_of(value)[::-1] if isinstance(value, ImageValue) else value.voxels.shape[2::-1]
    plausibility.refuse_points_elsewhere(found, sizes)
    return replace(value, keypoints=Keypoints(found, _numbered(found)))


def _with_quads(binding: BoxBinding, found: Coordinates, value: ImageValue) -> Value:
    """The value with the corners of oriented boxes; those are at edges of pixels, anchors count from their centres."""
    quads = oriented_boxes.to_quads(found, binding.format, binding.angle)
    oriented_boxes.refuse_quads_elsewhere(quads, *shape_of(value), binding.format)
    return anchors.with_anchors(value, quads.reshape(-1, 2) - 0.5, anchors.CORNERS)


def _with_fixed(binding: KeypointBinding, found: Coordinates, value: ImageValue) -> Value:
    """The value with keypoints that change places, or of which none may be dropped."""
    shown = found[:, 2] > 0 if binding.keep_all else None
    points, rows = found[:, :2], np.arange(len(found), dtype=np.int64)
    plausibility.refuse_points_elsewhere(points if shown is None else points[shown], shape_of(value)[::-1])
    value = replace(value, keypoints=Keypoints(points, rows, shown))
    return anchors.with_probes(value) if binding.swap else value


def _with_segments(binding: SegmentBinding, found: Coordinates, value: AudioValue | VideoValue) -> Value:
    """The value with its segments, in seconds."""
    bounds = found * seconds_of(binding, value)
    plausibility.refuse_segments_elsewhere(bounds, duration_of(value), binding.unit)
    return replace(value, segments=Segments(bounds, np.arange(len(found), dtype=np.int64)))


def seconds_of(binding: SegmentBinding, value: Value) -> float:
    """How many seconds one of the numbers of the column is."""
    if binding.unit == "samples" and isinstance(value, AudioValue):
        return 1.0 / value.sample_rate
    return 1e-3 if binding.unit == "milliseconds" else 1.0


def duration_of(value: AudioValue | VideoValue) -> float:
    """Seconds of a sound or clip."""
    if isinstance(value, VideoValue):
        return len(value.frames) / float(value.rate)
    return float(value.samples.shape[1] / value.sample_rate)


def shape_of(value: ImageValue | VideoValue) -> tuple[int, int]:
    """Height and width of the pictures that boxes are on."""
    height, width = value.pixels.shape[:2] if isinstance(value, ImageValue) else value.frames.shape[1:3]
    return int(height), int(width)


def _frame_numbers(found: Coordinates, value: VideoValue) -> NDArray[np.int64]:
    """The frame of each box. Raises BadLabels for one that the clip does not have."""
    numbers = found[:, 0] if found.shape[1] else np.zeros(0)
    count = len(value.frames) if value.shown is None else value.shown.count
    wrong = (numbers != np.rint(numbers)) | (numbers < 0) | (numbers >= count)
    if wrong.any():
        raise BadLabels(f"a box is on frame {numbers[wrong][0]:g} of a clip of {count} frames, counted from 0")
    return numbers.astype(np.int64)


def _refuse_uneven(binding: Binding, row: pa.RecordBatch, index: int, count: int) -> None:
    for name in followers_of(binding):
        if name not in row.schema.names:
            continue  # a member of the structs
        there = cells.length(row.column(name), index)
        if there is not None and there != count:
            raise BadLabels(f"{_shown(binding)} has {count} entries, {name} has {there}")
    for name, there in cells.member_lengths(row.column(binding.column), index).items():
        if there != count:
            raise BadLabels(f"{binding.column} has {count} entries, its member {name} has {there}")


def _shown(binding: Binding) -> str:
    return "the list of words" if isinstance(binding, TokenBinding) else binding.column


def followers_of(binding: Binding) -> tuple[str, ...]:
    """Columns, or members, that have an entry for each label."""
    return () if isinstance(binding, VolumeMaskBinding) else binding.followers()


@lru_cache(maxsize=64)
def _layout(
    kind: pa.DataType, width: int, candidates: tuple[tuple[str, ...], ...], beside: tuple[str, ...] = ()
) -> Layout:
    return layout_of(kind, width, candidates, beside)
