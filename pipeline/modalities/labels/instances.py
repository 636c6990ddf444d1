"""Instances after the steps: what has nothing left goes with its box, mask, outline and labels; boxes are tightened.

A box that a step cut into several takes of its mask what lies within each.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pipeline.config.labels import BoxBinding, MaskBinding
from pipeline.modalities.labels import anchors
from pipeline.modalities.labels.formats.oriented_boxes import WIDTHS, left_in_view
from pipeline.modalities.labels.formats.polygons import without, without_specks
from transforms.outlines import extents_of
from transforms.values import WITHOUT_BOX, Boxes, ImageValue, Polygons, Value

Mask = NDArray[np.generic]
Numbers = NDArray[np.int64]


def settled(bindings: Mapping[Any, Any], before: Value, value: Value) -> Value:
    """The value without instances that the steps left nothing of, its boxes tightened where the config asks for it."""
    if not isinstance(value, ImageValue):
        return value
    binding, boxes = bindings.get("masks"), bindings.get("boxes")
    if isinstance(binding, MaskBinding) and value.mask_rows is not None and value.masks is not None:
        upright = boxes if is_upright(boxes) else None
        goes = binding.min_area or binding.followers() or upright is not None or _follows_others(value)
        if goes and len(value.masks):
            value = _without_empty(value, _empty(before), max(1.0, binding.min_area))
    if value.polygons is not None:
        value = replace(value, polygons=without_specks(value.polygons))
    value = _together(value, boxes if isinstance(boxes, BoxBinding) else None)
    return _tightened(value) if isinstance(boxes, BoxBinding) and is_upright(boxes) and boxes.tighten else value


def _follows_others(value: ImageValue) -> bool:
    """Whether each mask of a list has an outline, or an oriented box."""
    outlined = value.polygons is not None and value.polygons.with_masks
    return outlined or (value.boxes is None and _with_boxes(value))


def _with_boxes(value: ImageValue) -> bool:
    """Whether each mask of a list has a box, upright or oriented."""
    rows = value.mask_rows
    return rows is not None and anchors.boxes_in(value) is not None and not (rows & WITHOUT_BOX).any()


def _together(value: ImageValue, boxes: BoxBinding | None) -> ImageValue:
    """What is left of boxes, masks and outlines where these are of the same instances: those that all of them have."""
    polygons = value.polygons
    outlines = (polygons is not None and polygons.with_boxes, polygons is not None and polygons.with_masks)
    pairs = [
        *([("boxes", "polygons")] if outlines[0] else []),
        *([("masks", "polygons")] if outlines[1] else []),
        *([("boxes", "masks")] if value.boxes is None and _with_boxes(value) else []),
    ]
    for pair in (*pairs, *pairs):  # what goes with one partner goes with the other, too
        one, other = (_left(value, kind, boxes) for kind in pair)
        gone = np.setxor1d(one, other)
        for kind in pair if len(gone) else ():
            value = _without(value, kind, gone)
    return value


def _left(value: ImageValue, kind: str, boxes: BoxBinding | None) -> Numbers:
    """Numbers of the instances that have something left of one kind of labels."""
    if kind == "polygons":
        return cast(Polygons, value.polygons).left()
    if kind == "masks":
        return cast(Numbers, value.mask_rows) & (WITHOUT_BOX - 1)
    if value.boxes is not None:
        return value.boxes.rows
    size = value.pixels.shape[0], value.pixels.shape[1]
    quads = anchors.anchors_of(value, anchors.CORNERS).reshape(-1, 4, 2) + 0.5
    least = (0.0, 0.0) if boxes is None else (boxes.min_area, boxes.min_visibility)
    return left_in_view(quads, size, *least)


def _without(value: ImageValue, kind: str, gone: Numbers) -> ImageValue:
    """The value without what it has of some instances in one kind of labels."""
    if kind == "polygons":
        return replace(value, polygons=without(cast(Polygons, value.polygons), gone))
    if kind == "masks":
        rows = cast(Numbers, value.mask_rows)
        stays = ~np.isin(rows & (WITHOUT_BOX - 1), gone)
        return replace(value, masks=cast(Mask, value.masks)[stays], mask_rows=rows[stays])
    return anchors.without_boxes(replace(value, boxes=_boxes_without(value.boxes, gone)), gone)


def _boxes_without(boxes: Boxes | None, gone: Numbers) -> Boxes | None:
    if boxes is None:
        return None
    left = ~np.isin(boxes.rows, gone)
    return replace(boxes, corners=boxes.corners[left], rows=boxes.rows[left])


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
    boxes = _boxes_without(value.boxes, rows[~stays])
    return replace(value, masks=masks[stays], mask_rows=rows[stays], boxes=boxes)


def _tightened(value: ImageValue) -> ImageValue:
    """Each box around what is left of its mask, or of its outline; boxes that have none stay."""
    boxes, polygons = value.boxes, value.polygons
    if boxes is not None and value.masks is not None and value.mask_rows is not None:
        return replace(value, boxes=_around_masks(boxes, value.masks, value.mask_rows))
    if boxes is not None and polygons is not None and polygons.with_boxes:
        found = extents_of(polygons)
        corners = [found.get(row, own) for row, own in zip(boxes.rows.tolist(), boxes.corners, strict=True)]
        return replace(value, boxes=replace(boxes, corners=np.array(corners, np.float64).reshape(-1, 4)))
    return value


def _around_masks(boxes: Boxes, masks: Mask, rows: Numbers) -> Boxes:
    places = {number: place for place, number in enumerate(rows.tolist())}
    repeated = len(np.unique(boxes.rows)) < len(boxes.rows)
    corners = boxes.corners.copy()
    for n, number in enumerate(boxes.rows.tolist()):
        if number in places:
            mask = masks[places[number]]
            found = _extent(cut_to(mask, corners[n]) if repeated else mask)
            corners[n] = corners[n] if found is None else found
    return replace(boxes, corners=corners)


def _extent(mask: Mask) -> NDArray[np.float64] | None:
    """Edges of the pixels of a mask: x_min, y_min, x_max, y_max; None for an empty one."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return None
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], np.float64)
