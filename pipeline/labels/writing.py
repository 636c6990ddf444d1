"""What becomes of the columns of a row whose labels were bound to a value, now that the value has changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.labels import cells, entries
from pipeline.labels.binding import Binding, Bindings, Row, followers_of, layout_for, seconds_of, shape_of
from pipeline.labels.box_formats import from_corners, to_corners
from pipeline.labels.cells import Coordinates, Layout
from pipeline.labels.left import Left, left_of
from pipeline.labels.masks import written_mask
from pipeline.labels.settings import BoxBinding, MaskBinding, SegmentBinding, VolumeMaskBinding
from pipeline.labels.volume_masks import written_volume_masks
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


def moved_labels(
    bindings: Bindings, row: Row, before: Value, value: Value, others: Sequence[Row] = ()
) -> tuple[dict[str, pa.Array], tuple[Left, ...]]:
    """The new cell, an array of one row, of each bound column, and how many labels are left of the value `before`.

    Raises BadLabels where a column cannot hold them.
    """
    batch, index = row
    found = changes(bindings, batch, index, value, others)
    new = {name: change.applied(batch.column(name), index) for name, change in found.items()}
    return new, left_of(bindings, row, before, value, {name: change.rows for name, change in found.items()})


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
        followers = [name for name in followers_of(binding) if name in row.schema.names]
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


def _left(binding: Binding, value: Value, whole: bool) -> tuple[Any, Coordinates]:
    """The entries that are left, and their coordinates as the column writes them."""
    if isinstance(value, ImageValue | VideoValue) and isinstance(binding, BoxBinding):
        boxes = cast(Boxes, value.boxes)
        height, width = shape_of(value)
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
    if isinstance(value, TextValue):
        spans = cast(Spans, value.spans)
        return spans.rows, spans.bounds.astype(np.float64)
    segments = cast(Segments, cast(AudioValue, value).segments)
    return segments.rows, segments.bounds / seconds_of(cast(SegmentBinding, binding), value)


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


def _is_whole(kind: pa.DataType, layout: Layout) -> bool:
    """Whether coordinates are integers."""
    while not pa.types.is_struct(kind) and not pa.types.is_primitive(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind):
        kind = kind.field(layout.members[0]).type
        while not pa.types.is_primitive(kind):
            kind = kind.value_type
    return bool(pa.types.is_integer(kind))
