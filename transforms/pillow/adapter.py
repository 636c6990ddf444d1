"""Pillow (MIT-CMU): its operations on whole pictures, for users without OpenCV.

https://pillow.readthedocs.io/ describes `Image`, `ImageOps`, `ImageEnhance` and `ImageFilter`. Names and parameters are
Pillow's own. Its operations draw nothing; a number that is given as `[lo, hi]` is drawn uniformly for each copy, from
`isolation.philox.generators(seed)[1]`, parameters in the order of their names. Every operation takes `p` (1).
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from transforms import operation_parameters
from transforms.adapter_checks import concise, trial_problems
from transforms.interface import Description, StepProblem, Transform
from transforms.isolation.philox import PhiloxPair, chance
from transforms.labels.filters import kept_boxes, kept_keypoints
from transforms.operation_parameters import Check, Given, choice_problem, is_list, number_problem
from transforms.values import LABEL_KINDS, Boxes, ImageValue, Value

DISTRIBUTIONS = ("pillow", "numpy")
PRELOAD = ("transforms.pillow.table",)
_RESAMPLING = ("resample", "method")
_FILLS = ("fill", "fillcolor", "color")


@cache
def _operations() -> Mapping[str, Any]:
    from transforms.pillow.table import OPERATIONS

    return OPERATIONS


@cache
def names() -> tuple[str, ...]:
    """Every operation that a recipe may name, sorted."""
    return tuple(sorted(_operations()))


def modality(name: str) -> str:
    """Give `image`, for every operation."""
    return "image"


def carries(name: str) -> frozenset[str]:
    """Give all kinds: every operation leaves pixels in their places, or is affine."""
    return frozenset(LABEL_KINDS["image"])


def describe(name: str) -> Description:
    """Give parameters and docstring of an operation."""
    operation = _operations()[name]
    return operation_parameters.description(f"pillow.{name}", "image", operation.parameters, _KINDS, operation.doc)


_KINDS = {
    "number": "number or [lo, hi]", "whole": "whole number or [lo, hi]", "size": "[width, height]",
    "pair": "[x, y]", "choice": "name", "flag": "true or false", "colour": "number, name or [r, g, b]",
}  # fmt: skip


def mirrors(name: str, params: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool] | None:
    """Tell of a draw whether it turned left to right: it is the operation, not the draw, that does."""
    turns = name == "Mirror" or (name == "Transpose" and params.get("method") in ("flip_left_right", "rotate_180"))
    return (lambda drawn: True) if turns else None


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names, types and ranges against the table, then call once on a picture."""
    found = operation_parameters.problems(f"pillow.{name}", params, _operations()[name].parameters, _CHECKS)
    return found or trial_problems(lambda: build(name, {**params, "p": 1.0}), "image")


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; one instance per thread, since it keeps its generator."""
    return _PillowStep(name, params)


class _PillowStep:
    """One operation with its parameters."""

    __slots__ = ("_given", "_name", "_operation", "_pair")

    def __init__(self, name: str, params: Mapping[str, Any]) -> None:
        self._name, self._operation = name, _operations()[name]
        self._given = Given(self._operation.parameters, params)
        self._pair = PhiloxPair()

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to an `ImageValue`; raises ValueError for a picture that the operation cannot take."""
        if not isinstance(value, ImageValue):
            raise TypeError(f"pillow.{self._name} works on images, not on {type(value).__name__}")
        if chance(seed) >= self._given.p:
            return value, None
        self._pair.seed(seed)
        drawn = self._given.draw(self._pair.python)
        try:
            result = self._moved(value, drawn) if self._operation.moves else self._recoloured(value, drawn)
        except (ValueError, TypeError, OSError, ZeroDivisionError, OverflowError, MemoryError) as error:
            shape = " x ".join(map(str, value.pixels.shape))
            raise ValueError(f"pillow.{self._name}, {shape}: {concise(error)}") from error
        return result, drawn

    def _moved(self, value: ImageValue, drawn: Mapping[str, Any]) -> ImageValue:
        given = {**self._given.fixed, **drawn}
        image, matrix = self._operation.call(_image(value.pixels), **given)
        pixels = _pixels(image)
        height, width = pixels.shape[:2]
        boxes = None if value.boxes is None else kept_boxes(_turned(value.boxes, matrix), height, width)
        points = value.keypoints
        if points is not None:
            points = kept_keypoints(replace(points, points=_through(points.points, matrix)), height, width)
        return ImageValue(pixels, boxes, points, self._masks(value.masks, given, (height, width)))

    def _masks(self, masks: Any, given: Mapping[str, Any], shape: tuple[int, int]) -> Any:
        """Masks by the same operation: nearest pixels, class 0 on new ground."""
        if masks is None or not len(masks):
            return None if masks is None else np.zeros((0, *shape), masks.dtype)
        plain = {k: "nearest" if k in _RESAMPLING and self._name != "Transpose" else v for k, v in given.items()}
        plain = {k: 0 if k in _FILLS else v for k, v in plain.items()}
        moved = [np.asarray(self._operation.call(_image(mask.astype(np.int32)), **plain)[0]) for mask in masks]
        return np.stack(moved).astype(masks.dtype)

    def _recoloured(self, value: ImageValue, drawn: Mapping[str, Any]) -> ImageValue:
        """Colours by Pillow, alpha as it was; a grey result of a coloured picture stays in its channels."""
        pixels = value.pixels
        given = {k: v for k, v in {**self._given.fixed, **drawn}.items() if v is not None}
        image = _image(pixels[:, :, :3] if pixels.shape[2] == 4 else pixels)
        made = self._operation.call(image, **given)
        changed = _pixels(made)
        if changed.shape[2] < min(pixels.shape[2], 3):
            changed = np.repeat(changed, 3, axis=2)
        if pixels.shape[2] == 4:
            changed = np.concatenate([changed, pixels[:, :, 3:]], axis=2)
        return ImageValue(changed, value.boxes, value.keypoints, value.masks)


