"""What an adapter module of a library must offer, and the nouns that cross this boundary.

An adapter is a module (see `registry.LIBRARIES`) with these names:

- `DISTRIBUTIONS: tuple[str, ...]`: the packages whose versions decide its bytes.
- `names() -> tuple[str, ...]`: every class a recipe may name, sorted.
- `modality(name) -> str`: `image`, `text`, `audio` or `video`.
- `describe(name) -> Description`: parameters with defaults, and a docstring.
- `problems(name, params) -> list[StepProblem]`: all that is wrong with the parameters, without running a job.
- `build(name, params) -> Transform`: a step that is ready to call; not shared between threads.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

from transforms.values import Value

SEED_BYTES = 16


@dataclass(frozen=True, slots=True)
class StepProblem:
    """One thing wrong with a recipe. `path` leads from the list of steps to the place, e.g. (0, 'lib.Class', 'p')."""

    path: tuple[str | int, ...]
    message: str
    suggestion: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a class: `default` and `kind` are as a reader would write them in a config."""

    name: str
    default: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Description:
    """What `fanbeam transforms NAME` prints."""

    name: str
    modality: str
    parameters: tuple[Parameter, ...]
    doc: str


@dataclass(frozen=True, slots=True)
class Applied:
    """A step that was really applied: `library.Class` and its drawn parameters as JSON text."""

    name: str
    params: str


class Transform(Protocol):
    """One step of one library, with its own parameters."""

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply the step with randomness drawn from `seed` (16 bytes) alone.

        Returns the new value (the input is never mutated) and the parameters that were drawn, as a dict that
        `orjson` can write; None where the step's own probability decided against applying it.
        """
        ...


class MissingLibrary(ImportError):
    """An optional library is not installed; the message names the extra that brings it."""


@dataclass(frozen=True, slots=True)
class RecipeError(ValueError):
    """A recipe that cannot be built: every problem at once."""

    problems: tuple[StepProblem, ...] = field(default_factory=tuple)

    def __str__(self) -> str:
        return "; ".join(p.message for p in self.problems)
