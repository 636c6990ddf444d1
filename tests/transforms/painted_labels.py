"""A picture on which the labels themselves are painted: after any step, they must lie where the paint lies."""

from typing import Any

import numpy as np
import pytest

from transforms.interface import Transform
from transforms.values import Boxes, ImageValue, Keypoints

HEIGHT, WIDTH = 60, 90


def painted() -> ImageValue:
    """A white rectangle on black, with its box, the middle as a keypoint and the mask of class 700."""
    mask = np.zeros((1, HEIGHT, WIDTH), np.uint16)
    mask[0, 20:40, 30:60] = 700
    pixels = np.repeat((mask[0] > 0)[:, :, np.newaxis] * np.uint8(255), 3, axis=2)
    boxes = Boxes(np.array([[30.0, 20, 60, 40]]), np.array([5]))
    return ImageValue(pixels, boxes, Keypoints(np.array([[44.5, 29.5]]), np.array([7])), mask)


def assert_labels_follow(step: Transform, seed: bytes, loose: float = 1.2, middle: float = 0.6) -> ImageValue:
    """The labels are where the white pixels went; `middle`: how far the keypoint may be from their mean."""
    result, _ = step(painted(), seed)
    assert isinstance(result, ImageValue)
    assert result.boxes is not None
    assert result.keypoints is not None
    assert result.masks is not None
    assert result.masks.dtype == np.uint16
    assert result.masks.shape == (1, *result.pixels.shape[:2])
    white: np.ndarray[Any, Any] = result.pixels[:, :, 0] > 127
    ys, xs = np.nonzero(white)
    assert ((result.masks[0] == 700) != white).sum() <= 0.12 * len(xs)
    if len(xs) < 20:  # next to nothing of it is left
        return result
    assert result.boxes.rows.tolist() == [5]
    found = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
    assert result.boxes.corners[0] == pytest.approx(found, abs=loose)
    whole = xs.min() > 0 and ys.min() > 0 and xs.max() < white.shape[1] - 1 and ys.max() < white.shape[0] - 1
    if whole:
        assert result.keypoints.rows.tolist() == [7]
        assert result.keypoints.points[0] == pytest.approx([xs.mean(), ys.mean()], abs=middle)
    return result
