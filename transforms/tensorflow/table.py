"""What of `tf.image` a recipe may name: each function's parameters, where its pixels come from, what its seed draws."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from transforms.tensorflow.labels import Motion, affine, crop, on_ground, resize
from transforms.tensorflow.runtime import tensorflow

Size = tuple[int, int]
Kind = Literal["number", "whole", "choice", "flag", "sizes"]


@dataclass(frozen=True, slots=True)
class Spec:
    """What a parameter may be; its default is the function's own."""

    kind: Kind
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()


Draw = Callable[[Size, Mapping[str, Any], Any], dict[str, Any]]
Move = Callable[[Size, Mapping[str, Any]], Motion | None]


@dataclass(frozen=True, slots=True)
class Function:
    """A function of `tf.image`.

    `move` says where pixels come from, given the picture's (height, width), the parameters and what was drawn; None for
    functions that change colours. `draw` repeats what the function draws from its seed. `rgb`: it takes nothing else.
    `order` are two parameters of which the second must be larger.
    """

    parameters: Mapping[str, Spec] = field(default_factory=dict)
    move: Move | None = None
    draw: Draw | None = None
    rgb: bool = False
    order: tuple[str, str] | None = None


def _flip_drawn(size: Size, given: Mapping[str, Any], seed: Any) -> dict[str, Any]:
    return {"flipped": bool(tensorflow().random.stateless_uniform([], seed) < 0.5)}


def _crop_drawn(size: Size, given: Mapping[str, Any], seed: Any) -> dict[str, Any]:
    tf = tensorflow()
    numbers = tf.random.stateless_uniform([3], seed, maxval=tf.int32.max, dtype=tf.int32).numpy()
    top, left = (int(n) % (have - want + 1) for n, have, want in zip(numbers, size, given["size"], strict=False))
    return {"top": top, "left": left}


def _mirrored(size: Size, given: Mapping[str, Any]) -> Motion | None:
    return affine([-1, 0, size[1] - 1, 0, 1, 0], size) if given.get("flipped", True) else None


def _upended(size: Size, given: Mapping[str, Any]) -> Motion | None:
    return affine([1, 0, 0, 0, -1, size[0] - 1], size) if given.get("flipped", True) else None


def _transposed(size: Size, given: Mapping[str, Any]) -> Motion:
    return affine([0, 1, 0, 1, 0, 0], (size[1], size[0]))


def _turned(size: Size, given: Mapping[str, Any]) -> Motion:
    """Counter-clockwise, a quarter at a time."""
    height, width = size
    quarters = (
        affine([1, 0, 0, 0, 1, 0], size),
        affine([0, -1, width - 1, 1, 0, 0], (width, height)),
        affine([-1, 0, width - 1, 0, -1, height - 1], size),
        affine([0, 1, 0, -1, 0, height - 1], (width, height)),
    )
    return quarters[given.get("k", 1) % 4]


def _cropped(size: Size, given: Mapping[str, Any]) -> Motion:
    return crop(given["left"], given["top"], tuple(given["size"][:2]))


def _central(size: Size, given: Mapping[str, Any]) -> Motion:
    top, left = (int((side - side * given["central_fraction"]) / 2) for side in size)
    return crop(left, top, (size[0] - 2 * top, size[1] - 2 * left))


def _part(size: Size, given: Mapping[str, Any]) -> Motion:
    return crop(given["offset_width"], given["offset_height"], _target(given))


def _padded(size: Size, given: Mapping[str, Any]) -> Motion:
    return crop(-given["offset_width"], -given["offset_height"], _target(given))


def _middle(size: Size, given: Mapping[str, Any]) -> Motion:
    top, left = (_middle_offset(wanted - have) for wanted, have in zip(_target(given), size, strict=True))
    return crop(left, top, _target(given))


