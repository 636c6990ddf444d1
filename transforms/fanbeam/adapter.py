"""fanbeam: blends of several records into one, written here; see `table`."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from transforms import operation_parameters
from transforms.adapter_checks import concise, is_probability, trial_problems
from transforms.fanbeam.partners import partners as drawn_partners
from transforms.interface import Description, Mixed, StepProblem, Transform
from transforms.isolation.philox import PhiloxPair, chance
from transforms.operation_parameters import Check, Given, choice_problem, is_list, number_problem
from transforms.reference_images import OnTrial
from transforms.values import AudioValue, ImageValue, TextValue, Value

DISTRIBUTIONS = (
    "icu4py", "numpy", "opencv-contrib-python", "opencv-contrib-python-headless", "opencv-python",
    "opencv-python-headless", "scipy",
)  # fmt: skip
PRELOAD = ("transforms.fanbeam.table",)
_MODALITIES = ((ImageValue, "image"), (AudioValue, "audio"), (TextValue, "text"))
_PARENTS = "parents"


@cache
def _operations() -> Mapping[str, Any]:
    from transforms.fanbeam.table import OPERATIONS

    return OPERATIONS


@cache
def names() -> tuple[str, ...]:
    """Every operation that a recipe may name, sorted."""
    return tuple(sorted(_operations()))


def modality(name: str) -> str:
    """Give the modality that it is made for."""
    return str(next(iter(_operations()[name].calls)))


def modalities(name: str) -> frozenset[str]:
    """Give every modality that it works on."""
    return frozenset(_operations()[name].calls)


def carries(name: str) -> frozenset[str]:
    """Give all kinds: labels of all parents are carried into the result."""
    kinds: frozenset[str] = _operations()[name].carries
    return kinds


def needs(name: str) -> frozenset[str]:
    """Give the kinds of labels without which it cannot work."""
    kinds: frozenset[str] = _operations()[name].needs
    return kinds


def partners(name: str, params: Mapping[str, Any]) -> str | None:
    """Give the scope of the records that it blends with."""
    return str(params.get("partners", "any")) if name in names() else None


def mixes(name: str, params: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Mixed] | None:
    """Tell which records are in a result."""
    labels = params.get("labels", "mixed") == "mixed"
    return lambda drawn: Mixed(tuple(drawn[_PARENTS].items()), labels)


def describe(name: str) -> Description:
    """Give parameters and docstring of an operation."""
    operation = _operations()[name]
    return operation_parameters.description(
        f"fanbeam.{name}", modality(name), operation.parameters, _KINDS, operation.doc
    )


def problems(name: str, params: Mapping[str, Any]) -> list[StepProblem]:
    """Check names, types and ranges against the table, then blend a plain value with another one."""
    operation = _operations()[name]
    found = operation_parameters.problems(f"fanbeam.{name}", params, operation.parameters, _CHECKS)
    for kind in operation.calls if not found else ():
        found += trial_problems(lambda: OnTrial(build(name, {**params, "p": 1.0})), kind, bool(operation.needs))
    return found


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step; one instance per thread, since it keeps its generator."""
    return _BlendStep(name, params)


class _BlendStep:
    """One operation with its parameters."""

    __slots__ = ("_given", "_name", "_operation", "_pair")

    def __init__(self, name: str, params: Mapping[str, Any]) -> None:
        self._name, self._operation = name, _operations()[name]
        self._given = Given(self._operation.parameters, params)
        self._pair = PhiloxPair()

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Blend a value with its donors. Raises ValueError for one that the operation cannot take."""
        from transforms.fanbeam.operation import Draws

        kind = next((kind for cls, kind in _MODALITIES if isinstance(value, cls)), "")
        call = self._operation.calls.get(kind)
        if call is None:
            raise TypeError(f"fanbeam.{self._name} does not work on {type(value).__name__}")
        if chance(seed) >= self._given.p:
            return value, None
        self._pair.seed(seed)
        given = {**self._given.fixed, **self._given.draw(self._pair.python)}
        blended: Any = value
        found = drawn_partners(blended, given["partners"], seed)
        try:
            result, drawn = call(
                value, Draws(found, self._pair.numpy, given, lambda key: blended.peers.donors.value(key))
            )
        except ValueError as error:
            raise ValueError(f"fanbeam.{self._name}: {concise(error)}") from error
        return result, drawn


_KINDS = {
    "number": "number or [lo, hi]", "range": "number or [lo, hi]", "probability": "number 0..1", "choice": "name",
}  # fmt: skip


def _range_problem(value: Any, spec: Any) -> str:
    if not is_list(value) and not isinstance(value, int | float):
        return "is no number, nor a range [lo, hi]"
    return number_problem(value, operation_parameters.Spec("number", low=spec.low, high=spec.high))


_CHECKS: Mapping[str, Check] = {
    "number": number_problem,
    "range": _range_problem,
    "probability": lambda value, spec: "" if is_probability(value) else "is not a number in 0..1",
    "choice": choice_problem,
}
