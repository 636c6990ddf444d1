"""What every step does to labels in the end: clip boxes to the picture, drop what is not in it any more.

The rules are those of albumentations (`filter_bboxes`, `filter_keypoints`), so that recipes may mix libraries.
"""

from dataclasses import replace

import numpy as np

from transforms.values import Boxes, Keypoints

_EPSILON = 1e-7


def kept_boxes(boxes: Boxes, height: int, width: int) -> Boxes:
    """Boxes clipped to a picture of `height` x `width`; dropped are those that `Boxes` says."""
    bounds = np.array([width, height, width, height], np.float64)
    clipped = np.clip(boxes.corners, 0.0, bounds)
    before, after = _areas(boxes.corners), _areas(clipped)
    kept = (before >= _EPSILON) & (after >= boxes.min_area - _EPSILON) & (after > 0)
    kept &= after / (before + _EPSILON) >= boxes.min_visibility
    frames = None if boxes.frames is None else boxes.frames[kept]
    return replace(boxes, corners=clipped[kept], rows=boxes.rows[kept], frames=frames)


def kept_keypoints(points: Keypoints, height: int, width: int) -> Keypoints:
    """Points that lie in a picture of `height` x `width`; the others are dropped, or where all stay not visible."""
    x, y = points.points[:, 0], points.points[:, 1]
    kept = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    if points.visible is not None:
        return replace(points, visible=points.visible & kept)
    return Keypoints(points.points[kept], points.rows[kept])


def kept_points_3d(points: Keypoints, depth: int, height: int, width: int) -> Keypoints:
    """Points that lie in a volume of `depth` x `height` x `width`."""
    sizes = np.array([width, height, depth], np.float64)
    kept = ((points.points >= 0) & (points.points < sizes)).all(axis=1)
    return Keypoints(points.points[kept], points.rows[kept])


def _areas(corners: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    sizes = np.maximum(corners[:, 2:] - corners[:, :2], 0.0)
    areas: np.ndarray[tuple[int], np.dtype[np.float64]] = sizes[:, 0] * sizes[:, 1]
    return areas