def _middle_offset(difference: int) -> int:
    return -(difference // 2) if difference > 0 else -difference // 2


def _resized(size: Size, given: Mapping[str, Any]) -> Motion:
    target = tuple(given["size"])
    if given.get("preserve_aspect_ratio"):
        scale = min(np.float32(wanted) / np.float32(have) for wanted, have in zip(target, size, strict=True))
        target = tuple(int(np.rint(scale * np.float32(side))) for side in size)
    return resize(size, (target[0], target[1]))


def _letterboxed(size: Size, given: Mapping[str, Any]) -> Motion:
    target = _target(given)
    ratio = max(np.float32(have) / np.float32(wanted) for have, wanted in zip(size, target, strict=True))
    inner = [np.float32(side) / ratio for side in size]
    top, left = (max(0, int((wanted - side) / 2)) for wanted, side in zip(target, inner, strict=True))
    return on_ground(resize(size, (int(inner[0]), int(inner[1]))), left, top, target)


def _target(given: Mapping[str, Any]) -> Size:
    return given["target_height"], given["target_width"]


_ANY = Spec("number")
_FROM_0 = Spec("number", 0.0)
_QUALITY = Spec("whole", 0, 100)
_SIDE = Spec("whole", 1, 65_500)
_OFFSET = Spec("whole", 0, 65_500)
_FLAG = Spec("flag")
_METHOD = Spec(
    "choice",
    choices=("area", "bicubic", "bilinear", "gaussian", "lanczos3", "lanczos5", "mitchellcubic", "nearest"),
)
_TARGET = {"target_height": _SIDE, "target_width": _SIDE}
_BOX = {"offset_height": _OFFSET, "offset_width": _OFFSET, **_TARGET}
_FACTORS = {"lower": _FROM_0, "upper": _FROM_0}

FUNCTIONS: Mapping[str, Function] = {
    "adjust_brightness": Function({"delta": Spec("number", -1.0, 1.0)}),
    "adjust_contrast": Function({"contrast_factor": _ANY}),
    "adjust_gamma": Function({"gamma": _FROM_0, "gain": _FROM_0}),
    "adjust_hue": Function({"delta": Spec("number", -1.0, 1.0)}, rgb=True),
    "adjust_jpeg_quality": Function(
        {"jpeg_quality": _QUALITY, "dct_method": Spec("choice", choices=("", "INTEGER_FAST", "INTEGER_ACCURATE"))}
    ),
    "adjust_saturation": Function({"saturation_factor": _FROM_0}, rgb=True),
    "central_crop": Function({"central_fraction": Spec("number", 1e-6, 1.0)}, _central),
    "crop_to_bounding_box": Function(_BOX, _part),
    "flip_left_right": Function(move=_mirrored),
    "flip_up_down": Function(move=_upended),
    "pad_to_bounding_box": Function(_BOX, _padded),
    "resize": Function(
        {"size": Spec("sizes"), "method": _METHOD, "preserve_aspect_ratio": _FLAG, "antialias": _FLAG}, _resized
    ),
    "resize_with_crop_or_pad": Function(_TARGET, _middle),
    "resize_with_pad": Function({**_TARGET, "method": _METHOD, "antialias": _FLAG}, _letterboxed),
    "rgb_to_grayscale": Function(rgb=True),
    "rot90": Function({"k": Spec("whole")}, _turned),
    "stateless_random_brightness": Function({"max_delta": Spec("number", 0.0, 1.0)}),
    "stateless_random_contrast": Function(_FACTORS, order=("lower", "upper")),
    "stateless_random_crop": Function({"size": Spec("sizes")}, _cropped, _crop_drawn),
    "stateless_random_flip_left_right": Function(move=_mirrored, draw=_flip_drawn),
    "stateless_random_flip_up_down": Function(move=_upended, draw=_flip_drawn),
    "stateless_random_hue": Function({"max_delta": Spec("number", 0.0, 0.5)}, rgb=True),
    "stateless_random_jpeg_quality": Function(
        {"min_jpeg_quality": _QUALITY, "max_jpeg_quality": _QUALITY}, order=("min_jpeg_quality", "max_jpeg_quality")
    ),
    "stateless_random_saturation": Function(_FACTORS, rgb=True, order=("lower", "upper")),
    "transpose": Function(move=_transposed),
}
