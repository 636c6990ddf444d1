"""Labels on their way through albumentations: boxes relative to the picture, points with angle and scale, masks.

Steps are called without `Compose`, so what its processors do is done here, by the library's own functions: boxes are
clipped to the picture and filtered, points outside of it are dropped.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from transforms.labels.filters import kept_keypoints
from transforms.values import Boxes, ImageValue, Keypoints

Arrays = dict[str, Any]


def to_library(value: ImageValue) -> Arrays:
    """Arguments for a step, of the precision that `Compose` gives them; the entry's number comes last."""
    given: Arrays = {}
    if value.boxes is not None:
        from albumentations.core.bbox_utils import normalize_bboxes

        shape = value.pixels.shape[:2]
        corners = value.boxes.corners.astype(np.float32)
        numbered = _numbered(normalize_bboxes(corners, shape) if len(corners) else corners)
        given["bboxes"] = numbered.astype(np.float32)
    if value.keypoints is not None:
        points = value.keypoints.points.astype(np.float32)
        rest = np.tile(np.array([0, 0, 1], np.float32), (len(points), 1))  # depth, angle, scale
        given["keypoints"] = _numbered(np.concatenate([points, rest], axis=1))
    if value.masks is not None and len(value.masks):
        given["masks"] = list(value.masks)
        given["mask"] = value.masks[0] if len(value.masks) == 1 else _one_mask(value.masks)  # some only look at this
    return given


def _one_mask(masks: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Instances in one picture, numbered from 1; later ones lie over earlier ones."""
    numbers = np.arange(1, len(masks) + 1, dtype=np.uint16)[:, np.newaxis, np.newaxis]
    whole: np.ndarray[Any, Any] = ((masks != 0) * numbers).max(axis=0)
    return whole.astype(np.uint8) if len(masks) < 256 else whole


def from_library(
    result: Mapping[str, Any], pixels: np.ndarray[Any, Any], before: ImageValue, hides: bool = False
) -> ImageValue:
    """The new value: labels back in pixels of the new picture, with their numbers.

    `hides`: points that the step took away lie where they were, only covered.
    """
    points = _points(result, pixels, before, hides)
    return ImageValue(pixels, _boxes(result, pixels, before), points, _masks(result, before))


def processors(value: ImageValue) -> dict[str, Any]:
    """What `Compose` tells its steps of the labels: dropouts ask when a box is hidden too far."""
    found = {} if value.boxes is None else {"bboxes": _box_processor(value.boxes.min_area, value.boxes.min_visibility)}
    return found if value.keypoints is None else {**found, "keypoints": _point_processor()}


@lru_cache(maxsize=16)
def _box_processor(min_area: float, min_visibility: float) -> Any:
    from albumentations.core.bbox_utils import BboxParams, BboxProcessor

    return BboxProcessor(BboxParams("albumentations", min_area=min_area, min_visibility=min_visibility))


@cache
def _point_processor() -> Any:
    from albumentations.core.keypoints_utils import KeypointParams, KeypointsProcessor

    return KeypointsProcessor(KeypointParams("xy"))


def _boxes(result: Mapping[str, Any], pixels: np.ndarray[Any, Any], before: ImageValue) -> Boxes | None:
    from albumentations.core.bbox_utils import denormalize_bboxes, filter_bboxes

    boxes = before.boxes
    if boxes is None:
        return None
    shape = {"height": pixels.shape[0], "width": pixels.shape[1]}
    found = np.asarray(result["bboxes"]).reshape(-1, 5)
    left = filter_bboxes(found, shape, boxes.min_area, boxes.min_visibility, 0.0, 0.0)
    if not len(left):
        return _chosen(boxes, np.zeros((0, 4)), np.zeros(0, np.int64))
    corners = denormalize_bboxes(left[:, :4].astype(np.float64), pixels.shape[:2])
    return _chosen(boxes, corners, left[:, 4].astype(np.int64))


def _chosen(boxes: Boxes, corners: np.ndarray[Any, Any], entries: np.ndarray[Any, Any]) -> Boxes:
    """The entries that are left, at their new places."""
    frames = None if boxes.frames is None else boxes.frames[entries]
    return replace(boxes, corners=corners, rows=boxes.rows[entries], frames=frames)


def _points(
    result: Mapping[str, Any], pixels: np.ndarray[Any, Any], before: ImageValue, hides: bool
) -> Keypoints | None:
    from albumentations.core.keypoints_utils import filter_keypoints

    points = before.keypoints
    if points is None:
        return None
    if points.visible is not None:
        return _all_points(np.asarray(result["keypoints"]).reshape(-1, 6), points, pixels, hides)
    shape = {"height": pixels.shape[0], "width": pixels.shape[1]}
    left = filter_keypoints(np.asarray(result["keypoints"]).reshape(-1, 6), shape, remove_invisible=True)
    return Keypoints(left[:, :2].astype(np.float64), points.rows[left[:, 5].astype(np.int64)])


def _all_points(found: np.ndarray[Any, Any], points: Keypoints, pixels: np.ndarray[Any, Any], hides: bool) -> Keypoints:
    """All points in their order; those that the step lost track of are not a number."""
    places = points.points.copy() if hides else np.full_like(points.points, np.nan)
    numbers = found[:, 5].astype(np.int64)
    places[numbers] = found[:, :2]
    there = np.zeros(len(places), np.bool_)
    there[numbers] = True
    seen = there if points.visible is None else points.visible & there
    return kept_keypoints(replace(points, points=places, visible=seen), *pixels.shape[:2])


def _masks(result: Mapping[str, Any], before: ImageValue) -> np.ndarray[Any, Any] | None:
    if before.masks is None or not len(before.masks):
        return before.masks
    return np.stack([np.asarray(mask) for mask in result["masks"]])


def _numbered(entries: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.concatenate([entries, np.arange(len(entries), dtype=np.float64)[:, np.newaxis]], axis=1)
