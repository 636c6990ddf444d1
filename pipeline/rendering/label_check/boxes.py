"""Whether a box is where the recipe moved its content to: around it, not much wider, and still there.

Beside the painting, the box is sent through the same draws alone. In company it must come out at the same place: a
step that joins boxes, or mistakes one for another, shows at once.
"""

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.rendering.label_check.painted_probes import (
    Mask,
    Painter,
    applied,
    chosen_of,
    clear_of_edges,
    margin_of,
    outside,
)
from transforms import registry
from transforms.values import Boxes, ImageValue

_WIDER = 2.5
"""A box around a turned box around a turned box is twice as wide as what it holds."""
_INTACT = 0.95
_LEAST_PIXELS = 64
_SAME_PLACE = 1.0
_DROPS_ON_PURPOSE = frozenset({"torchvision.SanitizeBoundingBoxes"})
Corners = NDArray[np.float64]


def box_strays(painter: Painter, after: ImageValue, seed: bytes) -> bool:
    """Whether one box, chosen by the seed, is not where its content went, is far too large, or was lost or joined."""
    held, left = painter.before.boxes, after.boxes
    if held is None or left is None or not len(held.rows):
        return False
    chosen = chosen_of(len(held.rows), seed)
    found = left.corners[left.rows == held.rows[chosen]]
    if _differs_in_company(painter, held, chosen, found):
        return True
    shown = painter.shown(_area(painter.before, held.corners[chosen]))
    if shown is None or shown.shape != after.pixels.shape[:2]:
        return False
    if not len(found):
        return is_lost(painter, shown, held.min_area)
    return outside(shown, _around(found, shown, margin_of(after))) or _is_too_large(found, shown, margin_of(after))


def _differs_in_company(painter: Painter, held: Boxes, chosen: int, found: Corners) -> bool:
    """Whether the box comes out elsewhere when it goes through the same draws alone."""
    if len(held.rows) < 2 or _looks_at_boxes(getattr(painter.recipe, "names", ())):
        return False
    alone = replace(held, corners=held.corners[chosen : chosen + 1], rows=held.rows[chosen : chosen + 1])
    result = applied(painter.recipe, replace(painter.before, boxes=alone), painter.seed)
    if not isinstance(result, ImageValue) or result.boxes is None:
        return False
    wanted = result.boxes.corners[result.boxes.rows == held.rows[chosen]]
    return len(wanted) != len(found) or bool((np.abs(wanted - found) > _SAME_PLACE).any())


def _looks_at_boxes(names: Collection[str]) -> bool:
    """Whether what a step draws, or blends in, may depend on which boxes there are."""
    return any(registry.needs(name) or name.startswith("fanbeam.") for name in names)


def _area(value: ImageValue, corners: Corners) -> Mask:
    left, top, right, bottom = np.rint(corners).astype(int).tolist()
    area = np.zeros(value.pixels.shape[:2], bool)
    area[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = True
    return area


def _around(boxes: Corners, shown: Mask, margin: float) -> Mask:
    inside = np.zeros_like(shown)
    for corners in boxes:
        x1, y1 = np.maximum(np.floor(corners[:2] - margin), 0).astype(int)
        x2, y2 = np.ceil(corners[2:] + margin).astype(int)
        inside[y1:y2, x1:x2] = True
    return inside


def _extent(shown: Mask) -> Corners:
    """Corners of what is shown."""
    columns, rows = np.flatnonzero(shown.any(axis=0)), np.flatnonzero(shown.any(axis=1))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)


def _is_too_large(found: Corners, shown: Mask, margin: float) -> bool:
    """Whether a single box is much wider or higher than its content, which lies whole within the picture."""
    if len(found) != 1 or not shown.any():
        return False
    corners = _extent(shown)
    sizes, wanted = found[0, 2:] - found[0, :2], corners[2:] - corners[:2]
    return clear_of_edges(shown) and bool((sizes > _WIDER * wanted + 2 * margin).any())


def is_lost(painter: Painter, shown: Mask, min_area: float) -> bool:
    """Whether the content of a label that is gone is to be seen whole."""
    if not shown.any() or _DROPS_ON_PURPOSE & set(getattr(painter.recipe, "names", ())):
        return False
    left, top, right, bottom = _extent(shown)
    if not clear_of_edges(shown) or shown.sum() < max(_LEAST_PIXELS, 1.5 * min_area):
        return False
    everything = painter.shown(np.ones(painter.before.pixels.shape[:2], bool))
    if everything is None or everything.shape != shown.shape:
        return False
    return bool(everything[int(top) : int(bottom), int(left) : int(right)].mean() >= _INTACT)
