"""What becomes of the columns of a row whose labels were bound to a value, now that the value has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.labels import (
    AnswerBinding,
    BoxBinding,
    BoxFormat,
    KeypointBinding,
    MaskBinding,
    PlainBoxBinding,
    PolygonBinding,
    SegmentBinding,
    SizeBinding,
    TokenBinding,
    VolumeMaskBinding,
)
from pipeline.modalities.labels import anchors, cells, entry_numbers
from pipeline.modalities.labels.binding import Binding, Bindings, Row, followers_of, layout_for, seconds_of, shape_of
from pipeline.modalities.labels.cell_changes import Change, change_of, of_text
from pipeline.modalities.labels.cells import Coordinates, Layout
from pipeline.modalities.labels.formats import oriented_boxes
from pipeline.modalities.labels.formats.boxes import from_corners, to_corners
from pipeline.modalities.labels.formats.masks import written_mask
from pipeline.modalities.labels.formats.polygons import member_of, written_polygons
from pipeline.modalities.labels.formats.volume_masks import written_volume_masks
from pipeline.modalities.labels.instances import cut_to, is_upright, settled
from pipeline.modalities.labels.remaining import left_of
from pipeline.records import Left
from transforms.outlines import areas_of
from transforms.values import (
    AudioValue,
    Boxes,
    ImageValue,
    Keypoints,
    Polygons,
    Segments,
    Spans,
    TextValue,
    Value,
    VideoValue,
    VolumeValue,
)


def moved_labels(
    bindings: Bindings, row: Row, before: Value, value: Value, others: Sequence[Row] = ()
) -> tuple[dict[str, pa.Array], tuple[Left, ...]]:
    """The new cell, an array of one row, of each bound column, and how many labels are left of the value `before`.

    Raises BadLabels where a column cannot hold them.
    """
    batch, index = row
    value = settled(bindings, before, value)
    found = changes(bindings, batch, index, value, others)
    new = {name: change.applied(batch.column(name), index) for name, change in found.items()}
    return new, left_of(bindings, row, before, value, {name: change.rows for name, change in found.items()})


def changes(
    bindings: Bindings, row: pa.RecordBatch, index: int, value: Value, others: Sequence[Row] = ()
) -> dict[str, Change]:
    """How each bound column of the row changes, now that the value is this.

    `others`: rows of the records that were blended into it, in the order of their numbers (see `entry_numbers`).
    """
    found: dict[str, Change] = {}
    rows_of: Sequence[Row] = ((row, index), *others)
    for binding in bindings.values():
        if not isinstance(binding, MaskBinding | VolumeMaskBinding):
            found |= _changes_by(binding, bindings, rows_of, value, found)
    masks = bindings.get("masks")
    if masks is not None and isinstance(value, ImageValue | VolumeValue) and value.masks is not None:
        found |= _mask_changes(bindings, rows_of, value, found)
    return found


def _changes_by(
    binding: Binding, bindings: Bindings, rows_of: Sequence[Row], value: Value, found: Mapping[str, Change]
) -> dict[str, Change]:
    """How columns change by one binding, but for masks; `found`: by those before it."""
    if isinstance(binding, SizeBinding):
        height, width = shape_of(cast(ImageValue, value))
        return {binding.width: _number(width), binding.height: _number(height)}
    if isinstance(binding, AnswerBinding | TokenBinding):
        return dict(of_text(binding, rows_of, cast(TextValue, value)))
    if isinstance(binding, PolygonBinding):
        return _polygon_changes(binding, bindings.get("boxes"), rows_of[0], cast(ImageValue, value), found)
    row, _ = rows_of[0]
    column = row.column(binding.column)
    layout = layout_for(binding, column.type)
    if isinstance(binding, KeypointBinding) and binding.fixed:
        return _fixed_changes(binding, rows_of[0], cast(ImageValue, value), layout)
    rows, new = _left(binding, value, _is_whole(column.type, layout))
    changed = {binding.column: change_of(binding.column, rows_of, (rows, new), layout)}
    followers = [name for name in followers_of(binding) if name in row.schema.names]
    changed |= {name: change_of(name, rows_of, (rows, None), None) for name in followers}
    if not isinstance(binding, BoxBinding) or binding.area is None:
        return changed
    areas = _areas(binding, cast(ImageValue, value), rows, new)
    return changed | _with_areas(binding, changed, [areas[entry_numbers.of_one(rows, n)] for n in range(len(rows_of))])


def _polygon_changes(
    binding: PolygonBinding, boxes: Any, row: Row, value: ImageValue, found: Mapping[str, Change]
) -> dict[str, Change]:
    """Outlines that are left, in their own column or beside the boxes in the same structs, and what follows them."""
    (batch, index), polygons, name = row, cast(Polygons, value.polygons), binding.column
    rows = found[boxes.column].rows if polygons.with_boxes and boxes is not None else tuple(polygons.left().tolist())
    column = batch.column(name)
    beside = [follower for follower in followers_of(binding) if follower in batch.schema.names]
    change = {follower: Change(rows) for follower in (name, *beside)}
    if name in found:
        change[name] = found[name]
    content = tuple(written_polygons(binding, column, index, rows, polygons))
    change[name] = replace(change[name], lists=(member_of(binding, column.type), content))
    if binding.area is None:
        return change
    areas = areas_of(polygons)
    return {**change, **_with_areas(binding, change, [np.array([areas.get(row, 0.0) for row in rows])])}


def _number(count: int) -> Change:
    return Change(content=count, replaced=True)


def _areas(binding: BoxBinding, value: ImageValue, rows: NDArray[np.int64], new: Coordinates) -> NDArray[np.float64]:
    """Of each box the pixels of its mask, or of its outline, where there is one for each; else its own area."""
    if binding.format in oriented_boxes.WIDTHS:
        quads = anchors.anchors_of(value, anchors.CORNERS).reshape(-1, 4, 2)
        own, _ = oriented_boxes.areas_in_view(quads[rows], *shape_of(value))
    else:
        corners = to_corners(new, cast(BoxFormat, binding.format), *shape_of(value))
        own = np.prod(corners[:, 2:] - corners[:, :2], axis=1)
    if len(np.unique(rows)) < len(rows):
        return own
    known: dict[int, float] = {}
    if value.polygons is not None and value.polygons.with_boxes:
        known |= areas_of(value.polygons)
    if value.masks is not None and value.mask_rows is not None and len(value.masks):
        counts = np.count_nonzero(value.masks.reshape(len(value.masks), -1), axis=1)
        known |= dict(zip(value.mask_rows.tolist(), map(float, counts), strict=True))
    return np.array([known.get(row, area) for row, area in zip(rows.tolist(), own.tolist(), strict=True)], np.float64)


def _with_areas(
    binding: BoxBinding | PolygonBinding, found: Mapping[str, Change], areas: Sequence[NDArray[np.float64]]
) -> dict[str, Change]:
    """The change of the column, or of the structs, that holds areas: own entries first, then those of each other."""
    name, numbers = cast(str, binding.area), tuple(np.concatenate(areas).tolist())
    if name in found:
        return {name: replace(found[name], areas=(cells.ALONE, numbers))}
    return {binding.column: replace(found[binding.column], areas=(name, numbers))}


def _fixed_changes(binding: KeypointBinding, row: Row, value: ImageValue, layout: Layout) -> dict[str, Change]:
    """Keypoints of which none may be dropped, or that change places where the picture is mirrored.

    Names stay where they are; the points, and whatever else is said of them, go to the place of their partner.
    """
    batch, index = row
    held, column = cast(Keypoints, value.keypoints), batch.column(binding.column)
    rows = slots = held.rows
    new = held.points
    if held.visible is not None:
        new = _with_visibility(held, cast(Coordinates, cells.read(column, index, layout)))
    if binding.swap and anchors.is_mirrored(value):
        slots = anchors.partners_of(binding, batch, index, cells.length(column, index) or 0)[rows]
        order = np.argsort(slots, kind="stable")
        rows, slots, new = rows[order], slots[order], new[order]
    beside = [name for name in followers_of(binding) if name in batch.schema.names]
    named = [Change(tuple((slots if name == binding.labels else rows).tolist())) for name in beside]
    stays = "" if binding.labels is None or binding.labels in beside else binding.labels
    own = Change(tuple(rows.tolist()), layout, new, stays=(stays, tuple(slots.tolist())))
    return {binding.column: own, **dict(zip(beside, named, strict=True))}


def _with_visibility(held: Keypoints, read: Coordinates) -> Coordinates:
    """x, y and visibility of all points: nothing but zeros where one is not to be seen."""
    shown = cast(NDArray[np.bool_], held.visible)[:, np.newaxis]
    return np.where(shown, np.concatenate([np.nan_to_num(held.points), read[held.rows, 2:3]], axis=1), 0.0)


def _left(binding: Binding, value: Value, whole: bool) -> tuple[Any, Coordinates]:
    """The entries that are left, and their coordinates as the column writes them."""
    if isinstance(binding, BoxBinding) and binding.format in oriented_boxes.WIDTHS:
        return _quads_left(binding, cast(ImageValue, value), whole)
    if isinstance(value, ImageValue | VideoValue) and isinstance(binding, PlainBoxBinding):
        boxes = cast(Boxes, value.boxes)
        height, width = shape_of(value)
        new = from_corners(boxes.corners, cast(BoxFormat, binding.format), height, width)
        new = np.rint(new) if whole else new
        corners = to_corners(new, cast(BoxFormat, binding.format), height, width)
        solid = (corners[:, 2:] > corners[:, :2]).all(axis=1)
        if boxes.frames is not None:
            new = np.concatenate([new, boxes.frames[:, np.newaxis]], axis=1)
        return boxes.rows[solid], new[solid]
    if isinstance(value, ImageValue | VolumeValue):
        points = cast(Keypoints, value.keypoints)
        return points.rows, points.points
    if isinstance(value, TextValue):
        spans = cast(Spans, value.spans)
        return spans.rows, spans.bounds.astype(np.float64)
    segments = cast(Segments, cast(AudioValue, value).segments)
    return segments.rows, segments.bounds / seconds_of(cast(SegmentBinding, binding), value)


def _quads_left(binding: BoxBinding, value: ImageValue, whole: bool) -> tuple[Any, Coordinates]:
    """Oriented boxes that are in view; their corners may lie outside of it."""
    quads = anchors.anchors_of(value, anchors.CORNERS).reshape(-1, 4, 2) + 0.5
    rows = oriented_boxes.left_in_view(quads, shape_of(value), binding.min_area, binding.min_visibility)
    new = oriented_boxes.from_quads(quads[rows], binding.format, binding.angle)
    return rows, np.rint(new) if whole else new


def _mask_changes(
    bindings: Bindings, rows_of: Sequence[Row], value: ImageValue | VolumeValue, found: Mapping[str, Change]
) -> dict[str, Change]:
    """What to write for the masks of a value, each in the form in which it came, and for what follows them."""
    binding = cast(MaskBinding | VolumeMaskBinding, bindings["masks"])
    name, (row, index) = binding.column, rows_of[0]
    cell, masks = row.column(name)[index].as_py(), cast(NDArray[np.generic], value.masks)
    if isinstance(value, VolumeValue):
        content = written_volume_masks(cell, masks, range(len(masks)), value.origin)
        return {name: Change(content=content, replaced=True)}
    palette = cast(MaskBinding, binding).palette
    if value.mask_rows is None:
        return {name: Change(content=written_mask(cell, masks[0], palette), replaced=True)}
    written: list[Any] = []
    numbers: list[int] = []
    for source, (batch, at) in enumerate(rows_of):
        boxes = _boxes_left(bindings, found, source)
        kept = entry_numbers.instances(value.mask_rows, source, boxes)
        forms = batch.column(name)[at].as_py() if kept else []
        cut = _cut(bindings, rows_of[0], value, source, boxes)
        parts = (masks[place] for _, place in kept)
        if cut is not None and len(cut) == len(kept):
            parts = (cut_to(part, corners) for part, corners in zip(parts, cut, strict=True))
        written += [written_mask(forms[entry], part, palette) for (entry, _), part in zip(kept, parts, strict=True)]
        numbers += [entry_numbers.number(source, entry) for entry, _ in kept]
    left = np.array(numbers, np.int64)
    beside = [follower for follower in followers_of(binding) if follower in row.schema.names]
    following = {column: change_of(column, rows_of, (left, None), None) for column in (name, *beside)}
    return {**following, name: replace(following[name], more=(), content=written, replaced=True)}


def _cut(
    bindings: Bindings, row: Row, value: ImageValue, source: int, boxes: Sequence[int] | None
) -> Coordinates | None:
    """Corners of a source's boxes, one for each that is left, where a step cut one into several; else None."""
    if boxes is None or len(set(boxes)) == len(boxes):
        return None
    binding = cast(BoxBinding, bindings["boxes"])
    kind = row[0].schema.field(binding.column).type
    rows, new = _left(binding, value, _is_whole(kind, layout_for(binding, kind)))
    return to_corners(new[entry_numbers.of_one(rows, source)], cast(BoxFormat, binding.format), *shape_of(value))


def _boxes_left(bindings: Bindings, found: Mapping[str, Change], source: int) -> Sequence[int] | None:
    """Entries of the boxes of a source that are left; None where the config binds no boxes."""
    if "boxes" not in bindings or not is_upright(bindings["boxes"]):
        return None
    change = found[bindings["boxes"].column]
    return change.rows if source == 0 else next((p.change.rows for p in change.more if p.source == source), ())


def _is_whole(kind: pa.DataType, layout: Layout) -> bool:
    """Whether coordinates are integers."""
    while not pa.types.is_struct(kind) and not pa.types.is_primitive(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind):
        kind = kind.field(layout.members[0]).type
        while not pa.types.is_primitive(kind):
            kind = kind.value_type
    return bool(pa.types.is_integer(kind))