def _image(pixels: np.ndarray[Any, Any]) -> Any:
    from PIL import Image

    plane = pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels
    return Image.fromarray(np.ascontiguousarray(plane))


def _pixels(image: Any) -> np.ndarray[Any, Any]:
    pixels = np.array(image)
    if pixels.size == 0:
        raise ValueError("nothing is left of the picture")
    return pixels[:, :, np.newaxis] if pixels.ndim == 2 else pixels


def _through(points: np.ndarray[Any, Any], matrix: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Points, whose whole numbers are pixel centres, through a matrix of pixel edges."""
    moved: np.ndarray[Any, Any] = (points + 0.5) @ matrix[:, :2].T + matrix[:, 2] - 0.5
    return moved


def _turned(boxes: Boxes, matrix: np.ndarray[Any, Any]) -> Boxes:
    """The boxes around the moved corners of the boxes."""
    corners = boxes.corners[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2) @ matrix[:, :2].T + matrix[:, 2]
    around = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    return Boxes(around, boxes.rows, boxes.min_area, boxes.min_visibility, boxes.frames)


def _pair_problem(value: Any, spec: Any) -> str:
    if not (is_list(value) and len(value) == 2 and all(type(n) in (int, float) for n in value)):
        return "is not [x, y]"
    return "" if all(spec.low <= n <= spec.high for n in value) else f"is not within {spec.low:g}..{spec.high:g}"


def _size_problem(value: Any, spec: Any) -> str:
    right = is_list(value) and len(value) == 2 and all(type(n) is int and 1 <= n <= 65_500 for n in value)
    return "" if right else "is not [width, height] in pixels"


def _colour_problem(value: Any, spec: Any) -> str:
    if isinstance(value, str):
        from PIL import ImageColor

        try:
            ImageColor.getrgb(value)
        except ValueError:
            return "is no colour that Pillow knows"
        return ""
    parts = value if is_list(value) else [value]
    right = value is None or (len(parts) in (1, 3, 4) and all(type(n) is int and 0 <= n <= 255 for n in parts))
    return "" if right else "is not 0..255, a colour's name, or [r, g, b]"


_CHECKS: Mapping[str, Check] = {
    "number": number_problem, "whole": number_problem, "pair": _pair_problem, "size": _size_problem,
    "colour": _colour_problem, "flag": lambda value, spec: "" if isinstance(value, bool) else "is not true or false",
    "choice": choice_problem,
}  # fmt: skip
