"""torchvision.transforms.v2 (BSD-3-Clause): every class that turns one uint8 picture into another.

https://docs.pytorch.org/vision/stable/transforms.html lists the classes. Each draw is `make_params`, each application
`transform`: the library's own two halves of a call. Classes without a `p` of their own take one (1).
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from transforms.adapter_checks import concise, construction_problems, parameter_problems, trial_problems
from transforms.interface import Description, Parameter, StepProblem, Transform
from transforms.isolation import library_warnings
from transforms.isolation.philox import chance
from transforms.isolation.torch_random import seeded
from transforms.torchvision.classes import (
    COLOURS,
    DRAWN_WHILE_APPLIED,
    INTERLEAVED,
    NEEDS,
    PLACE_KEEPERS,
    POLICIES,
)
from transforms.torchvision.classes import REFUSED as REFUSED
from transforms.torchvision.labels import from_library, moved, sanitized, to_library
from transforms.torchvision.parameters import arguments, refused_parameters, shown, signature, value_problems
from transforms.values import LABEL_KINDS, ImageValue, Value

DISTRIBUTIONS = ("torch", "torchvision", "numpy")
# Loading starts no thread where OMP_NUM_THREADS is 1, as in the process that workers are forked from; the first
# operations might, so none runs before the fork, and `_library` asks for one thread before it does.
PRELOAD = ("torchvision.transforms.v2",)
_OWN_CHANCE = "RandomPhotometricDistort"  # its p is for each of its parts
_TRIALS = 8
_LARGER = "larger than"

Pixels = np.ndarray[Any, Any]


@cache
def names() -> tuple[str, ...]:
    """Every class that a recipe may name, sorted."""
    library = _library()
    public = vars(library).items()
    return tuple(
        sorted(
            name
            for name, cls in public
            if inspect.isclass(cls) and issubclass(cls, library.Transform) and name not in REFUSED
        )
    )


def modality(name: str) -> str:
    """Give `image`, for every class."""
    return "image"


def mirrors(name: str, params: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool] | None:
    """Tell of a draw whether it turned left to right."""
    return (lambda drawn: True) if name == "RandomHorizontalFlip" else None


def carries(name: str) -> frozenset[str]:
    """Give all kinds, but none for classes that pick among operations: the library refuses labels there."""
    return frozenset() if name in POLICIES else frozenset(LABEL_KINDS["image"])


def bends(name: str) -> bool:
    """Tell of the one class that bends straight lines."""
    return name == "ElasticTransform"


def needs(name: str) -> frozenset[str]:
    """Give the labels without which the class does nothing."""
    return NEEDS.get(name, frozenset())


def describe(name: str) -> Description:
    """Give parameters and docstring of a class."""
    refused = refused_parameters(name)
    listed = tuple(Parameter(key, *shown(name, p)) for key, p in _parameters(name).items() if key not in refused)
    return Description(f"torchvision.{name}", "image", listed, inspect.getdoc(_class(name)) or "")


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names against the signature and values, construct, then call with some seeds on a 512 x 512 picture."""

    def construct(valid: Mapping[str, Any]) -> list[StepProblem]:
        return value_problems(name, valid) or construction_problems(lambda: _construct(name, valid))

    title = f"torchvision.{name}"
    found = parameter_problems(title, params, _parameters(name), construct, refused_parameters(name))
    return found or trial_problems(lambda: _often(build(name, {**params, "p": 1.0})), "image", name in NEEDS)


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; one instance per thread, since some keep what they drew."""
    with library_warnings.collected():
        return _ImageStep(name, params)


class _ImageStep:
    """One torchvision instance.

    Whether it is applied is decided by `chance(seed) < p`, before anything that costs. If so, the result is that of the
    library called directly, with p=1, after `torch.manual_seed(torch_random.torch_seed(seed))`.
    """

    __slots__ = ("_chance", "_draws_p", "_errors", "_interleaved", "_name", "_operations", "_p", "_step", "_tensor")

    def __init__(self, name: str, params: Mapping[str, Any]) -> None:
        self._name = name
        self._step = _construct(name, params)
        torch = import_module("torch")
        self._tensor, self._chance = torch.from_numpy, torch.rand
        self._draws_p = hasattr(self._step, "p") and name != _OWN_CHANCE
        self._p = 1.0 if name == _OWN_CHANCE else float(params.get("p", getattr(self._step, "p", 1.0)))
        self._interleaved = name in INTERLEAVED and not str(params.get("interpolation")).startswith("nearest")
        self._errors = (ValueError, TypeError, RuntimeError, NotImplementedError, ArithmeticError, IndexError)
        self._operations: dict[str, Any] = {}
        if name in POLICIES:
            _record(self._step, self._operations)

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to an `ImageValue`; raises ValueError for a picture that the class cannot take."""
        if not isinstance(value, ImageValue):
            raise TypeError(f"torchvision.{self._name} works on images, not on {type(value).__name__}")
        if chance(seed) >= self._p:
            return value, None
        try:
            if self._name == "SanitizeBoundingBoxes":
                return sanitized(self._step, value)
            return self._applied(value, seed)
        except self._errors as error:
            raise ValueError(f"torchvision.{self._name}, {_shape(value.pixels)}: {concise(error)}") from error

    def _applied(self, value: ImageValue, seed: bytes) -> tuple[ImageValue, dict[str, Any]]:
        pixels = value.pixels
        if self._name in POLICIES and pixels.shape[2] == 4:
            raise ValueError("works on 1 or 3 channels, not on 4")
        apart = pixels.shape[2] == 4 and self._name in COLOURS
        picture = self._picture(pixels[:, :, :3] if apart else pixels)
        labels = {} if self._name in PLACE_KEEPERS else to_library(value)
        if self._name in DRAWN_WHILE_APPLIED:
            made, drawn = self._at_once(picture, seed)
        else:
            drawn = self._draw([picture, *labels.values()], seed)
            made = self._step.transform(picture, drawn)
        changed = _checked(made)
        if apart:
            changed = _with_alpha(changed, pixels[:, :, 3:])
        if self._name in PLACE_KEEPERS or self._name in POLICIES:
            return ImageValue(changed, value.boxes, value.keypoints, value.masks), _plain(drawn)
        still = moved(self._step, labels, drawn, value.mask_rows is not None)
        return from_library(still, changed, value), _plain(drawn)

    def _draw(self, inputs: list[Any], seed: bytes) -> dict[str, Any]:
        step = self._step
        step.check_inputs(inputs)
        if self._name == "RandomIoUCrop" and not len(inputs[1]):
            return {}  # "leave it as it is": the library would draw until that comes
        with seeded(seed):
            if self._draws_p:
                self._chance(1)  # as the library does before each draw, for its p
            drawn: dict[str, Any] = step.make_params(inputs)
        return drawn

    def _at_once(self, picture: Any, seed: bytes) -> tuple[Any, dict[str, Any]]:
        self._operations.clear()
        with seeded(seed):
            made = self._step(picture)
        return made, dict(self._operations)

    def _picture(self, pixels: Pixels) -> Any:
        """A tensor (channels, height, width) of the pixels, in the layout in which this class is fast."""
        if self._interleaved and pixels.flags.writeable and pixels.flags.c_contiguous:
            return self._tensor(pixels).permute(2, 0, 1)
        return self._tensor(_planes(pixels))


