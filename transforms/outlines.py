"""Outlines of objects on their way through a step: corners move as points do, then rings are cut at its edges.

Only steps that keep straight lines straight can move them: the middle of each edge goes along, and must come out on it.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from transforms.interface import LabelLost
from transforms.values import Polygons

Ring = NDArray[np.float64]
Size = tuple[int, int]
_STILL = 1e-3
"""Pixels: a library's single precision moves points by less."""
_NEARLY_NOTHING, _LINES = 1e-3, 64
_BENT_PIXELS, _BENT_SHARE = 1.0, 1e-4
_CORNER = 0.5
"""Points are counted from the centres of pixels, outlines from their edges."""


def points_of(polygons: Polygons) -> Ring:
    """Corners of all rings, then the middles of all their edges, (2n, 2), as points."""
    corners = _corners(polygons)
    return np.concatenate([corners, (corners + corners[_following(polygons)]) / 2]) - _CORNER


def outlined(before: Polygons, points: Ring, size: Size, new_size: Size) -> Polygons:
    """The outlines after a step, whose `points_of` are now `points`, on a picture of (height, width) `new_size`.

    Raises LabelLost where a step loses points, or bends what was straight.
    """
    if np.isnan(points).any():
        raise LabelLost("outline_lost", "the step leaves parts of an outline without a place")
    if size == new_size and bool((np.abs(points - points_of(before)) <= _STILL).all()):
        return before
    corners, middles = np.split(points + _CORNER, 2)
    _refuse_bent(corners, middles, _following(before))
    ends = np.cumsum([len(ring) for ring in before.rings])[:-1]
    return in_view(replace(before, rings=tuple(np.split(corners, ends) if len(before.rings) else ())), new_size)


def in_view(polygons: Polygons, size: Size) -> Polygons:
    """The parts of outlines that lie in a picture of (height, width); rings without any area in it are dropped."""
    rings = [clipped(ring, *size) for ring in polygons.rings]
    kept = [n for n, ring in enumerate(rings) if covered(ring) > 0]
    return replace(polygons, rings=tuple(rings[n] for n in kept), rows=polygons.rows[kept])


def clipped(ring: Ring, height: int, width: int) -> Ring:
    """The part of a polygon in a rectangle from the origin: Sutherland and Hodgman, CACM 17 (1974), edge by edge.

    A polygon that falls into several parts stays one ring: its parts are joined along the edge of the rectangle.
    """
    for axis, limit, sign in ((0, 0.0, 1.0), (0, float(width), -1.0), (1, 0.0, 1.0), (1, float(height), -1.0)):
        depth = sign * (ring[:, axis] - limit)
        inside = depth >= 0
        if inside.all():
            continue
        before, depth_before = np.roll(ring, 1, axis=0), np.roll(depth, 1)
        crossing = inside != np.roll(inside, 1)
        shares = depth_before / np.where(crossing, depth_before - depth, 1.0)
        cuts = before + shares[:, np.newaxis] * (ring - before)
        cuts[:, axis] = limit
        ring = np.stack([cuts, ring], axis=1)[np.stack([crossing, inside], axis=1)]
    return ring


def area_of(ring: Ring) -> float:
    """Square pixels within a ring."""
    if len(ring) < 3:
        return 0.0
    x, y = (ring - ring[0]).T  # far from the origin products would cancel out badly
    return float(abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)


def covered(ring: Ring) -> float:
    """Square pixels within a ring that may cross itself, if `area_of` is nearly nothing: loops cancel out there."""
    area = area_of(ring)
    if area > _NEARLY_NOTHING or len(ring) < 4:
        return area
    low, high = ring[:, 1].min(), ring[:, 1].max()
    lines = low + (np.arange(_LINES) + 0.5) * (high - low) / _LINES
    return float(sum(_inside(ring, y) for y in lines.tolist()) * (high - low) / _LINES)


def _inside(ring: Ring, y: float) -> float:
    """How much of a horizontal line lies within a ring, by the parity of the edges that it has passed."""
    following = np.roll(ring, -1, axis=0)
    crossed = (ring[:, 1] > y) != (following[:, 1] > y)
    one, other = ring[crossed], following[crossed]
    places = np.sort(one[:, 0] + (y - one[:, 1]) / (other[:, 1] - one[:, 1]) * (other[:, 0] - one[:, 0]))
    return float((places[1::2] - places[::2]).sum())


def areas_of(polygons: Polygons) -> dict[int, float]:
    """Square pixels of each entry that has a ring: the sum of its rings."""
    found: dict[int, float] = {}
    for row, ring in zip(polygons.rows.tolist(), polygons.rings, strict=True):
        found[row] = found.get(row, 0.0) + area_of(ring)
    return found


def extents_of(polygons: Polygons) -> dict[int, Ring]:
    """x_min, y_min, x_max, y_max of each entry that has a ring."""
    held: dict[int, list[Ring]] = {}
    for row, ring in zip(polygons.rows.tolist(), polygons.rings, strict=True):
        held.setdefault(row, []).append(ring)
    joined = {row: np.concatenate(rings) for row, rings in held.items()}
    return {row: np.concatenate([points.min(axis=0), points.max(axis=0)]) for row, points in joined.items()}


def _refuse_bent(corners: Ring, middles: Ring, following: NDArray[np.int64]) -> None:
    """Raise LabelLost if the middle of an edge does not lie on it any more."""
    edges, to_middle = corners[following] - corners, middles - corners
    lengths = np.maximum((edges**2).sum(axis=1), 1e-12)
    shares = np.clip((edges * to_middle).sum(axis=1) / lengths, 0.0, 1.0)
    off = np.abs(to_middle - shares[:, np.newaxis] * edges).max(axis=1)
    if (off > _BENT_PIXELS + _BENT_SHARE * np.abs(corners).max(initial=0.0)).any():
        raise LabelLost("outline_lost", "the step bends or tears the edge of an outline")


def _corners(polygons: Polygons) -> Ring:
    return np.concatenate([np.zeros((0, 2)), *polygons.rings])


def _following(polygons: Polygons) -> NDArray[np.int64]:
    """The place of the corner after each corner of all rings."""
    lengths = np.array([len(ring) for ring in polygons.rings], np.int64)
    starts = np.cumsum(lengths) - lengths
    following = np.arange(int(lengths.sum()), dtype=np.int64) + 1
    following[starts + lengths - 1] = starts
    return following
