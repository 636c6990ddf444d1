"""nlpaug's flows, as steps that hold steps of nlpaug on texts.

    - nlpaug.Sequential:
        flow: [nlpaug.KeyboardAug, nlpaug.RandomWordAug: {action: swap}]
    - nlpaug.Sometimes:
        aug_p: 0.5
        flow: [nlpaug.KeyboardAug, nlpaug.SplitAug]

`Sequential` applies all of them, `Sometimes` each with the probability `aug_p`. The list is written as the steps of a
field are, groups and flows included. Each step in it has a seed of its own, made of the flow's.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import orjson

from transforms import registry
from transforms.adapter_checks import is_probability
from transforms.interface import Applied, RecipeError, StepProblem, Transform
from transforms.isolation.philox import chance
from transforms.nlpaug.classes import given
from transforms.recipe import Recipe, check_steps, step_seed
from transforms.steps import leaves, read_steps
from transforms.values import TextValue, Value


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step. Raises RecipeError with every problem of the steps within."""
    share = float(given(name, params, "aug_p")) if name == "Sometimes" else 1.0
    reading = read_steps(params.get("flow"))
    if reading.problems:
        raise RecipeError(tuple(reading.problems))
    return _Flow(
        name, share, [("+".join(step.path for step in leaves([node])), Recipe((node,))) for node in reading.nodes]
    )


def flow_problems(params: Mapping[str, Any]) -> list[StepProblem]:
    """Find what is wrong with `flow` and the steps in it, and with `aug_p`."""
    found = []
    if not params.get("flow"):
        return [StepProblem((), "a flow needs the parameter 'flow': a list of steps")]
    if "aug_p" in params and not is_probability(params["aug_p"]):
        found.append(StepProblem(("aug_p",), f"aug_p: {params['aug_p']!r} is not a number in 0..1"))
    found += [
        StepProblem(("flow", *problem.path), problem.message, problem.suggestion)
        for problem in check_steps(params["flow"], "text")
    ]
    return found + [
        StepProblem(("flow", *step.place), f"{step.name} is not of nlpaug: use the group sometimes")
        for step in leaves(read_steps(params["flow"]).nodes)
        if not step.name.startswith("nlpaug.")
    ]


def versions(params: Mapping[str, Any]) -> dict[str, str]:
    """Versions that decide the bytes of the steps within."""
    return registry.versions(leaves(read_steps(params.get("flow")).nodes))


class _Flow:
    """The steps of a flow, with their paths. Recorded is what was really applied, in order."""

    __slots__ = ("_name", "_recipes", "_share")

    def __init__(self, name: str, share: float, recipes: list[tuple[str, Recipe]]) -> None:
        self._name = name
        self._share = share
        self._recipes = recipes

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to a `TextValue`."""
        if not isinstance(value, TextValue):
            raise TypeError(f"nlpaug.{self._name} works on text, not on {type(value).__name__}")
        applied: list[Applied] = []
        changed: Value = value
        for path, recipe in self._recipes:
            if self._share < 1 and chance(step_seed(seed, f"draw {path}")) >= self._share:
                continue
            changed, steps = recipe.apply(changed, seed)
            applied += steps
        if not applied:
            return changed, None
        return changed, {"flow": [{**asdict(step), "params": orjson.loads(step.params)} for step in applied]}
