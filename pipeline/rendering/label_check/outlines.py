"""Whether outlines, and the corners of oriented boxes, are where the recipe moved their content to."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.labels import anchors
from pipeline.rendering.label_check.boxes import is_lost
from pipeline.rendering.label_check.painted_probes import (
    Mask,
    Painter,
    chosen_of,
    clear_of_edges,
    grown,
    margin_of,
    outside,
)
from transforms.outlines import Ring, clipped
from transforms.values import ImageValue

_LEAST_PIXELS = 64


def outline_strays(painter: Painter, after: ImageValue, seed: bytes) -> bool:
    """Whether one outline, chosen by the seed, is not where its content went, is far too large, or was lost."""
    held, left = painter.before.polygons, after.polygons
    if held is None or left is None or not len(held.rows):
        return False
    row = held.rows[chosen_of(len(held.rows), seed)]
    before = [held.rings[n] for n in np.flatnonzero(held.rows == row)]
    return _strays(painter, after, before, [left.rings[n] for n in np.flatnonzero(left.rows == row)])


def quad_strays(painter: Painter, after: ImageValue, seed: bytes) -> bool:
    """Whether one oriented box, chosen by the seed, is not where its content went, or is far too large."""
    held, left = _quads(painter.before), _quads(after)
    if not len(held) or len(held) != len(left):
        return False
    chosen = chosen_of(len(held), seed)
    if not np.isfinite(held[chosen]).all() or not np.isfinite(left[chosen]).all():
        return False
    return _strays(painter, after, [held[chosen]], [left[chosen]])


def _strays(painter: Painter, after: ImageValue, before: Sequence[Ring], left: Sequence[Ring]) -> bool:
    shown = painter.shown(_filled(before, painter.before))
    if shown is None or shown.shape != after.pixels.shape[:2] or not shown.any():
        return False
    found = _filled(left, after)
    if not found.any():
        return shown.sum() >= _LEAST_PIXELS and is_lost(painter, shown, 0.0)
    margin = margin_of(after)
    too_large = clear_of_edges(shown) and outside(found, grown(shown, margin))
    return outside(shown, grown(found, margin)) or too_large


def _quads(value: ImageValue) -> NDArray[np.float64]:
    return anchors.anchors_of(value, anchors.CORNERS).reshape(-1, 4, 2) + 0.5


def _filled(rings: Sequence[Ring], value: ImageValue) -> Mask:
    """Pixels of a picture within the rings."""
    import cv2

    height, width = value.pixels.shape[:2]
    ground = np.zeros((height, width), np.uint8)
    for ring in rings:
        points = clipped(ring, height, width)
        if len(points) > 2:
            cv2.fillPoly(ground, [np.rint((points - 0.5) * 16).astype(np.int32)], 1, shift=4)
    return np.asarray(ground > 0)
