"""Labels that follow a picture through TensorFlow's geometry, by one matrix for boxes, keypoints and masks.

Keras' own code for bounding boxes is not used: it crops x by the offset of y, keeps the order of layers instead of the
order of operations, and knows no keypoints.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from transforms.labels.filters import kept_boxes, kept_keypoints
from transforms.tensorflow.runtime import tensorflow
from transforms.values import Boxes, ImageValue, Keypoints

Matrix = NDArray[np.float64]
_HALF = 0.5
_EPSILON = 1e-9


@dataclass(frozen=True, slots=True)
class Motion:
    """Where pixels come from.

    `matrix` (3 x 3) takes a place of the new picture to its place in the old one, (x, y, 1) with pixel centres at whole
    numbers; `size` is the (height, width) of the new picture; `fill_mode` says what lies beyond the old one's edges:
    constant, reflect, wrap, nearest.
    """

    matrix: Matrix
    size: tuple[int, int]
    fill_mode: str = "constant"


def affine(rows: Sequence[float], size: tuple[int, int], fill_mode: str = "constant") -> Motion:
    """Make a motion of the first six or eight numbers of its matrix, as TensorFlow writes them."""
    numbers = [*rows, 0.0, 0.0][:8]
    return Motion(np.array([*numbers, 1.0], np.float64).reshape(3, 3), size, fill_mode)


def crop(left: int, top: int, size: tuple[int, int]) -> Motion:
    """A part of the picture, or with negative offsets the picture on a larger ground."""
    return affine([1, 0, left, 0, 1, top], size)


def resize(before: tuple[float, float], after: tuple[int, int], left: float = 0.0, top: float = 0.0) -> Motion:
    """The part of `before` = (height, width) pixels at (left, top), stretched to `after`.

    Pixels are areas: the edges of the part become the edges of the result.
    """
    down, right = before[0] / after[0], before[1] / after[1]
    return affine([right, 0, left + (right - 1) / 2, 0, down, top + (down - 1) / 2], after)


def on_ground(motion: Motion, left: int, top: int, size: tuple[int, int]) -> Motion:
    """The result of a motion, laid at (left, top) on a larger ground."""
    return Motion(motion.matrix @ crop(-left, -top, size).matrix, size)


def moved(value: ImageValue, pixels: NDArray[np.uint8], motions: Sequence[Motion]) -> ImageValue:
    """The new picture with the labels of the old one, moved by each motion in turn.

    Where new ground shows the picture again, masks of class numbers do so too; those of instances stay with their box.
    """
    for motion in motions:
        ground = motion if value.mask_rows is None else replace(motion, fill_mode="constant")
        value = replace(
            value,
            boxes=None if value.boxes is None else _boxes(value.boxes, motion),
            keypoints=None if value.keypoints is None else _keypoints(value.keypoints, motion),
            masks=None if value.masks is None else _masks(value.masks, ground),
        )
    return replace(value, pixels=pixels)


def _boxes(boxes: Boxes, motion: Motion) -> Boxes:
    """The boxes around the moved corners of the boxes, clipped and filtered."""
    corners = boxes.corners[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) - _HALF
    places, weights = _forwards(corners, motion.matrix)
    around = np.concatenate([places.min(axis=1), places.max(axis=1)], axis=1) + _HALF
    for row in np.flatnonzero((weights.min(axis=1) <= _EPSILON) & (weights.max(axis=1) >= -_EPSILON)):
        around[row] = _visible(boxes.corners[row], motion)
    return kept_boxes(replace(boxes, corners=around), *motion.size)


def _keypoints(points: Keypoints, motion: Motion) -> Keypoints:
    return kept_keypoints(replace(points, points=_forwards(points.points, motion.matrix)[0]), *motion.size)


def _forwards(points: Matrix, matrix: Matrix) -> tuple[Matrix, Matrix]:
    """Places of old points in the new picture, with their homogeneous weights; infinite where the weight is 0."""
    there = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1) @ np.linalg.inv(matrix).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return there[..., :2] / there[..., 2:], there[..., 2]


def _visible(corners: Matrix, motion: Motion) -> Matrix:
    """The box around those new pixels that come out of an old box which the horizon cuts in two; empty if none does."""
    height, width = motion.size
    y, x = np.mgrid[0:height, 0:width]
    there = np.stack([x, y, np.ones_like(x)], axis=-1) @ motion.matrix.T
    with np.errstate(divide="ignore", invalid="ignore"):
        edges = there[..., :2] / there[..., 2:] + _HALF
    rows, columns = np.nonzero(((edges >= corners[:2]) & (edges < corners[2:])).all(axis=-1))
    if not len(rows):
        return np.zeros(4)
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], np.float64)


def _masks(masks: NDArray[np.generic], motion: Motion) -> NDArray[np.generic]:
    """Masks by the operation that Keras moves pixels with: the nearest pixel, class 0 on new ground."""
    if not len(masks):
        return np.zeros((0, *motion.size), masks.dtype)
    tf = tensorflow()
    result = tf.raw_ops.ImageProjectiveTransformV3(
        images=masks.astype(np.int32)[..., np.newaxis],
        transforms=(motion.matrix / motion.matrix[2, 2]).reshape(1, 9)[:, :8].astype(np.float32),
        output_shape=np.array(motion.size, np.int32),
        fill_value=0.0,
        interpolation="NEAREST",
        fill_mode=motion.fill_mode.upper(),
    )
    planes: NDArray[np.generic] = result.numpy()[..., 0].astype(masks.dtype)
    return planes
