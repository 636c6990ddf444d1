"""The library itself: loaded once, its classes, their parameters, and what they raise."""

import inspect
import os
import re
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any, cast

from transforms.albumentations import references as extra
from transforms.albumentations.speedups import quicken
from transforms.albumentations.volumes import mend
from transforms.isolation import library_warnings
from transforms.isolation.blocked_imports import left_out

_CONSTANT = re.compile(r"cv2\.(BORDER|INTER)_[A-Z0-9_]+")

os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # before the import: else it asks the network for updates


@cache
def errors() -> tuple[type[Exception], ...]:
    """What the library raises for a value that a class cannot take."""
    import cv2
    from albumentations.augmentations.crops.transforms import CropSizeError

    return ValueError, TypeError, NotImplementedError, ArithmeticError, CropSizeError, cv2.error


@cache
def loaded() -> ModuleType:
    """Give the library, with its threads off, its warnings caught, and what is slow or broken in it mended."""
    import cv2

    with left_out("torch"):  # a second, for two classes that make tensors
        import albumentations
    cv2.setNumThreads(0)  # the pipeline's processes are the parallelism
    quicken(albumentations.augmentations)
    mend(albumentations)
    library_warnings.capture("albumentations")
    return cast(ModuleType, albumentations)


@cache
def is_solid(name: str) -> bool:
    """Whether it is one of the 3D classes."""
    cls = class_of(name)
    from albumentations.core.transforms_interface import Transform3D

    return issubclass(cls, Transform3D)


def class_of(name: str) -> Any:
    """Give a class by its name."""
    return vars(loaded())[name]


def parameters_of(name: str) -> dict[str, inspect.Parameter]:
    """Give the parameters that a config may name."""
    return extra.known_parameters(name, class_of(name))


def kind_of(parameter: inspect.Parameter) -> str:
    """Give a parameter's annotation as text."""
    if parameter.annotation is parameter.empty:
        return ""
    return inspect.formatannotation(parameter.annotation).strip("'\"")


def construct(name: str, params: Mapping[str, Any]) -> Any:
    """Make an instance of a class. Raises what the library raises."""
    cls = class_of(name)
    strict = {"strict": True} if "InitSchema" in vars(cls) else {}
    given = extra.for_library(name, params)
    return cls(**{key: _constant(value) for key, value in given.items()}, **strict)


def _constant(value: Any) -> Any:
    """Read OpenCV's constants, which a config cannot hold: `cv2.INTER_AREA` may be written as text."""
    if not (isinstance(value, str) and _CONSTANT.fullmatch(value)):
        return value
    import cv2

    return getattr(cv2, value.removeprefix("cv2."), value)
