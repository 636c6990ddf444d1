"""Which of the labels of a record are left in a sample that steps made of it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.config.labels import MaskBinding, SizeBinding, VolumeMaskBinding
from pipeline.modalities.labels import cells
from pipeline.modalities.labels.binding import Binding, Bindings, Row
from pipeline.records import Left
from transforms.outlines import extents_of
from transforms.values import AudioValue, Boxes, ImageValue, Polygons, Segments, Value, VideoValue, VolumeValue

_EDGE_PIXELS, _EDGE_SECONDS = 0.5, 1e-3


def left_of(
    bindings: Bindings, row: Row, before: Value, after: Value, written: Mapping[str, Sequence[int]]
) -> tuple[Left, ...]:
    """What is left of each kind of labels.

    `before`: the value as it entered the steps. `written`: the entries of the record that each column still has.
    """
    kinds = ((kind, binding) for kind, binding in bindings.items() if not isinstance(binding, SizeBinding))
    return tuple(_left(kind, binding, row, (before, after), written) for kind, binding in kinds)


def _left(
    kind: str, binding: Binding, row: Row, values: tuple[Value, Value], written: Mapping[str, Sequence[int]]
) -> Left:
    before, after = values
    if isinstance(binding, MaskBinding | VolumeMaskBinding):
        return _masks_left(kind, binding, row, values, written)
    count = cells.length(row[0].column(binding.column), row[1]) or 0
    numbers = written[binding.column]
    left = tuple(dict.fromkeys(numbers))
    cut = _clipped(getattr(before, kind), getattr(after, kind), _extent(before), _extent(after))
    return Left(kind, tuple(range(count)), left, len(cut & set(left)), len(numbers) - len(left))


def _masks_left(
    kind: str, binding: Any, row: Row, values: tuple[Value, Value], written: Mapping[str, Sequence[int]]
) -> Left:
    before, after = (cast(ImageValue | VolumeValue, value) for value in values)
    if isinstance(after, ImageValue) and after.mask_rows is not None:
        count, left = cells.length(row[0].column(binding.column), row[1]) or 0, written.get(binding.column, ())
        return Left(kind, tuple(range(count)), tuple(dict.fromkeys(left)), repeated=len(left) - len(set(left)))
    there = _numbers(before.masks)
    return Left(kind, there, tuple(n for n in _numbers(after.masks) if n in there), numbers=True)


def _numbers(masks: NDArray[np.generic] | None) -> tuple[int, ...]:
    """Class numbers that occur, without 0."""
    if masks is None or not masks.size:
        return ()
    if masks.dtype != np.uint8:
        return tuple(int(n) for n in np.unique(masks) if n)
    import cv2

    counts = cv2.calcHist([np.ascontiguousarray(masks).reshape(-1, masks.shape[-1])], [0], None, [256], [0, 256])
    return tuple((np.flatnonzero(counts[1:, 0]) + 1).tolist())


def _extent(value: Value) -> tuple[float, ...]:
    """Width and height of pictures, seconds of what has a time."""
    if isinstance(value, ImageValue):
        return value.pixels.shape[1], value.pixels.shape[0]
    if isinstance(value, AudioValue):
        return (value.samples.shape[1] / value.sample_rate,)
    if isinstance(value, VideoValue):
        return value.frames.shape[2], value.frames.shape[1], len(value.frames) / float(value.rate)
    return ()


def _clipped(before: Any, after: Any, old: tuple[float, ...], new: tuple[float, ...]) -> set[int]:
    """Labels that touch more edges than they did."""
    before, after = _extents(before), _extents(after)
    if not isinstance(before, Boxes | Segments) or not isinstance(after, Boxes | Segments) or not len(after.rows):
        return set()
    touched = dict(zip(before.rows.tolist(), _touched(before, old).tolist(), strict=True))
    more = zip(after.rows.tolist(), _touched(after, new).tolist(), strict=True)
    return {row for row, count in more if count > touched.get(row, count)}


def _extents(held: Any) -> Any:
    """Outlines as the boxes around them."""
    if not isinstance(held, Polygons):
        return held
    found = extents_of(held)
    return Boxes(np.array(list(found.values()), np.float64).reshape(-1, 4), np.array(list(found), np.int64))


def _touched(held: Boxes | Segments, extent: tuple[float, ...]) -> NDArray[np.int64]:
    """How many edges each label lies at, or beyond."""
    if isinstance(held, Boxes):
        low, high, ends, near = held.corners[:, :2], held.corners[:, 2:], np.array(extent[:2]), _EDGE_PIXELS
    else:
        low, high, ends, near = held.bounds[:, :1], held.bounds[:, 1:], np.array(extent[-1:]), _EDGE_SECONDS
    return np.asarray((low <= near).sum(axis=1) + (high >= ends - near).sum(axis=1))
