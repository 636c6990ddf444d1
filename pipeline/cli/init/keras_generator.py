"""Arguments of Keras' old `ImageDataGenerator` -> steps of today, for `fanbeam init --from-image-data-generator`.

https://www.tensorflow.org/api_docs/python/tf/keras/preprocessing/image/ImageDataGenerator describes them. The steps are
albumentations': they are always installed, faster than Keras' layers, and draw from the same ranges. What differs:
zooms are drawn evenly in size rather than in its inverse, shears by the tangent of the angle instead of its sine, and
shifted colours are clipped to 0..255 instead of to the picture's own darkest and lightest level. Where Keras' last
releases do not do what their documentation says, the steps do: `height_shift_range` shifts up and down (there it shifts
sideways), and the middle of a picture that is no square is its middle.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.errors import Problem, UsageError, nearest

OPTION = "--from-image-data-generator"
_BORDERS = {"constant": 0, "nearest": 1, "reflect": 2, "wrap": 3}
_INTERPOLATIONS = {0: 0, 1: 1, 2: 2, 3: 2, 4: 2, 5: 2}
_TRAINING = "outputs are encoded pictures of 0..255"
_STATISTICS = "its statistics are those of the data that the model sees"
_LEFT = {
    "rescale": f"{_TRAINING}: multiply after reading them",
    "featurewise_center": _STATISTICS,
    "featurewise_std_normalization": _STATISTICS,
    "samplewise_center": _TRAINING,
    "samplewise_std_normalization": _TRAINING,
    "zca_whitening": _STATISTICS,
    "zca_epsilon": _STATISTICS,
    "preprocessing_function": "a config holds no functions: call it after reading the pictures",
    "data_format": "pictures are files: who reads them decides on the order of axes",
    "dtype": f"{_TRAINING}: convert after reading them",
}


@dataclass(frozen=True, slots=True)
class Translation:
    """What the arguments become: `steps` as lines of YAML, the share for validation, notes on what is left."""

    steps: tuple[str, ...]
    validation: float | None
    left: tuple[str, ...]


def translated(text: str) -> Translation:
    """Translate the arguments, written as a JSON object. Raises UsageError with every problem."""
    given = {key: value for key, value in _read(text).items() if value is not None}
    problems = [*_unknown(given), *_unusable(given)]
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
        raise UsageError(f"{OPTION}: {count}", tuple(problems))
    left = [f"{key}: {why}" for key, why in _LEFT.items() if given.get(key)]
    steps = (f"- {name}: {{{', '.join(_pairs(params))}}}" for name, params in _steps(given))
    return Translation((*_one_of_lines(given), *steps), given.get("validation_split") or None, tuple(left))


def _read(text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
    except ValueError as error:
        hint = (
            'Write it as {"rotation_range": 40, "horizontal_flip": true}: double quotes, true and false in lower case.'
        )
        raise UsageError(f"{OPTION} is no JSON: {error}. {hint}") from error
    if not isinstance(given, dict):
        raise UsageError(f"{OPTION} must be a JSON object of arguments, not {type(given).__name__}")
    return given


def _unknown(given: Mapping[str, Any]) -> Iterator[Problem]:
    known = [*_CHECKS, *_LEFT]
    for key in given:
        if key not in known:
            yield Problem(OPTION, f"ImageDataGenerator has no argument {key!r}.", nearest(key, known))


def _unusable(given: Mapping[str, Any]) -> Iterator[Problem]:
    for key, (right, told) in _CHECKS.items():
        if key in given and not right(given[key]):
            yield Problem(OPTION, f"{key}: {given[key]!r} is not {told}.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")


def _is_size(value: object) -> bool:
    return _is_number(value) and value >= 0  # type: ignore[operator]


def _is_range(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_size, value)) and value[0] <= value[1]


def _is_shift(value: object) -> bool:
    return _is_size(value) or (isinstance(value, list) and bool(value) and all(map(_is_number, value)))


def _is_zoom(value: object) -> bool:
    return (_is_size(value) and value < 1) or (_is_range(value) and value[0] > 0)  # type: ignore[operator, index]


_NUMBER = (_is_size, "a number of at least 0")
_SHIFT = (_is_shift, "a share of the side below 1, a number of pixels, or a list of either")
_FLAG = (lambda value: isinstance(value, bool), "true or false")
_CHECKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "rotation_range": _NUMBER,
    "width_shift_range": _SHIFT,
    "height_shift_range": _SHIFT,
    "brightness_range": (_is_range, "[lowest, highest]"),
    "shear_range": (lambda value: _is_size(value) and value < 90, "an angle of 0 to 90 degrees"),
    "zoom_range": (_is_zoom, "a number below 1, or [lowest, highest] above 0"),
    "channel_shift_range": (lambda value: _is_size(value) and value <= 255, "a number in 0..255"),
    "fill_mode": (lambda value: value in tuple(_BORDERS), f"one of {', '.join(_BORDERS)}"),
    "cval": (lambda value: _is_size(value) and value <= 255, "a number in 0..255"),
    "horizontal_flip": _FLAG,
    "vertical_flip": _FLAG,
    "validation_split": (lambda value: _is_size(value) and value < 1, "a share of at least 0 and below 1"),
    "interpolation_order": (lambda value: type(value) is int and value in _INTERPOLATIONS, "a whole number in 0..5"),
}


def _steps(given: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """In the order of the generator: geometry, colours, flips, brightness."""
    warp = _warp(given)
    if warp:
        yield "albumentations.Affine", {**warp, **_edges(given), "p": 1}
    pixels = _shifts(given, "translate_px")
    if pixels:
        yield "albumentations.Affine", {"translate_px": pixels, **_edges(given), "p": 1}
    shift = given.get("channel_shift_range")
    if shift:
        limits = _around(shift / 255)
        yield (
            "albumentations.RandomBrightnessContrast",
            {"brightness_limit": limits, "contrast_limit": [0, 0], "p": 1},
        )
    for key, name in (("horizontal_flip", "HorizontalFlip"), ("vertical_flip", "VerticalFlip")):
        if given.get(key):
            yield f"albumentations.{name}", {"p": 0.5}
    if "brightness_range" in given:
        factors = {"brightness": given["brightness_range"], "contrast": [1, 1], "saturation": [1, 1], "hue": [0, 0]}
        yield "albumentations.ColorJitter", {**factors, "p": 1}


def _warp(given: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if given.get("rotation_range"):
        found["rotate"] = _around(given["rotation_range"])
    if shares := _shifts(given, "translate_percent"):
        found["translate_percent"] = shares
    if given.get("shear_range"):
        found["shear"] = {"x": _around(given["shear_range"]), "y": [0, 0]}
    if given.get("zoom_range"):
        zoom = given["zoom_range"]
        lowest, highest = zoom if isinstance(zoom, list) else (1 - zoom, 1 + zoom)
        found["scale"] = {axis: [_short(1 / highest), _short(1 / lowest)] for axis in ("x", "y")}
    return found


def _shifts(given: Mapping[str, Any], unit: str) -> dict[str, list[float]]:
    """Shifts in pixels or in shares of the side, for both axes; nothing where there are none of that unit."""
    found: dict[str, list[float]] = {}
    for axis, key in (("x", "width_shift_range"), ("y", "height_shift_range")):
        size = given.get(key)
        if not size or isinstance(size, list) or (unit == "translate_percent") != (size < 1):
            continue
        reach = size if size < 1 else int(size) - isinstance(size, int)  # a whole number is one more than the furthest
        if reach:
            found[axis] = _around(reach)
    return {axis: found.get(axis, [0, 0]) for axis in ("x", "y")} if found else {}


def _one_of_lines(given: Mapping[str, Any]) -> Iterator[str]:
    """Shifts that are given as a list: one of its elements, one way or the other."""
    for axis, key in (("x", "width_shift_range"), ("y", "height_shift_range")):
        choices = given.get(key)
        if not isinstance(choices, list):
            continue
        unit = "translate_percent" if max(choices) < 1 else "translate_px"
        other = "y" if axis == "x" else "x"
        yield "- one_of:"
        for choice in (sign * _pixels(size, unit) for size in choices for sign in (1, -1)):
            params = {unit: {axis: [choice, choice], other: [0, 0]}, **_edges(given), "p": 1}
            yield f"    - albumentations.Affine: {{{', '.join(_pairs(params))}}}"


def _pixels(size: float, unit: str) -> float:
    return round(size) if unit == "translate_px" else size


def _edges(given: Mapping[str, Any]) -> dict[str, Any]:
    mode = given.get("fill_mode", "nearest")
    fill = {"fill": given.get("cval", 0)} if mode == "constant" else {}
    order = given.get("interpolation_order", 1)
    smooth = {} if order == 1 else {"interpolation": _INTERPOLATIONS[order]}
    return {"border_mode": _BORDERS[mode], **fill, **smooth}


def _around(size: float) -> list[float]:
    return [-_short(size), _short(size)]


def _short(number: float) -> float:
    return number if isinstance(number, int) else float(f"{number:.6g}")


def _pairs(params: Mapping[str, Any]) -> Iterator[str]:
    """Parameters in YAML's flow style."""
    for key, value in params.items():
        if isinstance(value, dict):
            yield f"{key}: {{{', '.join(_pairs(value))}}}"
        else:
            yield f"{key}: {json.dumps(value)}"
