"""albumentations 2.0.8 (MIT, the final release): every class that turns one picture or volume into another.

https://albumentations.ai/docs/ lists the classes. Steps are called directly, without `Compose`, which costs 500 us to
build and draws nothing that a single step would not.
"""

import inspect
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from types import ModuleType
from typing import Any, cast

import numpy as np

from transforms import albumentations_references as extra
from transforms import library_warnings
from transforms.albumentations_geometry import quicken
from transforms.albumentations_labels import from_library, processors, to_library
from transforms.albumentations_refused import NEEDS
from transforms.albumentations_refused import REFUSED as REFUSED
from transforms.albumentations_volumes import NOT_DRAWN, VolumeStep, mend
from transforms.checks import concise, construction_problems, parameter_problems, trial_problems
from transforms.interface import Description, Parameter, StepProblem, Transform
from transforms.philox import PhiloxPair, chance
from transforms.references import OnTrial
from transforms.values import LABEL_KINDS, ImageValue, Value, VolumeValue

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
_MIRRORS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "D4": lambda drawn: drawn["group_element"] in ("h", "r180"),
    "HorizontalFlip": lambda drawn: True,
    "RandomRotate90": lambda drawn: drawn["factor"] == 2,
    "SquareSymmetry": lambda drawn: drawn["group_element"] in ("h", "r180"),
}
_ADVICE = re.compile(r"specialized version|is an alias|special case of|very slow")
_CONSTANT = re.compile(r"cv2\.(BORDER|INTER)_[A-Z0-9_]+")

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # before the import: else it asks the network for updates


@cache
def names() -> tuple[str, ...]:
    """Every class that a recipe may name, sorted."""
    from albumentations.core.transforms_interface import BasicTransform

    public = vars(_library()).items()
    return tuple(
        sorted(
            name
            for name, cls in public
            if inspect.isclass(cls) and issubclass(cls, BasicTransform) and name not in REFUSED
        )
    )


def modality(name: str) -> str:
    """Give `volume` for the 3D classes, `image` for all others."""
    return "volume" if _is_solid(name) else "image"


def modalities(name: str) -> frozenset[str]:
    """Give what a class works on: all but the 3D classes take pictures, and volumes slice by slice.

    Not slice by slice: classes that look at labels of one picture, at other pictures or at texts.
    """
    if _is_solid(name):
        return frozenset({"volume"})
    return frozenset({"image"} if name in NEEDS or extra.wants_more(name) else {"image", "volume"})


def carries(name: str) -> frozenset[str]:
    """Give the labels that stay right: all of them where nothing moves, else those that the class says it takes."""
    from albumentations import ImageOnlyTransform

    cls = _class(name)
    if issubclass(cls, ImageOnlyTransform) or name in extra.STILL:
        return frozenset(LABEL_KINDS["image"])
    if name in extra.SINGLE:
        return frozenset()
    targets = cls._targets if isinstance(cls._targets, tuple) else (cls._targets,)
    known = {"BBoxes": "boxes", "Keypoints": "keypoints", "Mask": "masks", "Mask3D": "masks"}
    return frozenset(known[target.value] for target in targets if target.value in known)


def needs(name: str) -> frozenset[str]:
    """Give the labels without which the class does nothing."""
    return NEEDS.get(name, frozenset())


def mirrors(name: str, params: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool] | None:
    """Tell of a draw whether it turned left to right: flips, and half turns of the square's symmetries."""
    return _MIRRORS.get(name)


def resources(name: str, params: Mapping[str, Any]) -> dict[str, str]:
    """Give the digests of the pictures and fonts that the parameters name."""
    return extra.resources(name, params)


def places(name: str, params: Mapping[str, Any]) -> tuple[str, ...]:
    """Give the location of the pictures that a reference names."""
    return extra.places(name, params)


def references(name: str, params: Mapping[str, Any]) -> tuple[str, int] | None:
    """Give scope and number of the other training records that a step looks at."""
    return extra.records(name, params)


def describe(name: str) -> Description:
    """Give parameters and docstring of a class."""
    parameters = tuple(
        Parameter(p.name, "" if p.default is p.empty else repr(p.default), _kind(p)) for p in _parameters(name).values()
    )
    return Description(f"albumentations.{name}", modality(name), parameters, inspect.getdoc(_class(name)) or "")


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names against the signature, values by the library's own schema, then call once on a plain value.

    Classes of `SLOW` are not called. Warnings of the constructor are errors, unless they only recommend another class.
    """
    known = _parameters(name)
    found = parameter_problems(
        f"albumentations.{name}",
        params,
        known,
        lambda valid: extra.problems(name, valid) + construction_problems(lambda: _construct(name, valid), _ADVICE),
        extra.hidden(name),
    )
    if found or name in SLOW:
        return found
    trial = modality(name)
    return trial_problems(lambda: OnTrial(build(name, {**params, "p": 1.0})), trial, name in NEEDS)


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; one instance per thread, since it keeps its generators and its last draw."""
    with library_warnings.collected():
        step = _construct(name, params)
    pair = PhiloxPair()
    step.set_random_state(pair.numpy, pair.python)
    volumes = VolumeStep(name, step, pair.seed, _errors())
    return volumes if _is_solid(name) else _ImageStep(name, step, pair.seed, volumes, extra.extras(name, params))


