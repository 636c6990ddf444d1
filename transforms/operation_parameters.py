"""Parameters of operations that are described by tables here: what they may be, how they are checked and drawn.

A number that is given as `[lo, hi]` is drawn uniformly for each copy, parameters in the order of their names. Every
operation takes `p` (1).
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from transforms.adapter_checks import nearest, parameter_problems
from transforms.interface import Description, Parameter, StepProblem

REQUIRED = ...
_DRAWN = ("number", "whole")


@dataclass(frozen=True, slots=True)
class Spec:
    """A parameter: its kind, its default, the bounds of its numbers, and what a `choice` may be."""

    kind: str
    default: Any = REQUIRED
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()


Check = Callable[[Any, Any], str]
"""What is wrong with a value by its `Spec`, as the end of a sentence; empty if nothing is."""


class Given:
    """The parameters of one step: those that are drawn for each copy, and the others."""

    __slots__ = ("_drawn", "fixed", "p")

    def __init__(self, specs: Mapping[str, Spec], params: Mapping[str, Any]) -> None:
        given = {key: spec.default for key, spec in specs.items()} | {k: v for k, v in params.items() if k != "p"}
        ranges = {key for key, value in given.items() if specs[key].kind in _DRAWN and is_list(value)}
        self._drawn = {key: (specs[key].kind, tuple(given[key])) for key in sorted(ranges)}
        self.fixed = {k: tuple(v) if is_list(v) else v for k, v in given.items() if k not in ranges}
        self.p = float(params.get("p", 1.0))

    def draw(self, generator: Any) -> dict[str, Any]:
        """The drawn ones, in the order of their names, from a generator like Python's `random.Random`."""
        return {
            key: generator.randint(*bounds) if kind == "whole" else generator.uniform(*bounds)
            for key, (kind, bounds) in self._drawn.items()
        }


def description(name: str, modality: str, specs: Mapping[str, Spec], kinds: Mapping[str, str], doc: str) -> Description:
    """The parameters with their defaults; `kinds` says each kind as a reader would."""
    listed = [
        Parameter(key, "" if spec.default is ... else repr(spec.default), " | ".join(spec.choices) or kinds[spec.kind])
        for key, spec in specs.items()
    ]
    return Description(name, modality, (*listed, Parameter("p", "1.0", "number 0..1")), doc)


def problems(
    name: str, params: Mapping[str, Any], specs: Mapping[str, Spec], checks: Mapping[str, Check]
) -> list[StepProblem]:
    """Check names, types and ranges against the table."""
    known = {key: _signature(key, spec.default) for key, spec in specs.items()} | {"p": _signature("p", 1.0)}

    def values(valid: Mapping[str, Any]) -> list[StepProblem]:
        named = [(key, value) for key, value in valid.items() if key != "p"]
        return [found for key, value in named if (found := _problem(key, value, specs[key], checks))]

    return parameter_problems(name, params, known, values)


def number_problem(value: Any, spec: Spec) -> str:
    """A number within the bounds, or two of them that do not fall."""
    parts = value if is_list(value) else [value]
    fits = int if spec.kind == "whole" else (int, float)
    if (is_list(value) and len(parts) != 2) or any(isinstance(n, bool) or not isinstance(n, fits) for n in parts):
        return f"is no {'whole ' if spec.kind == 'whole' else ''}number, nor a range [lo, hi]"
    if not all(spec.low <= n <= spec.high for n in parts):
        return f"is not within {spec.low:g}..{spec.high:g}"
    return "ends before it begins" if list(parts) != sorted(parts) else ""


def choice_problem(value: Any, spec: Spec) -> str:
    """One of the choices, or null if that is the default."""
    if value in spec.choices or (value is None and spec.default is None):
        return ""
    return f"is not one of {', '.join(spec.choices)}"


def is_list(value: Any) -> bool:
    """Whether it is written as a list."""
    return isinstance(value, list | tuple)


def _problem(key: str, value: Any, spec: Spec, checks: Mapping[str, Check]) -> StepProblem | None:
    message = checks[spec.kind](value, spec)
    if not message:
        return None
    close = nearest(str(value), spec.choices) if spec.choices else ""
    return StepProblem((key,), f"{key}: {value!r} {message}", close)


def _signature(key: str, default: Any) -> inspect.Parameter:
    default = inspect.Parameter.empty if default is ... else default
    return inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default)
