"""Libraries of operations on clips that are written here: a table of names, parameters and functions makes an adapter.

A number that is given as `[lo, hi]` is drawn uniformly for each copy, parameters in the order of their names, before
the operation draws what it needs itself; all from `isolation.philox.generators(seed)`. Every operation takes `p` (1).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from transforms import operation_parameters
from transforms.adapter_checks import concise, trial_problems
from transforms.interface import Description, StepProblem
from transforms.isolation.philox import PhiloxPair, chance
from transforms.operation_parameters import Check, Given, Spec, choice_problem, is_list, number_problem
from transforms.values import Value, VideoValue

BOTH = frozenset({"boxes", "segments"})
Drawn = dict[str, Any]
Call = Callable[..., tuple[VideoValue, Drawn]]


@dataclass(frozen=True, slots=True)
class Operation:
    """A name of a recipe. `call(clip, draw, **parameters)` gives the new clip and what it drew itself."""

    call: Call
    doc: str
    parameters: Mapping[str, Spec]
    carries: frozenset[str] = BOTH


class ClipStep:
    """One operation with its parameters; one instance per thread, since it keeps its generators."""

    __slots__ = ("_errors", "_given", "_name", "_operation", "_pair")

    def __init__(self, name: str, operation: Operation, params: Mapping[str, Any]) -> None:
        import cv2

        self._errors = (ValueError, TypeError, ArithmeticError, MemoryError, cv2.error)
        self._name, self._operation = name, operation
        self._given = Given(operation.parameters, params)
        self._pair = PhiloxPair()

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to a `VideoValue`; raises ValueError for a clip that the operation cannot take."""
        if not isinstance(value, VideoValue):
            raise TypeError(f"{self._name} works on videos, not on {type(value).__name__}")
        if chance(seed) >= self._given.p:
            return value, None
        self._pair.seed(seed)
        drawn = self._given.draw(self._pair.python)
        try:
            result, more = self._operation.call(value, self._pair, **self._given.fixed, **drawn)
        except self._errors as error:
            count, height, width = value.frames.shape[:3]
            raise ValueError(f"{self._name}, {count} frames of {width} x {height}: {concise(error)}") from error
        return result, {**drawn, **more}


class Library:
    """The functions of an adapter for the table `OPERATIONS` of a module, which is imported when it is needed."""

    def __init__(self, name: str, table: str) -> None:
        self._name, self._table = name, table

    def names(self) -> tuple[str, ...]:
        """Every operation that a recipe may name, sorted."""
        return tuple(sorted(self._operations()))

    def modality(self, name: str) -> str:
        """Give `video`, for every operation."""
        return "video"

    def carries(self, name: str) -> frozenset[str]:
        """Give the kinds of labels that follow."""
        return self._operations()[name].carries

    def describe(self, name: str) -> Description:
        """Give the parameters with their defaults, and a docstring."""
        operation = self._operations()[name]
        full_name = f"{self._name}.{name}"
        return operation_parameters.description(full_name, "video", operation.parameters, _KINDS, operation.doc)

    def problems(self, name: str, params: Mapping[str, Any]) -> list[StepProblem]:
        """Check names, types and ranges against the table, then call once on a clip."""
        specs = self._operations()[name].parameters
        found = operation_parameters.problems(f"{self._name}.{name}", params, specs, _CHECKS)
        return found or trial_problems(lambda: self.build(name, {**params, "p": 1.0}), "video")

    def build(self, name: str, params: Mapping[str, Any]) -> ClipStep:
        """Make the step; one instance per thread, since it keeps its generators."""
        return ClipStep(f"{self._name}.{name}", self._operations()[name], params)

    def _operations(self) -> Mapping[str, Operation]:
        operations: Mapping[str, Operation] = import_module(self._table).OPERATIONS
        return operations


# A `range` is `x` for `[-x, x]`, or both ends; the others are what they say.
_KINDS = {
    "number": "number or [lo, hi]", "whole": "whole number or [lo, hi]", "range": "number or [lo, hi]",
    "size": "pixels or [height, width]", "choice": "name",
}  # fmt: skip


def _range_problem(value: Any, spec: Spec) -> str:
    found = number_problem(value, spec)
    return found or ("is negative: write x for [-x, x]" if not is_list(value) and value < 0 else "")


def _size_problem(value: Any, spec: Spec) -> str:
    parts = value if is_list(value) else [value]
    right = len(parts) in (1, 2) and all(type(n) is int and spec.low <= n <= spec.high for n in parts)
    return "" if right else f"is neither pixels nor [height, width], within {spec.low:g}..{spec.high:g}"


_CHECKS: Mapping[str, Check] = {
    "number": number_problem,
    "whole": number_problem,
    "range": _range_problem,
    "size": _size_problem,
    "choice": choice_problem,
}
