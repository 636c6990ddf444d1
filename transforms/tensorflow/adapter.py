"""TensorFlow (Apache-2.0): the functions of `tf.image` that turn one picture into another.

https://www.tensorflow.org/api_docs/python/tf/image describes them. Names and parameters are TensorFlow's own; each also
takes `p` (1), the probability that it is applied at all. Functions named `stateless_random_*` get the step's own seed;
their twins `random_*` draw from TensorFlow's global state and are refused. Pictures go in as uint8; where a function
gives floating point numbers, they are rounded (half to even) and clipped. Functions that change colours leave an alpha
channel as it is; those that know only RGB get a grey picture as RGB, and its first channel is the result.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.adapter_checks import concise, nearest, parameter_problems, trial_problems
from transforms.interface import Description, Parameter, StepProblem, Transform
from transforms.isolation.philox import chance
from transforms.tensorflow.labels import moved
from transforms.tensorflow.refused import REFUSED as REFUSED
from transforms.tensorflow.runtime import rounded, tensorflow
from transforms.values import LABEL_KINDS, ImageValue, Value

DISTRIBUTIONS = ("tensorflow-cpu", "tensorflow", "numpy")
_PREFIX = "image."
_SIZED = frozenset({"image.crop_to_bounding_box", "image.pad_to_bounding_box", "image.stateless_random_crop"})
_NOT_OURS = frozenset({"image", "images", "value", "name", "seed"})
_LEFT_OUT = {
    "name": "names a node in a graph: leave it out",
    "seed": "comes from the run's seed, for each copy anew: leave it out",
}
_P = inspect.Parameter("p", inspect.Parameter.KEYWORD_ONLY, default=1.0)


@cache
def _functions() -> Mapping[str, Any]:
    from transforms.tensorflow.table import FUNCTIONS

    return {f"{_PREFIX}{name}": function for name, function in FUNCTIONS.items()}


@cache
def names() -> tuple[str, ...]:
    """Every function that a recipe may name, sorted: `image.resize` for `tf.image.resize`."""
    return tuple(sorted(_functions()))


def modality(name: str) -> str:
    """Give `image`, for every function."""
    return "image"


def mirrors(name: str, params: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool] | None:
    """Tell of a draw whether it turned left to right."""
    if name == "image.stateless_random_flip_left_right":
        return lambda drawn: bool(drawn["flipped"])
    half_turn = name == "image.rot90" and params.get("k", 1) % 4 == 2
    return (lambda drawn: True) if half_turn or name == "image.flip_left_right" else None


def carries(name: str) -> frozenset[str]:
    """Give all kinds: every function leaves pixels in their places, or moves them along straight lines."""
    return frozenset(LABEL_KINDS["image"])


def describe(name: str) -> Description:
    """Give parameters and docstring of a function."""
    specs = _functions()[name].parameters
    listed = (
        Parameter(p.name, "" if p.default is p.empty else repr(p.default), _kind(specs.get(p.name)))
        for p in _parameters(name).values()
    )
    return Description(f"tf.{name}", "image", tuple(listed), inspect.getdoc(_function(name)) or "")


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names against the signature, types and ranges against the table, then call once on a picture.

    Functions that want pictures of a certain size are not called.
    """
    function = _functions()[name]

    def values(valid: Mapping[str, Any]) -> list[StepProblem]:
        given = {key: value for key, value in valid.items() if key != "p"}
        found = [found for key, value in given.items() if (found := _problem(key, value, function.parameters[key]))]
        return found or _order_problems(function.order, given)

    found = parameter_problems(f"tf.{name}", params, _parameters(name), values, _LEFT_OUT)
    return found or ([] if name in _SIZED else trial_problems(lambda: build(name, {**params, "p": 1.0}), "image"))


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step."""
    return _TensorStep(name, params)


class _TensorStep:
    """One function with its parameters. The result is that of the function with `seed=tf_seed(seed)`."""

    __slots__ = ("_call", "_errors", "_function", "_name", "_p", "_params", "_seeded")

    def __init__(self, name: str, params: Mapping[str, Any]) -> None:
        raised = ValueError, TypeError, NotImplementedError, ArithmeticError, LookupError, AttributeError
        self._errors = (*raised, tensorflow().errors.OpError)
        self._name, self._function, self._call = name, _functions()[name], _function(name)
        self._params = {key: value for key, value in params.items() if key != "p"}
        self._p = float(params.get("p", 1.0))
        self._seeded = "stateless" in name

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to an `ImageValue`; raises ValueError for a picture that the function cannot take."""
        if not isinstance(value, ImageValue):
            raise TypeError(f"tf.{self._name} works on images, not on {type(value).__name__}")
        if chance(seed) >= self._p:
            return value, None
        try:
            return self._applied(value, seed)
        except self._errors as error:
            shape = " x ".join(map(str, value.pixels.shape))
            raise ValueError(f"tf.{self._name}, {shape}: {concise(error)}") from error

    def _applied(self, value: ImageValue, seed: bytes) -> tuple[ImageValue, dict[str, Any]]:
        function, pixels, pair = self._function, value.pixels, tf_seed(seed)
        size, channels = pixels.shape[:2], pixels.shape[2]
        params = {**self._params, "seed": pair} if self._seeded else dict(self._params)
        if self._name == "image.stateless_random_crop" and len(params["size"]) == 2:
            params["size"] = [*params["size"], channels]
        result = self._taken(rounded(self._call(self._given(pixels), **params).numpy()), pixels)
        told: dict[str, Any] = {} if function.draw is None else function.draw(size, self._params, pair)
        motion = function.move(size, {**self._params, **told}) if function.move else None
        if self._seeded:
            told["seed"] = list(pair)
        return moved(value, result, [motion] if motion else []), told

    def _given(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The channels that the function sees."""
        if self._function.rgb and pixels.shape[2] == 1:
            return np.repeat(pixels, 3, axis=2)
        return pixels[:, :, :3] if self._function.move is None else pixels

    def _taken(self, result: NDArray[np.uint8], pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The result with as many channels as the picture had; a grey one of a coloured picture stays in them."""
        channels = pixels.shape[2]
        if result.shape[2] < min(channels, 3):
            result = np.repeat(result, 3, axis=2)
        if channels == 4 and self._function.move is None:
            return np.concatenate([result, pixels[:, :, 3:]], axis=2)
        return np.ascontiguousarray(result[:, :, :channels])


def tf_seed(seed: bytes) -> tuple[int, int]:
    """Give the pair that a function draws from: the 16 bytes as two little-endian signed 64 bit numbers."""
    first, second = np.frombuffer(seed, "<i8").tolist()
    return first, second


def _function(name: str) -> Callable[..., Any]:
    function: Callable[..., Any] = getattr(tensorflow().image, name.removeprefix(_PREFIX))
    return function


def _parameters(name: str) -> dict[str, inspect.Parameter]:
    signature = inspect.signature(_function(name)).parameters
    return {**{key: p for key, p in signature.items() if key not in _NOT_OURS}, "p": _P}


_KINDS = {"number": "number", "whole": "whole number", "flag": "true or false", "sizes": "[height, width]"}


def _kind(spec: Any) -> str:
    if spec is None:
        return "number 0..1"
    return " | ".join(choice or repr(choice) for choice in spec.choices) or _KINDS[spec.kind]


def _problem(key: str, value: Any, spec: Any) -> StepProblem | None:
    message = _CHECKS[spec.kind](value, spec)
    if not message:
        return None
    close = nearest(str(value), spec.choices) if spec.choices else ""
    return StepProblem((key,), f"{key}: {value!r} {message}", close)


def _number_problem(value: Any, spec: Any) -> str:
    fits = int if spec.kind == "whole" else (int, float)
    if isinstance(value, bool) or not isinstance(value, fits):
        return f"is no {_KINDS[spec.kind]}"
    return "" if spec.low <= value <= spec.high else f"is not within {spec.low:g}..{spec.high:g}"


def _sizes_problem(value: Any, spec: Any) -> str:
    whole = isinstance(value, list | tuple) and all(type(n) is int and 1 <= n <= 65_500 for n in value)
    return "" if whole and len(value) in (2, 3) else "is not [height, width] in pixels"


_CHECKS: Mapping[str, Callable[[Any, Any], str]] = {
    "number": _number_problem,
    "whole": _number_problem,
    "sizes": _sizes_problem,
    "flag": lambda value, spec: "" if isinstance(value, bool) else "is not true or false",
    "choice": lambda value, spec: "" if value in spec.choices else f"is not one of {', '.join(spec.choices)}",
}


def _order_problems(order: tuple[str, str] | None, given: Mapping[str, Any]) -> list[StepProblem]:
    if order is None or given[order[0]] < given[order[1]]:
        return []
    return [StepProblem((order[1],), f"{order[1]}: {given[order[1]]!r} is not larger than {order[0]}")]
