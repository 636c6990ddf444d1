"""Libraries of operations on clips that are written here: a table of names, parameters and functions makes an adapter.

A number that is given as `[lo, hi]` is drawn uniformly for each copy, parameters in the order of their names, before
the operation draws what it needs itself; all from `transforms.philox.generators(seed)`. Every operation takes `p` (1).
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from transforms.checks import concise, nearest, parameter_problems, trial_problems
from transforms.interface import Description, Parameter, StepProblem
from transforms.philox import PhiloxPair, chance
from transforms.values import Value, VideoValue

REQUIRED = ...
BOTH = frozenset({"boxes", "segments"})
Kind = Literal["number", "whole", "range", "size", "choice"]
Drawn = dict[str, Any]
Call = Callable[..., tuple[VideoValue, Drawn]]


@dataclass(frozen=True, slots=True)
class Spec:
    """A parameter. `number`, `whole`: one number, or `[lo, hi]` to draw from. `range`: `x` for `[-x, x]`, or both ends.

    `size`: whole pixels, one number or `[height, width]`. `choice`: one of `choices`, or null if that is the default.
    """

    kind: Kind
    default: Any = REQUIRED
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Operation:
    """A name of a recipe. `call(clip, draw, **parameters)` gives the new clip and what it drew itself."""

    call: Call
    doc: str
    parameters: Mapping[str, Spec]
    carries: frozenset[str] = BOTH


class ClipStep:
    """One operation with its parameters; one instance per thread, since it keeps its generators."""

    __slots__ = ("_drawn", "_errors", "_fixed", "_name", "_operation", "_p", "_pair")

    def __init__(self, name: str, operation: Operation, params: Mapping[str, Any]) -> None:
        import cv2

        self._errors = (ValueError, TypeError, ArithmeticError, MemoryError, cv2.error)
        self._name, self._operation = name, operation
        specs = operation.parameters
        given = {key: spec.default for key, spec in specs.items()} | {k: v for k, v in params.items() if k != "p"}
        ranges = {key for key, value in given.items() if specs[key].kind in ("number", "whole") and _is_list(value)}
        self._drawn = {key: (specs[key].kind, tuple(given[key])) for key in sorted(ranges)}
        self._fixed = {k: tuple(v) if _is_list(v) else v for k, v in given.items() if k not in ranges}
        self._p = float(params.get("p", 1.0))
        self._pair = PhiloxPair()

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to a `VideoValue`; raises ValueError for a clip that the operation cannot take."""
        if not isinstance(value, VideoValue):
            raise TypeError(f"{self._name} works on videos, not on {type(value).__name__}")
        if chance(seed) >= self._p:
            return value, None
        self._pair.seed(seed)
        draw = self._pair.python
        drawn = {
            key: draw.randint(*bounds) if kind == "whole" else draw.uniform(*bounds)
            for key, (kind, bounds) in self._drawn.items()
        }
        try:
            result, more = self._operation.call(value, self._pair, **self._fixed, **drawn)
        except self._errors as error:
            count, height, width = value.frames.shape[:3]
            raise ValueError(f"{self._name}, {count} frames of {width} x {height}: {concise(error)}") from error
        return result, {**drawn, **more}


def describe(library: str, name: str, operation: Operation) -> Description:
    """Parameters with their defaults, and a docstring."""
    listed = [
        Parameter(key, "" if spec.default is ... else repr(spec.default), " | ".join(spec.choices) or _KINDS[spec.kind])
        for key, spec in operation.parameters.items()
    ]
    return Description(f"{library}.{name}", "video", (*listed, Parameter("p", "1.0", "number 0..1")), operation.doc)


def problems(library: str, name: str, operation: Operation, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names, types and ranges against the table, then call once on a clip."""
    specs = operation.parameters
    known = {key: _signature(key, spec.default) for key, spec in specs.items()} | {"p": _signature("p", 1.0)}

    def values(valid: Mapping[str, Any]) -> list[StepProblem]:
        return [found for key, value in valid.items() if key != "p" and (found := _problem(key, value, specs[key]))]

    full_name = f"{library}.{name}"
    found = parameter_problems(full_name, params, known, values)
    return found or trial_problems(lambda: ClipStep(full_name, operation, {**params, "p": 1.0}), "video")


_KINDS = {
    "number": "number or [lo, hi]", "whole": "whole number or [lo, hi]", "range": "number or [lo, hi]",
    "size": "pixels or [height, width]", "choice": "name",
}  # fmt: skip


def _signature(key: str, default: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if default is ... else default
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default)


def _problem(key: str, value: Any, spec: Spec) -> StepProblem | None:
    message = _CHECKS[spec.kind](value, spec)
    if not message:
        return None
    close = nearest(str(value), spec.choices) if spec.choices else ""
    return StepProblem((key,), f"{key}: {value!r} {message}", close)


def _number_problem(value: Any, spec: Spec) -> str:
    parts = value if _is_list(value) else [value]
    fits = int if spec.kind == "whole" else (int, float)
    if (_is_list(value) and len(parts) != 2) or any(isinstance(n, bool) or not isinstance(n, fits) for n in parts):
        return f"is no {'whole ' if spec.kind == 'whole' else ''}number, nor a range [lo, hi]"
    if not all(spec.low <= n <= spec.high for n in parts):
        return f"is not within {spec.low:g}..{spec.high:g}"
    if spec.kind == "range" and not _is_list(value) and value < 0:
        return "is negative: write x for [-x, x]"
    return "ends before it begins" if list(parts) != sorted(parts) else ""


def _size_problem(value: Any, spec: Spec) -> str:
    parts = value if _is_list(value) else [value]
    right = len(parts) in (1, 2) and all(type(n) is int and spec.low <= n <= spec.high for n in parts)
    return "" if right else f"is neither pixels nor [height, width], within {spec.low:g}..{spec.high:g}"


def _choice_problem(value: Any, spec: Spec) -> str:
    if value in spec.choices or (value is None and spec.default is None):
        return ""
    return f"is not one of {', '.join(spec.choices)}"


_CHECKS: Mapping[str, Callable[[Any, Spec], str]] = {
    "number": _number_problem,
    "whole": _number_problem,
    "range": _number_problem,
    "size": _size_problem,
    "choice": _choice_problem,
}


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)
