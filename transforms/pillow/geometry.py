"""Pillow's operations that move pixels: for each, the picture, and the matrix that takes old places to new ones.

Every operation here is affine: a 2 x 3 matrix in pixel edges (a picture covers 0..width) says where boxes, points and
masks go.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Matrix = NDArray[np.float64]
Moved = tuple[Image.Image, Matrix]
Size = tuple[int, int]

RESAMPLE = {name.lower(): member for name, member in Image.Resampling.__members__.items()}
TRANSPOSE = {name.lower(): member for name, member in Image.Transpose.__members__.items()}


def resize(image: Image.Image, size: Size, resample: str) -> Moved:
    """To (width, height), whatever the shape was."""
    return image.resize(size, RESAMPLE[resample]), scaling(image.size, size)


def thumbnail(image: Image.Image, size: Size, resample: str) -> Moved:
    """Made smaller to fit into (width, height), never larger; the shape is kept."""
    small = image.copy()
    small.thumbnail(size, RESAMPLE[resample], reducing_gap=None)
    return small, scaling(image.size, small.size)


def contain(image: Image.Image, size: Size, method: str) -> Moved:
    """The largest that fits into (width, height); the shape is kept."""
    made = ImageOps.contain(image, size, RESAMPLE[method])
    return made, scaling(image.size, made.size)


def cover(image: Image.Image, size: Size, method: str) -> Moved:
    """The smallest that covers (width, height); the shape is kept."""
    made = ImageOps.cover(image, size, RESAMPLE[method])
    return made, scaling(image.size, made.size)


def fit(image: Image.Image, size: Size, method: str, bleed: float, centering: tuple[float, float]) -> Moved:
    """Cropped to the shape of (width, height), then resized to it."""
    made = ImageOps.fit(image, size, RESAMPLE[method], bleed, centering)
    width, height = image.size
    inner = width - 2 * bleed * width, height - 2 * bleed * height
    ratio = size[0] / size[1]
    crop = (inner[0], inner[0] / ratio) if inner[0] / inner[1] < ratio else (inner[1] * ratio, inner[1])
    left = bleed * width + (inner[0] - crop[0]) * centering[0]
    top = bleed * height + (inner[1] - crop[1]) * centering[1]
    scale = size[0] / crop[0], size[1] / crop[1]
    return made, np.array([[scale[0], 0, -left * scale[0]], [0, scale[1], -top * scale[1]]])


def pad(image: Image.Image, size: Size, method: str, color: Any, centering: tuple[float, float]) -> Moved:
    """The largest that fits into (width, height), on a ground of `color`."""
    inner, matrix = contain(image, size, method)
    made = ImageOps.pad(image, size, RESAMPLE[method], color, centering)
    matrix[0, 2] = round((size[0] - inner.width) * max(0, min(centering[0], 1)))
    matrix[1, 2] = round((size[1] - inner.height) * max(0, min(centering[1], 1)))
    return made, matrix


def expand(image: Image.Image, border: int, fill: Any) -> Moved:
    """A border of that many pixels on every side."""
    return ImageOps.expand(image, border, fill), shift(border, border)


def crop(image: Image.Image, border: int) -> Moved:
    """That many pixels cut off on every side."""
    if 2 * border >= min(image.size):
        raise ValueError(f"a border of {border} leaves nothing of {image.width} x {image.height}")
    return ImageOps.crop(image, border), shift(-border, -border)


def scale(image: Image.Image, factor: float, resample: str) -> Moved:
    """Width and height times `factor`."""
    if round(factor * image.width) < 1 or round(factor * image.height) < 1:
        raise ValueError(f"a factor of {factor:g} leaves nothing of {image.width} x {image.height}")
    made = ImageOps.scale(image, factor, RESAMPLE[resample])
    return made, scaling(image.size, made.size)


def mirror(image: Image.Image) -> Moved:
    """Left and right exchanged."""
    return ImageOps.mirror(image), np.array([[-1.0, 0, image.width], [0, 1, 0]])


def flip(image: Image.Image) -> Moved:
    """Top and bottom exchanged."""
    return ImageOps.flip(image), np.array([[1.0, 0, 0], [0, -1, image.height]])


def transpose(image: Image.Image, method: str) -> Moved:
    """One of the eight ways to turn a square."""
    w, h = image.size
    matrices: Mapping[str, list[list[float]]] = {
        "flip_left_right": [[-1, 0, w], [0, 1, 0]], "flip_top_bottom": [[1, 0, 0], [0, -1, h]],
        "rotate_90": [[0, 1, 0], [-1, 0, w]], "rotate_180": [[-1, 0, w], [0, -1, h]],
        "rotate_270": [[0, -1, h], [1, 0, 0]], "transpose": [[0, 1, 0], [1, 0, 0]],
        "transverse": [[0, -1, h], [-1, 0, w]],
    }  # fmt: skip
    return image.transpose(TRANSPOSE[method]), np.array(matrices[method], np.float64)


def rotate(image: Image.Image, angle: float, resample: str, expand: bool, fillcolor: Any) -> Moved:
    """Turned counter-clockwise by `angle` degrees about the middle; `expand` makes room for the corners."""
    made = image.rotate(angle, RESAMPLE[resample], expand, fillcolor=fillcolor)
    turn = np.deg2rad(angle)
    matrix = np.array([[np.cos(turn), np.sin(turn), 0.0], [-np.sin(turn), np.cos(turn), 0.0]])
    middle = np.array(image.size) / 2
    matrix[:, 2] = np.array(made.size) / 2 - matrix[:, :2] @ middle
    return made, matrix


def scaling(before: Size, after: Size) -> Matrix:
    """The matrix of a resize."""
    return np.array([[after[0] / before[0], 0, 0], [0, after[1] / before[1], 0]])


def shift(x: float, y: float) -> Matrix:
    """The matrix of a shift."""
    return np.array([[1.0, 0, x], [0, 1, y]])


GEOMETRY = cast(
    "Mapping[str, Callable[..., Moved]]",
    {
        "Contain": contain, "Cover": cover, "Crop": crop, "Expand": expand, "Fit": fit, "Flip": flip, "Mirror": mirror,
        "Pad": pad, "Resize": resize, "Rotate": rotate, "Scale": scale, "Thumbnail": thumbnail, "Transpose": transpose,
    },
)  # fmt: skip
