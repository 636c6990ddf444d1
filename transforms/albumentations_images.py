"""albumentations 2.0.8 (MIT, the final release): every class that turns one uint8 picture into another.

In a video field a class treats all frames alike: one draw, noise included, by the library's own target `images`.

https://albumentations.ai/docs/ lists the classes. Steps are called directly, without `Compose`, which costs 500 us to
build and draws nothing that a single step would not.
"""

import inspect
import os
import re
from collections.abc import Callable, Mapping
from functools import cache, wraps
from types import ModuleType
from typing import Any, cast

import numpy as np

from transforms import library_warnings
from transforms.albumentations_clips import clip_of, first_picture, treat_frames_as_pictures
from transforms.albumentations_labels import from_library, processors, to_library
from transforms.albumentations_refused import NEEDS
from transforms.albumentations_refused import REFUSED as REFUSED
from transforms.checks import concise, construction_problems, parameter_problems, trial_problems
from transforms.interface import Description, Parameter, StepProblem, Transform
from transforms.philox import PhiloxPair, chance
from transforms.values import LABEL_KINDS, ImageValue, Value, VideoValue

DISTRIBUTIONS = (
    "albumentations",
    "albucore",
    "opencv-python-headless",
    "opencv-python",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
    "numpy",
    "scipy",
    "simsimd",
    "stringzilla",
)
PRELOAD = ("albumentations",)
SLOW = frozenset({"PiecewiseAffine", "RandomFog", "Superpixels"})
_NOT_DRAWN = frozenset({"shape", "interpolation", "fill", "fill_mask", "bbox_matrix"})
_ZERO, _ONE = 1e-8, 1e-8 + 1e-5  # the tolerances of numpy.allclose
_ADVICE = re.compile(r"specialized version|is an alias|special case of|very slow")
_CONSTANT = re.compile(r"cv2\.(BORDER|INTER)_[A-Z0-9_]+")

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # before the import: else it asks the network for updates


@cache
def names() -> tuple[str, ...]:
    """Every class that a recipe may name, sorted."""
    from albumentations.core.transforms_interface import BasicTransform, Transform3D

    public = vars(_library()).items()
    return tuple(
        sorted(
            name
            for name, cls in public
            if inspect.isclass(cls) and issubclass(cls, BasicTransform) and not issubclass(cls, Transform3D)
            if name not in REFUSED
        )
    )


def modality(name: str) -> str:
    """Give `image`, for every class."""
    return "image"


def modalities(name: str) -> tuple[str, ...]:
    """Give `image`, and `video` for classes that need nothing but the frames and their boxes."""
    return ("image", "video") if NEEDS.get(name, frozenset()) <= frozenset(LABEL_KINDS["video"]) else ("image",)


def carries(name: str) -> frozenset[str]:
    """Give the labels that stay right: all of them where nothing moves, else those that the class says it takes."""
    from albumentations import ImageOnlyTransform

    cls = _class(name)
    if issubclass(cls, ImageOnlyTransform):
        return frozenset(LABEL_KINDS["image"])
    targets = cls._targets if isinstance(cls._targets, tuple) else (cls._targets,)
    known = {"BBoxes": "boxes", "Keypoints": "keypoints", "Mask": "masks"}
    return frozenset(known[target.value] for target in targets if target.value in known)


def needs(name: str) -> frozenset[str]:
    """Give the labels without which the class does nothing."""
    return NEEDS.get(name, frozenset())


def describe(name: str) -> Description:
    """Give parameters and docstring of a class."""
    parameters = tuple(
        Parameter(p.name, "" if p.default is p.empty else repr(p.default), _kind(p)) for p in _parameters(name).values()
    )
    return Description(f"albumentations.{name}", "image", parameters, inspect.getdoc(_class(name)) or "")


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names against the signature, values by the library's own schema, then call once on a 512 x 512 picture.

    Classes of `SLOW` are not called. Warnings of the constructor are errors, unless they only recommend another class.
    """
    known = _parameters(name)
    found = parameter_problems(
        f"albumentations.{name}",
        params,
        known,
        lambda valid: construction_problems(lambda: _construct(name, valid), _ADVICE),
    )
    if found or name in SLOW:
        return found
    return trial_problems(lambda: build(name, {**params, "p": 1.0}), "image", name in NEEDS)


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; one instance per thread, since it keeps its generators and its last draw."""
    with library_warnings.collected():
        return _ImageStep(name, _construct(name, params))


