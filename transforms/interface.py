"""What an adapter module of a library must offer, and the nouns that cross this boundary.

An adapter is a module (see `registry.LIBRARIES`) with the names of `Adapter`. Importing the module must be cheap: the
library itself is imported by the first function that needs it. More names are optional:

- `REFUSED: Mapping[str, str]`: public classes of the library that a recipe cannot use, with the reason.
- `PRELOAD: tuple[str, ...]`: modules that a process loads before it forks workers; safe to fork afterwards.
- `resources(name, params) -> dict[str, str]`: versions (or digests) of data outside any distribution, such as a corpus
  or files that parameters name, that decide the bytes of a step.
- `carries(name) -> frozenset[str]`: kinds of labels (`values.LABEL_KINDS`) that a step of this class moves with the
  value or may leave as they are. Without it, no step of the library may stand in a field that binds labels.
- `places(name, params) -> tuple[str, ...]`: locations of sounds or pictures that a step mixes in, which must not be
  records of the input. Must not import the library.
- `references(name, params) -> tuple[str, int] | None`: scope (`same_class`, `any`) and number of other training records
  that a step looks at (`values.Peers`); None for none. Must not import the library.
- `partners(name, params) -> str | None`: scope (`same_class`, `other_class`, `any`) of the training records that a step
  blends with (`values.Donors`); None for none. Must not import the library.
- `mixes(name, params) -> Callable[[Mapping[str, Any]], Mixed] | None`: for a class that blends records: which others
  are in the result, and how much of it each of them is, by the drawn parameters.
- `needs(name) -> frozenset[str]`: kinds of labels without which a class cannot work.
- `bends(name) -> bool`: whether straight lines may come out of a step of this class bent or torn.
- `mirrors(name, params) -> Callable[[Mapping[str, Any]], bool] | None`: for a class that may bring what is on the left
  to the right, and back: whether these drawn parameters did.
- `resource_table() -> tuple[Resource, ...]`: what its classes need beside the library, for `fanbeam resources`.
- `inserts(name, params) -> bool`: whether a step on texts writes new words between the old ones.
- `modalities(name) -> frozenset[str]`: every modality that a class works on, where that is more than `modality(name)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
class Resource:
    """Something that classes need beside their library: a corpus, a model, files of the user, packages.

    `found` says where it is, empty if it is missing; None for files of the user, which a parameter names. `online` and
    `offline` are the commands, or the words, that bring it with and without access to the network.
    """

    name: str
    classes: tuple[str, ...]
    found: str | None
    online: str
    offline: str


@dataclass(frozen=True, slots=True)
class Mixed:
    """What a step blended in: keys of other records with their shares of the result; the rest is what came in.

    `labels`: whether the labels of the records are shared out alike; if not, the result keeps those that came in.
    """

    parents: tuple[tuple[str, float], ...]
    labels: bool = True


@dataclass(frozen=True, slots=True)
class Applied:
    """A step that was really applied: `library.Class` and its drawn parameters as JSON text.

    `mirrored`: it brought what is on the left of a picture to the right. `mixed`: what it blended in.
    """

    name: str
    params: str
    mirrored: bool = False
    mixed: Mixed | None = None


class Transform(Protocol):
    """One step of one library, with its own parameters. Labels that its value holds follow, as `carries` says."""

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply the step once.

        Args:
            value: What to change, one dataclass of `values` for each modality: pixels are (height, width, channels)
                uint8, samples (channels, length) float32 in -1..1, frames (time, height, width, 3) uint8, voxels
                (depth, height, width, channels). It is never changed in place.
            seed: 16 bytes, from which alone all randomness is drawn.

        Returns:
            The new value with its labels moved, and the parameters that were drawn, as a dict that
            `recorded_parameters.to_json` can write; None where the step's own probability left it out.

        Raises:
            LabelLost: A bound label cannot stay on what it marks; the copy is rejected.
            Exception: Anything else fails this copy, with the error in `_failed`.
        """
        ...


class Adapter(Protocol):
    """The names of an adapter module."""

    @property
    def DISTRIBUTIONS(self) -> tuple[str, ...]:  # noqa: N802 - a constant of a module
        """The packages whose versions decide its bytes; those that are not installed are passed over."""

    def names(self) -> tuple[str, ...]:
        """Give every class that a recipe may name, sorted."""

    def modality(self, name: str) -> str:
        """Give `image`, `text`, `audio`, `video` or `volume`: the one that the class is made for."""

    def describe(self, name: str) -> Description:
        """Give the parameters with their defaults, and a docstring."""

    def problems(self, name: str, params: Mapping[str, Any]) -> list[StepProblem]:
        """Find all that is wrong with the parameters, without running a job; paths begin at the parameters."""

    def build(self, name: str, params: Mapping[str, Any]) -> Transform:
        """Make a step that is ready to call; not shared between threads."""


class MissingLibrary(ImportError):
    """An optional library is not installed; the message names the extra that brings it."""


class RecipeError(ValueError):
    """A recipe that cannot be built: every problem at once."""

    def __init__(self, problems: tuple[StepProblem, ...] = ()) -> None:
        super().__init__(problems)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "; ".join(p.message for p in self.problems)


class LabelLost(ValueError):
    """A step cannot keep a bound label on what it marked: the copy is rejected for `reason`, such as `span_lost`."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
