"""What goes through the steps as anchors: corners of oriented boxes, and probes that tell of a mirrored picture.

A picture is mirrored if small triangles on it have changed their sense: by flips in either direction and by
transpositions, not by turns. Then the named sides of a body change places.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.labels import KeypointBinding
from pipeline.modalities.labels.cells import BadLabels
from pipeline.modalities.labels.names import class_names
from transforms.values import ImageValue, Keypoints

PROBES, CORNERS = 0, 1
_SIDE = 2.0
_GRID = np.array([[x, y] for x in (0.1, 0.3, 0.52, 0.7, 0.9) for y in (0.12, 0.31, 0.53, 0.72, 0.88)])
_TRIANGLE = np.array([[0.0, 0.0], [_SIDE, 0.0], [0.0, _SIDE]])
Points = NDArray[np.float64]


def with_anchors(value: ImageValue, points: Points, kind: int) -> ImageValue:
    """The value with more anchors, all of one kind."""
    rows = np.full(len(points), kind, np.int64)
    held = value.anchors
    if held is not None:
        points, rows = np.concatenate([held.points, points]), np.concatenate([held.rows, rows])
    return replace(value, anchors=Keypoints(points, rows))


def anchors_of(value: ImageValue, kind: int) -> Points:
    """The anchors of one kind, in their order."""
    held = value.anchors
    return np.zeros((0, 2)) if held is None else held.points[held.rows == kind]


def boxes_in(value: ImageValue) -> int | None:
    """How many boxes a value has, upright or oriented; None where there are none."""
    if value.boxes is not None:
        return len(value.boxes.rows)
    return len(anchors_of(value, CORNERS)) // 4 or None


def without_boxes(value: ImageValue, gone: NDArray[np.int64]) -> ImageValue:
    """The value without some of its oriented boxes: their corners are not a number any more."""
    held = value.anchors
    if held is None:
        return value
    points, places = held.points.copy(), np.flatnonzero(held.rows == CORNERS).reshape(-1, 4)
    points[places[gone[gone < len(places)]]] = np.nan
    return replace(value, anchors=replace(held, points=points))


def with_probes(value: ImageValue) -> ImageValue:
    """The value with triangles all over the picture."""
    height, width = value.pixels.shape[:2]
    places = _GRID * (width, height)
    return with_anchors(value, (places[:, np.newaxis] + _TRIANGLE).reshape(-1, 2), PROBES)


def is_mirrored(value: ImageValue) -> bool:
    """Whether most triangles have changed their sense. Raises BadLabels if the steps lost all of them."""
    corners = anchors_of(value, PROBES).reshape(-1, 3, 2)
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    turns = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    turns = turns[np.isfinite(turns) & (turns != 0)]
    if not len(turns):
        raise BadLabels("the steps leave nothing by which to tell whether the picture is mirrored")
    return bool((turns < 0).sum() * 2 > len(turns))


def partners_of(binding: KeypointBinding, row: pa.RecordBatch, index: int, count: int) -> NDArray[np.int64]:
    """Of each point the place that it takes in a mirrored picture. Raises BadLabels for pairs that are not whole."""
    found = np.arange(count, dtype=np.int64)
    names = class_names(binding, row, index) or []
    for one, other in binding.swap:
        first, second = (_places(side, names, count) for side in (one, other))
        if len(first) != len(second):
            raise BadLabels(f"{len(first)} points are {one!r}, {len(second)} are {other!r}: a pair needs one of each")
        found[first], found[second] = second, first
    return found


def _places(side: str | int, names: Sequence[str | None], count: int) -> list[int]:
    if isinstance(side, str):
        return [place for place, name in enumerate(names) if name == side]
    return [side] if 0 <= side < count else []
