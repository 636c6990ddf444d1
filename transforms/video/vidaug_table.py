"""What `vidaug` may name: names, parameters and meaning are those of vidaug (MIT), the code is our own.

https://github.com/okankop/vidaug. Where the original drops or never draws a frame by an oversight (`InverseOrder`,
`TemporalRandomCrop`), or deforms each frame in its own way (`ElasticTransformation`), it is done as it is described.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from transforms.isolation.philox import PhiloxPair
from transforms.operation_parameters import Spec
from transforms.values import VideoValue
from transforms.video import geometry
from transforms.video.operations import Drawn, Operation
from transforms.video.superpixels import averaged, superpixels
from transforms.video.vidaug_timing import TEMPORAL

Made = tuple[VideoValue, Drawn]
_INTERPOLATION = {
    "nearest": cv2.INTER_NEAREST, "bilinear": cv2.INTER_LINEAR, "bicubic": cv2.INTER_CUBIC, "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}  # fmt: skip
_ORDERS = (
    cv2.INTER_NEAREST, cv2.INTER_LINEAR, cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4, cv2.INTER_LANCZOS4,
)  # fmt: skip
_BORDERS = {
    "constant": cv2.BORDER_CONSTANT, "nearest": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}  # fmt: skip
_POSITIONS = ("c", "tl", "tr", "bl", "br")

cv2.setNumThreads(0)  # the pipeline's processes are the parallelism


def _gaussian_blur(clip: VideoValue, draw: PhiloxPair, sigma: float) -> Made:
    """Blur with a Gaussian kernel of standard deviation `sigma`, in pixels."""
    if not sigma:
        return clip, {}
    return replace(clip, frames=np.stack([cv2.GaussianBlur(frame, (0, 0), sigma) for frame in clip.frames])), {}


def _elastic(clip: VideoValue, draw: PhiloxPair, alpha: float, sigma: float, order: int, **border: Any) -> Made:
    """Move pixels by a smoothed random field (Simard, Steinkraus, Platt 2003), the same one for all frames.

    `alpha`: strength in pixels. `sigma`: smoothness. `order`: 0 nearest, 1-2 linear, 3 cubic, 4-5 Lanczos. `cval`:
    level of new ground where `mode` is constant.
    """
    field = draw.numpy.random((*clip.frames.shape[1:3], 2)) * 2 - 1
    smooth = _smoothed(field, sigma, cv2.BORDER_CONSTANT) * alpha
    offsets = smooth.astype(np.float32)
    return geometry.displaced(clip, offsets, _ORDERS[order], _BORDERS[border["mode"]], border["cval"]), {}


def _piecewise(
    clip: VideoValue,
    draw: PhiloxPair,
    displacement: float,
    displacement_kernel: float,
    displacement_magnification: float,
) -> Made:
    """Move pixels by whole steps of a blurred random field: up to `displacement`, times kernel and magnification."""
    field = (draw.numpy.random((*clip.frames.shape[1:3], 2)) * 2 - 1) * displacement
    smooth = _smoothed(field, displacement_kernel, cv2.BORDER_DEFAULT)
    steps = np.floor(smooth * displacement_magnification * displacement_kernel).astype(np.float32)
    offsets = np.ascontiguousarray(steps[:, :, ::-1])  # rows come first in vidaug
    return geometry.displaced(clip, offsets, cv2.INTER_NEAREST, cv2.BORDER_REPLICATE, 0), {}


def _superpixel(
    clip: VideoValue, draw: PhiloxPair, p_replace: float, n_segments: int, max_size: int, interpolation: str
) -> Made:
    """Replace superpixels by their mean colour, each with chance `p_replace`.

    The superpixels are those of the mean of all frames, found on a picture of at most `max_size` pixels a side.
    """
    labels = superpixels(clip.frames, n_segments, max_size, _INTERPOLATION[interpolation])
    replaced = draw.numpy.random(int(labels.max()) + 1) < p_replace
    return replace(clip, frames=averaged(clip.frames, labels, replaced)), {"replaced": int(replaced.sum())}


def _rotate(clip: VideoValue, draw: PhiloxPair, degrees: Any) -> Made:
    """Rotate about the centre, counterclockwise, by an angle of `degrees`."""
    angle = draw.python.uniform(*_range(degrees))
    height, width = clip.frames.shape[1:3]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    return geometry.affine(clip, matrix), {"angle": angle}


def _resize(clip: VideoValue, draw: PhiloxPair, rate: float, interp: str) -> Made:
    """Scale by a factor of 1 - `rate` .. 1 + `rate`; the clip changes its size."""
    factor = draw.python.uniform(1 - rate, 1 + rate)
    height, width = (max(1, int(side * factor)) for side in clip.frames.shape[1:3])
    return geometry.resized(clip, height, width, _INTERPOLATION[interp]), {"factor": factor}


def _translate(clip: VideoValue, draw: PhiloxPair, x: int, y: int) -> Made:
    """Shift by -`x` .. `x` pixels to the right and -`y` .. `y` down; new ground is black."""
    across, down = draw.python.randint(-x, x), draw.python.randint(-y, y)
    matrix = np.array([[1.0, 0, across], [0, 1.0, down]])
    return geometry.affine(clip, matrix), {"x": across, "y": down}


def _shear(clip: VideoValue, draw: PhiloxPair, x: float, y: float) -> Made:
    """Shear by -`x` .. `x` pixels per row and -`y` .. `y` per column, from the top left corner."""
    across, down = draw.python.uniform(-x, x), draw.python.uniform(-y, y)
    return geometry.affine(clip, np.array([[1.0, across, 0], [down, 1.0, 0]])), {"x": across, "y": down}


def _center_crop(clip: VideoValue, draw: PhiloxPair, size: Any) -> Made:
    """Cut `size` out of the middle."""
    return _corner_crop(clip, draw, size, "c")


def _corner_crop(clip: VideoValue, draw: PhiloxPair, size: Any, crop_position: str | None) -> Made:
    """Cut `size` out of a corner (tl, tr, bl, br) or the middle (c); without `crop_position` one of them is drawn."""
    height, width = _size(size)
    spare = clip.frames.shape[1] - height, clip.frames.shape[2] - width
    position = crop_position or draw.python.choice(_POSITIONS)
    top, left = {
        "c": (round(spare[0] / 2), round(spare[1] / 2)),
        "tl": (0, 0), "tr": (0, spare[1]), "bl": (spare[0], 0), "br": spare,
    }[position]  # fmt: skip
    return geometry.cropped(clip, top, left, height, width), {"crop_position": position}


def _random_crop(clip: VideoValue, draw: PhiloxPair, size: Any) -> Made:
    """Cut `size` out of a random place, the same in all frames."""
    height, width = _size(size)
    top = draw.python.randint(0, max(0, clip.frames.shape[1] - height))
    left = draw.python.randint(0, max(0, clip.frames.shape[2] - width))
    return geometry.cropped(clip, top, left, height, width), {"x": left, "y": top}


def _horizontal_flip(clip: VideoValue, draw: PhiloxPair) -> Made:
    """Swap left and right."""
    return geometry.flipped(clip, 2), {}


def _vertical_flip(clip: VideoValue, draw: PhiloxPair) -> Made:
    """Swap top and bottom."""
    return geometry.flipped(clip, 1), {}


def _invert(clip: VideoValue, draw: PhiloxPair) -> Made:
    """Invert all colours."""
    return replace(clip, frames=255 - clip.frames), {}


def _add(clip: VideoValue, draw: PhiloxPair, value: float) -> Made:
    """Add `value` to all levels."""
    return _through_levels(clip, np.arange(256) + value), {}


def _multiply(clip: VideoValue, draw: PhiloxPair, value: float) -> Made:
    """Multiply all levels by `value`."""
    return _through_levels(clip, np.arange(256) * value), {}


def _pepper(clip: VideoValue, draw: PhiloxPair, ratio: int) -> Made:
    """Make one of `ratio` pixels black, others in each frame."""
    return _speckled(clip, draw, ratio, 0), {}


def _salt(clip: VideoValue, draw: PhiloxPair, ratio: int) -> Made:
    """Make one of `ratio` pixels white, others in each frame."""
    return _speckled(clip, draw, ratio, 255), {}


def _range(given: Any) -> tuple[float, float]:
    return tuple(given) if isinstance(given, tuple | list) else (-given, given)


def _size(given: Any) -> tuple[int, int]:
    height, width = given if isinstance(given, tuple | list) else (given, given)
    return height, width


def _smoothed(field: NDArray[np.float64], sigma: float, border: int) -> NDArray[np.float64]:
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma, borderType=border)) if sigma else field


def _through_levels(clip: VideoValue, levels: NDArray[np.floating[Any]]) -> VideoValue:
    table = np.clip(levels, 0, 255).astype(np.uint8)
    return replace(clip, frames=table[clip.frames])


def _speckled(clip: VideoValue, draw: PhiloxPair, ratio: int, level: int) -> VideoValue:
    frames = clip.frames.copy()
    for frame in frames:
        frame[draw.numpy.integers(ratio, size=frame.shape[:2]) == 0] = level
    return replace(clip, frames=frames)


_CROP = {"size": Spec("size", low=1, high=65_535)}
_PICTURES: Mapping[str, tuple[Any, Mapping[str, Spec]]] = {
    "Add": (_add, {"value": Spec("number", 0, -255, 255)}),
    "CenterCrop": (_center_crop, _CROP),
    "CornerCrop": (_corner_crop, {**_CROP, "crop_position": Spec("choice", None, choices=_POSITIONS)}),
    "ElasticTransformation": (
        _elastic,
        {
            "alpha": Spec("number", 0, 0, 10_000),
            "sigma": Spec("number", 0, 0, 1000),
            "order": Spec("whole", 3, 0, 5),
            "cval": Spec("number", 0, 0, 255),
            "mode": Spec("choice", "constant", choices=tuple(_BORDERS)),
        },
    ),
    "GaussianBlur": (_gaussian_blur, {"sigma": Spec("number", low=0, high=100)}),
    "HorizontalFlip": (_horizontal_flip, {}),
    "InvertColor": (_invert, {}),
    "Multiply": (_multiply, {"value": Spec("number", 1.0, 0, 255)}),
    "Pepper": (_pepper, {"ratio": Spec("whole", 100, 1, 2**31 - 1)}),
    "PiecewiseAffineTransform": (
        _piecewise,
        {
            "displacement": Spec("number", 0, 0, 10_000),
            "displacement_kernel": Spec("number", 0, 0, 1000),
            "displacement_magnification": Spec("number", 0, 0, 10_000),
        },
    ),
    "RandomCrop": (_random_crop, _CROP),
    "RandomResize": (
        _resize,
        {"rate": Spec("number", 0.0, 0, 0.99), "interp": Spec("choice", "bilinear", choices=tuple(_INTERPOLATION))},
    ),
    "RandomRotate": (_rotate, {"degrees": Spec("range", low=-360, high=360)}),
    "RandomShear": (_shear, {"x": Spec("number", low=0, high=10), "y": Spec("number", low=0, high=10)}),
    "RandomTranslate": (_translate, {"x": Spec("whole", 0, 0, 65_535), "y": Spec("whole", 0, 0, 65_535)}),
    "Salt": (_salt, {"ratio": Spec("whole", 100, 1, 2**31 - 1)}),
    "Superpixel": (
        _superpixel,
        {
            "p_replace": Spec("number", 0, 0, 1),
            "n_segments": Spec("whole", low=1, high=10_000),
            "max_size": Spec("whole", 360, 8, 4096),
            "interpolation": Spec("choice", "bilinear", choices=("bilinear", "nearest")),
        },
    ),
    "VerticalFlip": (_vertical_flip, {}),
}
OPERATIONS: Mapping[str, Operation] = {
    name: Operation(call, call.__doc__ or "", parameters)
    for name, (call, parameters) in {**_PICTURES, **TEMPORAL}.items()
}
