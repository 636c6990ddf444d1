"""Masks of instances after the steps: what has nothing left goes with its box and its labels, boxes may be tightened.

A box that a step cut into several takes of its mask what lies within each.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.labels.oriented import WIDTHS
from pipeline.labels.settings import BoxBinding, MaskBinding
from transforms.values import Boxes, ImageValue, Value

Mask = NDArray[np.generic]
Numbers = NDArray[np.int64]


def settled(bindings: Mapping[Any, Any], before: Value, value: Value) -> Value:
    """The value without instances that the steps left nothing of, its boxes tightened where the config asks for it."""
    binding = bindings.get("masks")
    if not isinstance(binding, MaskBinding) or not isinstance(value, ImageValue):
        return value
    if value.mask_rows is None or value.masks is None or not len(value.masks):
        return value
    boxes = bindings.get("boxes") if is_upright(bindings.get("boxes")) else None
    if binding.min_area or binding.followers() or boxes is not None:
        value = _without_empty(value, _empty(before), max(1.0, binding.min_area))
    return _tightened(value) if isinstance(boxes, BoxBinding) and boxes.tighten else value


def is_upright(binding: Any) -> bool:
    """Whether boxes are bound whose sides are those of the picture: one for each mask of a list, if as many."""
    return binding is not None and binding.format not in WIDTHS


def cut_to(mask: Mask, corners: NDArray[np.float64]) -> Mask:
    """The part of a mask that lies in a box, pixels that the box touches included."""
    inside = np.zeros_like(mask)
    left, top = np.maximum(np.floor(corners[:2]), 0).astype(int)
    right, bottom = np.ceil(corners[2:]).astype(int)
    inside[top:bottom, left:right] = mask[top:bottom, left:right]
    return inside


def _empty(value: Value) -> Numbers:
    """Numbers of instances that were empty before any step."""
    if not isinstance(value, ImageValue) or value.masks is None or value.mask_rows is None:
        return np.zeros(0, np.int64)
    return value.mask_rows[~value.masks.any(axis=(1, 2))] if len(value.masks) else value.mask_rows


def _without_empty(value: ImageValue, empty: Numbers, least: float) -> ImageValue:
    masks, rows = cast(Mask, value.masks), cast(Numbers, value.mask_rows)
    areas = np.count_nonzero(masks.reshape(len(masks), -1), axis=1)
    stays = (areas >= least) | np.isin(rows, empty)
    if stays.all():
        return value
    boxes = value.boxes
    if boxes is not None:
        left = ~np.isin(boxes.rows, rows[~stays])
        boxes = replace(boxes, corners=boxes.corners[left], rows=boxes.rows[left])
    return replace(value, masks=masks[stays], mask_rows=rows[stays], boxes=boxes)


def _tightened(value: ImageValue) -> ImageValue:
    """Each box around what is left of its mask; boxes that have none stay."""
    boxes, masks, rows = cast(Boxes, value.boxes), cast(Mask, value.masks), cast(Numbers, value.mask_rows)
    places = {number: place for place, number in enumerate(rows.tolist())}
    repeated = len(np.unique(boxes.rows)) < len(boxes.rows)
    corners = boxes.corners.copy()
    for n, number in enumerate(boxes.rows.tolist()):
        if number in places:
            mask = masks[places[number]]
            found = _extent(cut_to(mask, corners[n]) if repeated else mask)
            corners[n] = corners[n] if found is None else found
    return replace(value, boxes=replace(boxes, corners=corners))


def _extent(mask: Mask) -> NDArray[np.float64] | None:
    """Edges of the pixels of a mask: x_min, y_min, x_max, y_max; None for an empty one."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)
