"""Oriented boxes: four corners of any quadrilateral, or a turned rectangle. Their corners go through steps as anchors.

`quad`: x1, y1, …, x4, y4 in pixels. `xywhr`: centre x, centre y, width, height in pixels, and the angle by which the
width is turned, clockwise as the picture is seen (y points down), as OpenCV and Ultralytics write it.
"""

import math

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.labels.cells import BadLabels, Coordinates
from transforms.outlines import area_of, clipped

WIDTHS = {"quad": 8, "xywhr": 5}
_SIGNS = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
_MOST_RADIANS = 2 * math.pi + 0.1
Corners = NDArray[np.float64]


def to_quads(written: Coordinates, form: str, angle: str) -> Corners:
    """(n, 8) or (n, 5) as written -> corners (n, 4, 2) in pixels. Raises BadLabels."""
    if form == "quad":
        return written.reshape(-1, 4, 2)
    turns = np.deg2rad(written[:, 4]) if angle == "degrees" else written[:, 4]
    if angle == "radians" and (np.abs(turns) > _MOST_RADIANS).any():
        raise BadLabels(f"an angle of {np.abs(turns).max():g} radians; angle: degrees reads it as degrees")
    if (written[:, 2:4] < 0).any():
        raise BadLabels("a turned box has a negative width or height; it is cx, cy, width, height, angle")
    sides = _SIGNS * written[:, np.newaxis, 2:4]
    cosine, sine = np.cos(turns)[:, np.newaxis], np.sin(turns)[:, np.newaxis]
    x = sides[..., 0] * cosine - sides[..., 1] * sine
    y = sides[..., 0] * sine + sides[..., 1] * cosine
    return np.stack([x, y], axis=2) + written[:, np.newaxis, :2]


def from_quads(quads: Corners, form: str, angle: str) -> Coordinates:
    """Corners as a column writes them; a quadrilateral that is no rectangle any more gets the nearest turned one."""
    if form == "quad":
        return quads.reshape(-1, 8)
    across = (quads[:, 1] - quads[:, 0] + quads[:, 2] - quads[:, 3]) / 2
    down = (quads[:, 3] - quads[:, 0] + quads[:, 2] - quads[:, 1]) / 2
    widths = np.hypot(across[:, 0], across[:, 1])
    areas = np.abs(across[:, 0] * down[:, 1] - across[:, 1] * down[:, 0])
    heights = areas / np.maximum(widths, 1e-9)
    turns = np.arctan2(across[:, 1], across[:, 0])
    turns = np.rad2deg(turns) if angle == "degrees" else turns
    return np.concatenate([quads.mean(axis=1), np.stack([widths, heights, turns], axis=1)], axis=1)


def areas_in_view(quads: Corners, height: int, width: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each quadrilateral the area, and the part of it that lies in a picture of this size."""
    whole = np.array([area_of(quad) for quad in quads])
    seen = np.array([area_of(clipped(quad, height, width)) for quad in quads])
    return whole, seen


def left_in_view(quads: Corners, size: tuple[int, int], min_area: float, min_visibility: float) -> NDArray[np.int64]:
    """Places of those that stay: all corners known, something of them in view, and enough."""
    known: NDArray[np.bool_] = np.asarray(np.isfinite(quads).all(axis=(1, 2)))
    whole, seen = areas_in_view(np.where(known[:, np.newaxis, np.newaxis], quads, 0.0), *size)
    return np.flatnonzero(known & (seen > 0) & (seen >= min_area) & (seen >= min_visibility * whole))


def refuse_quads_elsewhere(quads: Corners, height: int, width: int, form: str) -> None:
    """Raise BadLabels if half of them lie mostly outside of the picture, or all are smaller than a pixel."""
    whole, seen = areas_in_view(quads, height, width)
    solid = whole > 0
    elsewhere = int((solid & (seen < 0.25 * whole)).sum())
    if elsewhere and 2 * elsewhere >= int(solid.sum()):
        raise BadLabels(
            f"{elsewhere} of {int(solid.sum())} boxes lie mostly outside of the picture of {width}x{height}; "
            f"format: {form} is in pixels and may be wrong"
        )
    if len(quads) and (quads >= 0).all() and (quads <= 1).all() and (quads != np.rint(quads)).any():
        raise BadLabels(f"the boxes are smaller than a pixel, from 0 to 1; format: {form} is in pixels")
