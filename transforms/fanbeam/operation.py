"""What a step that blends records consists of: its parameters, and a function for each kind of value."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from transforms.operation_parameters import Spec

Drawn = dict[str, Any]
Partners = Iterator[tuple[str, Any]]
"""Keys and values of other records, the drawn one first."""
PARENTS = "parents"
_STEPS = 2**16


@dataclass(frozen=True, slots=True)
class Draws:
    """What one application of a step has: partners, a generator, and its parameters."""

    partners: Partners
    rng: np.random.Generator
    given: Mapping[str, Any]
    again: Callable[[str], Any]
    """A partner that was drawn once more, under other `rows`."""


Blend = Callable[[Any, Draws], tuple[Any, Drawn]]
"""A value and draws -> the blended value, and what is recorded: under `parents` each other record with its share."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One class: `calls` by modality; `carries`, `needs`: kinds of labels."""

    calls: Mapping[str, Blend]
    parameters: Mapping[str, Spec]
    doc: str
    carries: frozenset[str]
    needs: frozenset[str] = frozenset()


def nobody(value: Any, why: str = "no other record to blend with") -> tuple[Any, Drawn]:
    """The value as it came, and why it was left alone."""
    return value, {"not_applied": why, PARENTS: {}}


def weight_of(draws: Draws) -> int:
    """The value's own share in 65536ths: the larger part of a draw from Beta(alpha, alpha).

    So a record stays the strongest part of its own copies, as in MixMatch (Berthelot et al. 2019); over all pairs the
    distribution is that of the draw. Products of whole numbers are the same on every CPU.
    """
    alpha = float(draws.given["alpha"])
    drawn = round(float(draws.rng.beta(alpha, alpha)) * _STEPS)
    return max(drawn, _STEPS - drawn)


def share(weight: int) -> float:
    """65536ths as a share of 1; shares of two that sum to 65536 sum to exactly 1."""
    return weight / _STEPS


def between(draws: Draws, low: int, high: int) -> int:
    """A whole number in `low`..`high`, each as likely."""
    return int(draws.rng.integers(low, high, endpoint=True))