class _ImageStep:
    """One albumentations instance and the pair of generators that it draws from.

    Whether it is applied is decided by `chance(seed) < p`, before anything that costs. If so, the result is that of the
    library called directly, with p=1, after `set_random_state(*transforms.philox.generators(seed))`.
    """

    __slots__ = ("_errors", "_keeps_place", "_name", "_p", "_seed", "_step")

    def __init__(self, name: str, step: Any) -> None:
        import cv2
        from albumentations import ImageOnlyTransform
        from albumentations.augmentations.crops.transforms import CropSizeError

        self._errors = (ValueError, TypeError, NotImplementedError, ArithmeticError, CropSizeError, cv2.error)
        self._name = name
        self._step = step
        treat_frames_as_pictures(step)
        self._keeps_place = isinstance(step, ImageOnlyTransform)
        self._p = float(step.p)
        pair = PhiloxPair()
        self._seed = pair.seed
        step.set_random_state(pair.numpy, pair.python)

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to an `ImageValue` or `VideoValue`; raises ValueError for a picture that the class cannot take."""
        if isinstance(value, VideoValue):
            return self._on_frames(value, seed)
        if not isinstance(value, ImageValue):
            raise TypeError(f"albumentations.{self._name} works on images, not on {type(value).__name__}")
        if chance(seed) >= self._p:
            return value, None
        pixels = value.pixels
        labels = {} if self._keeps_place else to_library(value)
        result, params = self._applied("image", pixels, value, labels, seed)
        if params is None:
            return value, None
        changed = self._checked(result["image"], pixels)
        if not labels:  # none are bound, or they stay where they are
            return ImageValue(changed, value.boxes, value.keypoints, value.masks), params
        return from_library(result, changed, value), params

    def _on_frames(self, clip: VideoValue, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """All frames by one draw; boxes of all frames move as those of one picture would."""
        if chance(seed) >= self._p:
            return clip, None
        picture = first_picture(clip)
        labels = {} if self._keeps_place else to_library(picture)
        result, params = self._applied("images", clip.frames, picture, labels, seed)
        if params is None:
            return clip, None
        frames = result["images"]
        self._checked(frames[0], picture.pixels)
        boxes = from_library(result, frames[0], picture).boxes if labels else clip.boxes
        return clip_of(clip, frames, boxes), params

    def _applied(
        self, target: str, pixels: np.ndarray[Any, Any], value: ImageValue, labels: Mapping[str, Any], seed: bytes
    ) -> tuple[Mapping[str, Any], dict[str, Any] | None]:
        """The library's results, and what it drew; None where it had nothing to do."""
        self._seed(seed)
        step = self._step
        if labels:
            step.set_processors(processors(value))
        try:
            result = step(force_apply=True, **{target: pixels}, **labels)
        except self._errors as error:
            raise ValueError(f"albumentations.{self._name}, {_shape(pixels)}: {concise(error)}") from error
        drawn = step.params
        if not drawn:
            return result, None
        return result, {key: item for key, item in drawn.items() if key not in _NOT_DRAWN and item is not None}

    def _checked(self, result: np.ndarray[Any, Any], pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Give the result as (height, width, channels) uint8, or raise ValueError."""
        if result.ndim == 2:
            result = result[:, :, np.newaxis]
        if result.dtype != np.uint8 or result.size == 0:
            raise ValueError(f"albumentations.{self._name} gave {_shape(result)} {result.dtype}, not a uint8 picture")
        if self._keeps_place and result.shape[:2] != pixels.shape[:2]:
            raise ValueError(f"albumentations.{self._name} turned {_shape(pixels)} into {_shape(result)}")
        return result


def _shape(pixels: np.ndarray[Any, Any]) -> str:
    return " x ".join(map(str, pixels.shape))


@cache
def _library() -> ModuleType:
    import albumentations
    import cv2

    cv2.setNumThreads(0)  # the pipeline's processes are the parallelism
    geometry = albumentations.augmentations.geometric.functional
    geometry.is_identity_matrix = _is_identity
    geometry.create_affine_transformation_matrix = _rotations_first(geometry.create_affine_transformation_matrix)
    library_warnings.capture("albumentations")
    return cast(ModuleType, albumentations)


def _is_identity(matrix: np.ndarray[Any, Any]) -> bool:
    """Say the same as the library's own, in 2 us instead of 40: it is asked for every rotation and every shift."""
    (a, b, c), (d, e, f), (g, h, i) = matrix.tolist()
    ones = all(abs(n - 1) <= _ONE for n in (a, e, i))
    return ones and all(abs(n) <= _ZERO for n in (b, c, d, f, g, h))


def _rotations_first(general: Callable[..., np.ndarray[Any, Any]]) -> Callable[..., np.ndarray[Any, Any]]:
    """The library's product of six matrices; where nothing but a rotation is asked for, four of them change no bit.

    Products by 1 and sums with 0 are exact: 3 us instead of 12.
    """

    @wraps(general)
    def affine(translate: Any, shear: Any, scale: Any, rotate: float, shift: Any) -> np.ndarray[Any, Any]:
        plain = translate["x"] == translate["y"] == shear["x"] == shear["y"] == 0 and scale["x"] == scale["y"] == 1
        if not plain:
            return general(translate, shear, scale, rotate, shift)
        angle = np.deg2rad(rotate % 360)
        cosine, sine = np.cos(angle), np.sin(angle)
        right, down = shift
        turned = np.array([[cosine, sine, right], [-sine, cosine, down], [0.0, 0.0, 1.0]])
        matrix: np.ndarray[Any, Any] = turned @ np.array([[1.0, 0.0, -right], [0.0, 1.0, -down], [0.0, 0.0, 1.0]])
        matrix[2] = (0, 0, 1)
        return matrix

    return affine


def _class(name: str) -> Any:
    return vars(_library())[name]


def _parameters(name: str) -> dict[str, inspect.Parameter]:
    return {key: p for key, p in inspect.signature(_class(name)).parameters.items() if key != "strict"}


def _kind(parameter: inspect.Parameter) -> str:
    if parameter.annotation is parameter.empty:
        return ""
    return inspect.formatannotation(parameter.annotation).strip("'\"")


def _construct(name: str, params: Mapping[str, Any]) -> Any:
    cls = _class(name)
    strict = {"strict": True} if "InitSchema" in vars(cls) else {}
    return cls(**{key: _constant(value) for key, value in params.items()}, **strict)


def _constant(value: Any) -> Any:
    """Read OpenCV's constants, which a config cannot hold: `cv2.INTER_AREA` may be written as text."""
    if not (isinstance(value, str) and _CONSTANT.fullmatch(value)):
        return value
    import cv2

    return getattr(cv2, value.removeprefix("cv2."), value)
