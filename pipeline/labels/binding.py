"""Bind a row's labels to its decoded value, and say afterwards how their columns change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.labels import cells, entries
from pipeline.labels.box_formats import from_corners, to_corners
from pipeline.labels.cells import BadLabels, Coordinates, Layout, layout_of
from pipeline.labels.masks import read_masks, written_mask
from pipeline.labels.settings import (
    BoxBinding,
    ClipBoxBinding,
    KeypointBinding,
    Kind,
    MaskBinding,
    SegmentBinding,
    SpanBinding,
    VolumeKeypointBinding,
    VolumeMaskBinding,
)
from pipeline.labels.volume_masks import read_volume_masks, written_volume_masks
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

Coordinated = BoxBinding | KeypointBinding | SegmentBinding | SpanBinding
Binding = Coordinated | MaskBinding | VolumeMaskBinding
Bindings = Mapping[Kind, Binding]
Row = tuple[pa.RecordBatch, int]
"""A batch, and the place of a row in it."""


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one row's cell: the entries that are left and their new coordinates, or a new content.

    `more`: entries of other records that come after them.
    """

    rows: tuple[int, ...] = ()
    layout: Layout | None = None
    new: Coordinates | None = None
    content: Any = None
    replaced: bool = False
    more: tuple["Foreign", ...] = ()

    def applied(self, column: pa.Array, index: int) -> pa.Array:
        """An array of one row."""
        if self.replaced:
            return pa.array([self.content], column.type)
        new = np.zeros((0, 0)) if self.new is None else self.new
        own = cells.moved(column, index, self.rows, self.layout, new)
        if not self.more:
            return own
        others = [part.change.applied(part.column.cast(column.type), part.index) for part in self.more]
        return cells.joined([own, *others], [len(self.rows), *(len(part.change.rows) for part in self.more)])


@dataclass(frozen=True, slots=True)
class Foreign:
    """Entries of another record: the number of the record (see `entries`), and its own row of the column."""

    source: int
    column: pa.Array
    index: int
    change: Change


def columns_of(bindings: Bindings) -> tuple[str, ...]:
    """Every column that changes with the value, once."""
    names = [name for b in bindings.values() for name in (b.column, *_followers(b))]
    return tuple(dict.fromkeys(names))


def layout_for(binding: Binding, kind: pa.DataType) -> Layout:
    """Where a binding's coordinates are in a column of this type. Raises ValueError."""
    if isinstance(binding, BoxBinding):
        beside = (binding.frame,) if isinstance(binding, ClipBoxBinding) else ()
        return _layout(kind, 4, ((binding.member,),), beside)
    if isinstance(binding, VolumeKeypointBinding):
        return _layout(kind, 3, ((binding.member,), ("x", "y", "z")))
    if isinstance(binding, KeypointBinding):
        return _layout(kind, 2, ((binding.member,), ("x", "y")))
    pair = cast(SegmentBinding, binding)
    return _layout(kind, 2, ((pair.start, pair.end),))


def bind(bindings: Bindings, row: pa.RecordBatch, index: int, value: Value) -> Value:
    """The value with the row's labels. A null cell binds no entries. Raises BadLabels."""
    for binding in bindings.values():
        column = row.column(binding.column)
        if isinstance(binding, VolumeMaskBinding):
            volume = cast(VolumeValue, value)
            value = replace(volume, masks=read_volume_masks(column[index].as_py(), volume.voxels.shape[:3]))
            continue
        if isinstance(binding, MaskBinding):
            picture = cast(ImageValue, value)
            height, width = picture.pixels.shape[:2]
            cell = column[index].as_py()
            masks = read_masks(cell, height, width)
            rows = entries.of_masks(len(cell), picture.boxes) if isinstance(cell, list) else None
            value = replace(picture, masks=masks, mask_rows=rows)
            continue
        layout = layout_for(binding, column.type)
        found = cells.read(column, index, layout)
        if found is None:
            found = np.zeros((0, layout.width))
        _refuse_uneven(binding, row, index, len(found))
        value = _with(binding, found, value)
    return value


def changes(
    bindings: Bindings, row: pa.RecordBatch, index: int, value: Value, others: Sequence[Row] = ()
) -> dict[str, Change]:
    """How each bound column of the row changes, now that the value is this.

    `others`: rows of the records that were blended into it, in the order of their numbers (see `entries`).
    """
    found: dict[str, Change] = {}
    rows_of: Sequence[Row] = ((row, index), *others)
    for binding in bindings.values():
        if isinstance(binding, MaskBinding | VolumeMaskBinding):
            continue
        column = row.column(binding.column)
        layout = layout_for(binding, column.type)
        rows, new = _left(binding, value, _is_whole(column.type, layout))
        found[binding.column] = _change(binding.column, rows_of, (rows, new), layout)
        followers = [name for name in _followers(binding) if name in row.schema.names]
        found |= {name: _change(name, rows_of, (rows, None), None) for name in followers}
    masks = bindings.get("masks")
    if masks is not None and isinstance(value, ImageValue | VolumeValue) and value.masks is not None:
        content = _mask_content(bindings, rows_of, value, found)
        found[masks.column] = Change(content=content, replaced=True)
    return found


def _change(
    name: str, rows_of: Sequence[Row], left: tuple[NDArray[np.int64], Coordinates | None], layout: Layout | None
) -> Change:
    """What is left of a column's entries, those of each record taken from its own row."""
    numbers, new = left
    parts = []
    for source, (batch, place) in enumerate(rows_of):
        mine = entries.of_one(numbers, source)
        if source == 0 or mine.any():
            change = Change(tuple(entries.entries(numbers[mine])), layout, None if new is None else new[mine])
            parts.append(Foreign(source, batch.column(name), place, change))
    return replace(parts[0].change, more=tuple(parts[1:]))


