"""The four ways to write a box, to and from corners in pixels.

`pascal_voc`: x_min, y_min, x_max, y_max in pixels. `coco`: x_min, y_min, width, height in pixels. `albumentations`:
pascal_voc divided by width and height of the picture. `yolo`: centre x, centre y, width, height, divided alike.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.config.labels import BoxFormat

Numbers = NDArray[np.float64]


def to_corners(boxes: Numbers, written: BoxFormat, height: int, width: int) -> Numbers:
    """(n, 4) of a format -> (n, 4) corners in pixels."""
    scaled = boxes * _scale(height, width) if written in ("yolo", "albumentations") else boxes
    if written == "coco":
        return np.concatenate([scaled[:, :2], scaled[:, :2] + scaled[:, 2:]], axis=1)
    if written == "yolo":
        half = scaled[:, 2:] / 2
        return np.concatenate([scaled[:, :2] - half, scaled[:, :2] + half], axis=1)
    return scaled


def from_corners(corners: Numbers, written: BoxFormat, height: int, width: int) -> Numbers:
    """(n, 4) corners in pixels -> (n, 4) of a format."""
    sizes = corners[:, 2:] - corners[:, :2]
    if written == "coco":
        return np.concatenate([corners[:, :2], sizes], axis=1)
    if written == "yolo":
        corners = np.concatenate([corners[:, :2] + sizes / 2, sizes], axis=1)
    return corners / _scale(height, width) if written in ("yolo", "albumentations") else corners


def _scale(height: int, width: int) -> Numbers:
    return np.array([width, height, width, height], np.float64)
