"""Pixels of all frames of a clip moved alike, and the boxes with them, by OpenCV."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.labels.filters import kept_boxes
from transforms.values import Boxes, VideoValue
from transforms.video.pixel_aspect import aspect_after

Matrix = NDArray[np.float64]
Offsets = NDArray[np.float32]


def affine(clip: VideoValue, matrix: Matrix) -> VideoValue:
    """All frames through a (2, 3) matrix of pixel edges, on the same canvas; new ground is black."""
    height, width = clip.frames.shape[1:3]
    centres = matrix.copy()  # OpenCV counts pixels from their centres
    centres[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5
    frames = np.empty_like(clip.frames)
    for number, frame in enumerate(clip.frames):
        cv2.warpAffine(frame, centres, (width, height), dst=frames[number], flags=cv2.INTER_LINEAR)
    aspect = aspect_after(clip.pixel_aspect, np.asarray(np.linalg.inv(matrix[:, :2]), np.float64))
    return replace(clip, frames=frames, boxes=_turned(clip.boxes, matrix, height, width), pixel_aspect=aspect)


def resized(clip: VideoValue, height: int, width: int, interpolation: int) -> VideoValue:
    """All frames scaled to a size."""
    count, before_height, before_width = clip.frames.shape[:3]
    frames = np.empty((count, height, width, 3), np.uint8)
    for number, frame in enumerate(clip.frames):
        cv2.resize(frame, (width, height), dst=frames[number], interpolation=interpolation)
    matrix = np.array([[width / before_width, 0, 0], [0, height / before_height, 0]])
    aspect = aspect_after(clip.pixel_aspect, np.linalg.inv(matrix[:, :2]))
    return replace(clip, frames=frames, boxes=_turned(clip.boxes, matrix, height, width), pixel_aspect=aspect)


def cropped(clip: VideoValue, top: int, left: int, height: int, width: int) -> VideoValue:
    """The same window of all frames. Raises ValueError where it does not lie inside of them."""
    whole_height, whole_width = clip.frames.shape[1:3]
    if height > whole_height or width > whole_width:
        raise ValueError(f"a crop of {width} x {height} exceeds the clip's {whole_width} x {whole_height}")
    frames = np.ascontiguousarray(clip.frames[:, top : top + height, left : left + width])
    matrix = np.array([[1.0, 0, -left], [0, 1.0, -top]])
    return replace(clip, frames=frames, boxes=_turned(clip.boxes, matrix, height, width))


def flipped(clip: VideoValue, axis: int) -> VideoValue:
    """All frames mirrored: `axis` 2 swaps left and right, 1 swaps top and bottom."""
    height, width = clip.frames.shape[1:3]
    matrix = np.array([[-1.0, 0, width], [0, 1, 0]]) if axis == 2 else np.array([[1.0, 0, 0], [0, -1, height]])
    frames = np.ascontiguousarray(np.flip(clip.frames, axis))
    return replace(clip, frames=frames, boxes=_turned(clip.boxes, matrix, height, width))


def displaced(clip: VideoValue, offsets: Offsets, interpolation: int, border: int, fill: float) -> VideoValue:
    """All frames by one field of offsets, (height, width, 2) float32: where, to the right and down, a pixel is from."""
    height, width = clip.frames.shape[1:3]
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    across, down = columns + offsets[:, :, 0], rows + offsets[:, :, 1]
    frames = np.empty_like(clip.frames)
    for number, frame in enumerate(clip.frames):
        cv2.remap(frame, across, down, interpolation, frames[number], border, (fill, fill, fill))
    boxes = None if clip.boxes is None else _sought(clip.boxes, across, down)
    return replace(clip, frames=frames, boxes=boxes)


def _turned(boxes: Boxes | None, matrix: Matrix, height: int, width: int) -> Boxes | None:
    """The boxes around the moved corners of the boxes."""
    if boxes is None:
        return None
    corners = boxes.corners[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) @ matrix[:, :2].T + matrix[:, 2]
    around = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return kept_boxes(replace(boxes, corners=around), height, width)


def _sought(boxes: Boxes, across: Offsets, down: Offsets) -> Boxes:
    """The boxes around the pixels that come from inside of the boxes; boxes of which no pixel is left are dropped."""
    height, width = across.shape
    found, kept = [], []
    for number, (left, top, right, bottom) in enumerate(boxes.corners.tolist()):
        inside = (across + 0.5 >= left) & (across + 0.5 <= right) & (down + 0.5 >= top) & (down + 0.5 <= bottom)
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if len(rows):
            found.append((columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
            kept.append(number)
    frames = None if boxes.frames is None else boxes.frames[kept]
    corners = np.array(found, np.float64).reshape(-1, 4)
    return kept_boxes(replace(boxes, corners=corners, rows=boxes.rows[kept], frames=frames), height, width)