def _with(binding: Binding, found: Coordinates, value: Value) -> Value:
    rows = np.arange(len(found), dtype=np.int64)
    if isinstance(binding, BoxBinding) and isinstance(value, ImageValue | VideoValue):
        corners = to_corners(found[:, :4], binding.format, *_shape(value))
        if (corners[:, 2:] < corners[:, :2]).any():
            raise BadLabels(f"a box ends before it begins; format: {binding.format} may be wrong")
        frames = _frame_numbers(found[:, 4:], value) if isinstance(value, VideoValue) else None
        return replace(value, boxes=Boxes(corners, rows, binding.min_area, binding.min_visibility, frames))
    if isinstance(binding, KeypointBinding) and isinstance(value, ImageValue | VolumeValue):
        return replace(value, keypoints=Keypoints(found, rows))
    if (found[:, 1] < found[:, 0]).any():
        raise BadLabels("a segment ends before it begins")
    if isinstance(value, TextValue):
        if found.size and (found.min() < 0 or found.max() > len(value.text)):
            raise BadLabels(f"a span lies outside of the text of {len(value.text)} characters")
        return replace(value, spans=Spans(found.astype(np.int64), rows))
    return replace(cast(AudioValue, value), segments=Segments(found, rows))


def _left(binding: Binding, value: Value, whole: bool) -> tuple[Any, Coordinates]:
    """The entries that are left, and their coordinates as the column writes them."""
    if isinstance(value, ImageValue | VideoValue) and isinstance(binding, BoxBinding):
        boxes = cast(Boxes, value.boxes)
        height, width = _shape(value)
        new = from_corners(boxes.corners, binding.format, height, width)
        new = np.rint(new) if whole else new
        corners = to_corners(new, binding.format, height, width)
        solid = (corners[:, 2:] > corners[:, :2]).all(axis=1)
        if boxes.frames is not None:
            new = np.concatenate([new, boxes.frames[:, np.newaxis]], axis=1)
        return boxes.rows[solid], new[solid]
    if isinstance(value, ImageValue | VolumeValue):
        points = cast(Keypoints, value.keypoints)
        return points.rows, points.points
    held = cast(Spans | Segments, value.spans if isinstance(value, TextValue) else cast(AudioValue, value).segments)
    return held.rows, held.bounds.astype(np.float64)


def _shape(value: ImageValue | VideoValue) -> tuple[int, int]:
    """Height and width of the pictures that boxes are on."""
    height, width = value.pixels.shape[:2] if isinstance(value, ImageValue) else value.frames.shape[1:3]
    return int(height), int(width)


def _frame_numbers(found: Coordinates, value: VideoValue) -> NDArray[np.int64]:
    """The frame of each box. Raises BadLabels for one that the clip does not have."""
    numbers = found[:, 0] if found.shape[1] else np.zeros(0)
    count = len(value.frames)
    wrong = (numbers != np.rint(numbers)) | (numbers < 0) | (numbers >= count)
    if wrong.any():
        raise BadLabels(f"a box is on frame {numbers[wrong][0]:g} of a clip of {count} frames, counted from 0")
    return numbers.astype(np.int64)


def _mask_content(
    bindings: Bindings, rows_of: Sequence[Row], value: ImageValue | VolumeValue, found: Mapping[str, Change]
) -> Any:
    """What to write for the masks of a value, each in the form in which it came."""
    name = bindings["masks"].column
    row, index = rows_of[0]
    cell, masks = row.column(name)[index].as_py(), cast(NDArray[np.generic], value.masks)
    if isinstance(value, VolumeValue):
        return written_volume_masks(cell, masks, range(len(masks)), value.origin)
    if value.mask_rows is None:
        return written_mask(cell, masks[0])
    written = []
    for source, (batch, at) in enumerate(rows_of):
        boxes = _boxes_left(bindings, found, source)
        kept = entries.instances(value.mask_rows, source, boxes)
        forms = batch.column(name)[at].as_py() if kept else []
        written += [written_mask(forms[entry], masks[place]) for entry, place in kept]
    return written


def _boxes_left(bindings: Bindings, found: Mapping[str, Change], source: int) -> Sequence[int] | None:
    """Entries of the boxes of a source that are left; None where the config binds no boxes."""
    if "boxes" not in bindings:
        return None
    change = found[bindings["boxes"].column]
    return change.rows if source == 0 else next((p.change.rows for p in change.more if p.source == source), ())


def _refuse_uneven(binding: Binding, row: pa.RecordBatch, index: int, count: int) -> None:
    for name in _followers(binding):
        if name not in row.schema.names:
            continue  # a member of the structs
        there = cells.length(row.column(name), index)
        if there is not None and there != count:
            raise BadLabels(f"{binding.column} has {count} entries, {name} has {there}")


def _followers(binding: Binding) -> tuple[str, ...]:
    return () if isinstance(binding, MaskBinding | VolumeMaskBinding) else binding.followers()


@lru_cache(maxsize=64)
def _layout(
    kind: pa.DataType, width: int, candidates: tuple[tuple[str, ...], ...], beside: tuple[str, ...] = ()
) -> Layout:
    return layout_of(kind, width, candidates, beside)


def _is_whole(kind: pa.DataType, layout: Layout) -> bool:
    """Whether coordinates are integers."""
    while not pa.types.is_struct(kind) and not pa.types.is_primitive(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind):
        kind = kind.field(layout.members[0]).type
        while not pa.types.is_primitive(kind):
            kind = kind.value_type
    return bool(pa.types.is_integer(kind))