def _planes(pixels: Pixels) -> Pixels:
    """A copy of the pixels, (channels, height, width): 20 us for 256 x 256 RGB, numpy alone takes 50."""
    import cv2

    return np.stack(cv2.split(pixels))


def _checked(picture: Any) -> Pixels:
    """The pixels of a tensor (channels, height, width), or ValueError if it is no uint8 picture."""
    import cv2

    planes: Pixels = picture.numpy()
    if planes.dtype != np.uint8 or planes.ndim != 3 or planes.size == 0 or planes.shape[0] not in (1, 3, 4):
        raise ValueError(f"gave {_shape(planes)} {planes.dtype}, not a uint8 picture")
    pixels = planes.transpose(1, 2, 0)
    if pixels.strides[2] == 1:  # interleaved already
        return np.ascontiguousarray(pixels)
    merged: Pixels = cv2.merge([np.ascontiguousarray(plane) for plane in planes])
    return merged[:, :, np.newaxis] if merged.ndim == 2 else merged


def _with_alpha(colours: Pixels, alpha: Pixels) -> Pixels:
    """Colours, or grey, with the alpha that the picture had."""
    return np.concatenate([np.broadcast_to(colours, (*colours.shape[:2], 3)), alpha], axis=2)


def _plain(drawn: Mapping[str, Any]) -> dict[str, Any]:
    """Drawn parameters without tensors, and without those that were not drawn."""
    return {
        key: value.numpy() if hasattr(value, "numpy") else value for key, value in drawn.items() if value is not None
    }


def _record(step: Any, record: dict[str, Any]) -> None:
    """Note what a class picks, which it keeps to itself: operations with their magnitudes, and AugMix's weights."""
    apply = step._apply_image_or_video_transform

    def applied(image: Any, operation: str, magnitude: float, **rest: Any) -> Any:
        record.setdefault("operations", []).append([operation, magnitude])
        return apply(image, operation, magnitude, **rest)

    step._apply_image_or_video_transform = applied
    if hasattr(step, "_sample_dirichlet"):
        sample = step._sample_dirichlet

        def sampled(parameters: Any) -> Any:
            weights = sample(parameters)
            record.setdefault("weights", []).append(weights.flatten().tolist())
            return weights

        step._sample_dirichlet = sampled


def _often(step: Transform) -> Transform:
    """The step, called with some seeds: what fails may be drawn seldom. A crop that needs a larger picture is right."""

    def call(value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        result: tuple[Value, dict[str, Any] | None] = (value, None)
        for number in range(_TRIALS):
            try:
                result = step(value, bytes([number]) + seed[1:])
            except ValueError as error:
                if _LARGER not in str(error):
                    raise
        return result

    return call


def _shape(pixels: Pixels) -> str:
    return " x ".join(map(str, pixels.shape))


@cache
def _library() -> ModuleType:
    library = import_module("torchvision.transforms.v2")
    import_module("torch").set_num_threads(1)  # the pipeline's processes are the parallelism
    library_warnings.capture("torchvision")
    return library


def _class(name: str) -> Any:
    return vars(_library())[name]


def _parameters(name: str) -> dict[str, inspect.Parameter]:
    return signature(_class(name))


def _construct(name: str, params: Mapping[str, Any]) -> Any:
    cls = _class(name)
    own = inspect.signature(cls).parameters
    return cls(**arguments({key: value for key, value in params.items() if key != "p" or key in own}))