Extras = Callable[[ImageValue, bytes], extra.Extra]


class _ImageStep:
    """One albumentations instance and the pair of generators that it draws from.

    Whether it is applied is decided by `chance(seed) < p`, before anything that costs. If so, the result is that of the
    library called directly, with p=1, after `set_random_state(*transforms.philox.generators(seed))`.
    """

    __slots__ = ("_errors", "_extras", "_keeps_place", "_name", "_p", "_seed", "_step", "_volumes")

    def __init__(
        self, name: str, step: Any, seed: Callable[[bytes], None], volumes: VolumeStep, extras: Extras | None
    ) -> None:
        from albumentations import ImageOnlyTransform

        self._errors = _errors()
        self._name = name
        self._step = step
        self._extras = extras
        self._keeps_place = isinstance(step, ImageOnlyTransform) or name in extra.STILL
        self._p = float(step.p)
        self._seed = seed
        self._volumes = volumes

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to an `ImageValue` or `VolumeValue`; raises ValueError for one that the class cannot take."""
        if not isinstance(value, ImageValue):
            if isinstance(value, VolumeValue) and "volume" in modalities(self._name):
                return self._volumes(value, seed)
            raise TypeError(f"albumentations.{self._name} works on images, not on {type(value).__name__}")
        if chance(seed) >= self._p:
            return value, None
        self._seed(seed)
        step = self._step
        pixels = value.pixels
        labels = {} if self._keeps_place else to_library(value)
        if labels:
            step.set_processors(processors(value))
        more = self._extras(value, seed) if self._extras else _NO_EXTRA
        if more.arguments is None:
            return value, dict(more.recorded)
        result = self._called(pixels, {**labels, **more.arguments})
        drawn = step.params
        if not drawn:
            return value, None
        params = {key: item for key, item in drawn.items() if key not in NOT_DRAWN and item is not None}
        params |= {**more.recorded, **(extra.summary(drawn) if self._extras else {})}
        changed = self._checked(result["image"], pixels)
        if not labels:  # none are bound, or they stay where they are
            return ImageValue(changed, value.boxes, value.keypoints, value.masks), params
        return from_library(result, changed, value), params

    def _called(self, pixels: np.ndarray[Any, Any], arguments: Mapping[str, Any]) -> dict[str, Any]:
        try:
            result: dict[str, Any] = self._step(force_apply=True, image=pixels, **arguments)
        except self._errors as error:
            raise ValueError(f"albumentations.{self._name}, {_shape(pixels)}: {concise(error)}") from error
        return result

    def _checked(self, result: np.ndarray[Any, Any], pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Give the result as (height, width, channels) uint8, or raise ValueError."""
        if result.ndim == 2:
            result = result[:, :, np.newaxis]
        if result.dtype != np.uint8 or result.size == 0:
            raise ValueError(f"albumentations.{self._name} gave {_shape(result)} {result.dtype}, not a uint8 picture")
        if self._keeps_place and result.shape[:2] != pixels.shape[:2]:
            raise ValueError(f"albumentations.{self._name} turned {_shape(pixels)} into {_shape(result)}")
        return result


_NO_EXTRA = extra.Extra({}, {})


@cache
def _errors() -> tuple[type[Exception], ...]:
    """What the library raises for a value that a class cannot take."""
    import cv2
    from albumentations.augmentations.crops.transforms import CropSizeError

    return ValueError, TypeError, NotImplementedError, ArithmeticError, CropSizeError, cv2.error


def _shape(pixels: np.ndarray[Any, Any]) -> str:
    return " x ".join(map(str, pixels.shape))


@cache
def _library() -> ModuleType:
    import albumentations
    import cv2

    cv2.setNumThreads(0)  # the pipeline's processes are the parallelism
    quicken(albumentations.augmentations.geometric.functional)
    mend(albumentations)
    library_warnings.capture("albumentations")
    return cast(ModuleType, albumentations)


@cache
def _is_solid(name: str) -> bool:
    from albumentations.core.transforms_interface import Transform3D

    return issubclass(_class(name), Transform3D)


def _class(name: str) -> Any:
    return vars(_library())[name]


def _parameters(name: str) -> dict[str, inspect.Parameter]:
    return extra.known_parameters(name, _class(name))


def _kind(parameter: inspect.Parameter) -> str:
    if parameter.annotation is parameter.empty:
        return ""
    return inspect.formatannotation(parameter.annotation).strip("'\"")


def _construct(name: str, params: Mapping[str, Any]) -> Any:
    cls = _class(name)
    strict = {"strict": True} if "InitSchema" in vars(cls) else {}
    given = extra.for_library(name, params)
    return cls(**{key: _constant(value) for key, value in given.items()}, **strict)


def _constant(value: Any) -> Any:
    """Read OpenCV's constants, which a config cannot hold: `cv2.INTER_AREA` may be written as text."""
    if not (isinstance(value, str) and _CONSTANT.fullmatch(value)):
        return value
    import cv2

    return getattr(cv2, value.removeprefix("cv2."), value)
