"""Labels on their way through torchvision: `BoundingBoxes`, `KeyPoints` and `Mask`, each moved by the step's own draw.

The library never drops or reorders a label, it only marks boxes by taking their area. So rows stay beside, and what is
dropped is dropped by `label_filters`, as after the steps of every library.
"""

import copy
from collections.abc import Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np

from transforms.labels.filters import kept_boxes, kept_keypoints
from transforms.values import ImageValue

_EXACT = 2**24  # float32, in which the library moves masks, holds whole numbers up to this

Labels = dict[str, Any]


def to_library(value: ImageValue) -> Labels:
    """Bound labels as the library's own types; boxes unclipped, so that it can be seen how much of them is left."""
    torch, types = import_module("torch"), import_module("torchvision.tv_tensors")
    size = value.pixels.shape[:2]
    found: Labels = {}
    if value.boxes is not None:
        corners = torch.tensor(value.boxes.corners.reshape(-1, 4), dtype=torch.float64)
        found["boxes"] = types.BoundingBoxes(corners, format="XYXY", canvas_size=size, clamping_mode=None)
    if value.keypoints is not None:
        points = torch.tensor(value.keypoints.points.reshape(-1, 2), dtype=torch.float64)
        found["keypoints"] = types.KeyPoints(points, canvas_size=size)
    if value.masks is not None and len(value.masks):
        found["masks"] = types.Mask(torch.tensor(_movable(value.masks)))
    return found


def moved(step: Any, labels: Labels, params: dict[str, Any], instances: bool = False) -> Labels:
    """The labels after a step of the library with these drawn parameters. `instances`: whether masks are of one each.

    The library pads boxes and points with constant margins only; where they are depends on no other padding mode.
    Masks of instances stay with their boxes; masks of class numbers are mirrored with the picture.
    """
    plain = step
    if getattr(step, "padding_mode", "constant") != "constant":
        plain = copy.copy(step)
        plain.padding_mode = "constant"
    mirrored = () if instances else ("masks",)
    return {kind: (step if kind in mirrored else plain).transform(label, params) for kind, label in labels.items()}


def from_library(labels: Mapping[str, Any], pixels: np.ndarray[Any, Any], before: ImageValue) -> ImageValue:
    """The new value: labels clipped to the new picture, those outside of it dropped with their rows."""
    height, width = pixels.shape[:2]
    boxes, points, masks = before.boxes, before.keypoints, before.masks
    if boxes is not None:
        boxes = kept_boxes(replace(boxes, corners=_array(labels["boxes"])), height, width)
    if points is not None:
        points = kept_keypoints(replace(points, points=_array(labels["keypoints"])), height, width)
    if masks is not None:
        still = _array(labels["masks"]) if len(masks) else np.zeros((0, height, width))
        masks = np.ascontiguousarray(still.astype(masks.dtype, copy=False))
    return ImageValue(pixels, boxes, points, masks)


def sanitized(step: Any, value: ImageValue) -> tuple[ImageValue, dict[str, Any]]:
    """Drop boxes, with their rows, that `SanitizeBoundingBoxes` would drop after clipping; say how many were left."""
    boxes = value.boxes
    if boxes is None:
        raise TypeError("No bounding boxes were found in the sample")
    inside = replace(value, boxes=kept_boxes(boxes, *value.pixels.shape[:2]))
    functional = import_module("torchvision.transforms.v2.functional")
    sizes = {"min_size": step.min_size, "min_area": step.min_area}
    left, valid = functional.sanitize_bounding_boxes(to_library(inside)["boxes"], **sizes)
    rows = inside.boxes.rows[_array(valid)] if inside.boxes else boxes.rows
    return replace(value, boxes=replace(boxes, corners=_array(left), rows=rows)), {"kept": len(rows)}


def _movable(masks: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    if masks.dtype == np.uint8:
        return masks
    exact = masks.size == 0 or (masks.min() >= -_EXACT and masks.max() <= _EXACT)
    return masks.astype(np.int32 if exact else np.float64)


def _array(tensor: Any) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = tensor.numpy(force=True)
    return array
