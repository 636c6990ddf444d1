"""Plant changed copies on the other side, look for them, and count what is found."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from pipeline.modalities.similarity.interface import Measure, Signature
from pipeline.modalities.similarity.neighbours import NEIGHBOURS, pairs
from scripts.planting.changes import Change

Pairs = dict[tuple[int, int], float]
PLANTED = 200
Sign = Callable[[Any], Signature]


@dataclass(frozen=True, slots=True)
class Trial:
    """Payloads, all different; how they are signed and compared."""

    name: str
    payloads: Sequence[Any]
    measure: Measure
    sign: Sign
    thresholds: tuple[float, ...]

    def signed(self) -> list[Signature]:
        """Signatures of the payloads."""
        return [self.sign(payload) for payload in self.payloads]


@dataclass(frozen=True, slots=True)
class Found:
    """Shares of planted copies: those proposed with their source, found by threshold, and joined.

    Joined: at the measure's own threshold, with the source or with something that is alike it; the split keeps them
    together either way.
    """

    kind: str
    planted: int
    proposed: float
    by_threshold: tuple[float, ...]
    joined: float


def natural(trial: Trial, signed: list[Signature]) -> Pairs:
    """Distances of candidates within the payloads, none of which is a copy."""
    return _distances(trial, signed, None)


def planted(trial: Trial, signed: list[Signature], kind: str, change: Change, sources: Sequence[int] = ()) -> Found:
    """Of one kind of change, 200 of the payloads, or of those at `sources` (drawn with replacement)."""
    random = Random(kind)
    places = random.choices(sources or range(len(signed)), k=PLANTED)
    copies = [trial.sign(change(trial.payloads[place], random)) for place in places]
    found = _distances(trial, signed, copies)
    own = [found.get((place, copy)) for copy, place in enumerate(places)]
    limit = trial.measure.threshold
    near: list[list[int]] = [[] for _ in places]
    for (other, copy), distance in found.items():
        if distance <= limit:
            near[copy].append(other)
    joined = [
        any(trial.measure.distance(signed[other].detail, signed[place].detail) <= limit for other in others)
        for place, others in zip(places, near, strict=True)
    ]
    shares = tuple(sum(d is not None and d <= limit for d in own) / len(own) for limit in trial.thresholds)
    return Found(kind, len(own), sum(d is not None for d in own) / len(own), shares, sum(joined) / len(own))


def _distances(trial: Trial, left: list[Signature], right: list[Signature] | None) -> Pairs:
    others = left if right is None else right
    return {
        (one, other): trial.measure.distance(left[one].detail, others[other].detail)
        for one, other in pairs(left, right, NEIGHBOURS)
    }
