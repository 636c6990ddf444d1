"""Counts of records per class -> how many copies the records of each class get. Pure.

One class per record: the target is met exactly where `min_copies..max_copies` allow it. Several classes per record:
copies are chosen per set of classes, by the linear programme that brings the samples of all classes as near to the
target as can be (sum of absolute differences; of equal solutions the one that multiplies no record more than it must).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Classes = tuple[str, ...]
"""The classes of a record, sorted, each once; empty for a record without any."""
_FEWER = 1e-4
"""Weight of a copy beside a sample of difference, so that needless copies are not made."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What to aim at: so many samples per class. `downsample`: drop records of classes that are above it."""

    target: Literal["max", "median"] | int
    min_copies: int = 0
    max_copies: int = 12
    downsample: bool = False
    keep_original: bool = True


@dataclass(frozen=True, slots=True)
class Allotment:
    """Of records with the same classes: all get `copies`, `more` of them one more; only `kept` of them stay."""

    records: int
    copies: int
    more: int = 0
    kept: int = -1

    @property
    def staying(self) -> int:
        """Records that are not dropped."""
        return self.records if self.kept < 0 else self.kept

    def samples(self, keep_original: bool) -> int:
        """Samples that come of them."""
        return self.staying * (self.copies + keep_original) + self.more


def target_of(counts: Mapping[Classes, int], rule: Rule) -> int:
    """Samples that each class should have. `max` and `median` are of what the classes have with `min_copies` each."""
    if isinstance(rule.target, int):
        return rule.target
    sizes = sorted(class_sizes(counts).values())
    if not sizes:
        return 0
    size = sizes[-1] if rule.target == "max" else median(sizes)
    return round(size * (rule.min_copies + rule.keep_original)) or round(size)


def class_sizes(counts: Mapping[Classes, int]) -> dict[str, int]:
    """Records per class."""
    sizes: dict[str, int] = {}
    for classes, count in counts.items():
        for name in classes:
            sizes[name] = sizes.get(name, 0) + count
    return dict(sorted(sizes.items()))


def allot(counts: Mapping[Classes, int], rule: Rule) -> dict[Classes, Allotment]:
    """Copies for each set of classes; records without a class get `min_copies`."""
    target = target_of(counts, rule)
    ordered = sorted(counts)
    if all(len(classes) <= 1 for classes in ordered):
        totals = [target if classes else 0 for classes in ordered]
        return {c: _single(counts[c], t, rule) for c, t in zip(ordered, totals, strict=True)}
    samples = _programme([c for c in ordered if c], counts, target, rule)
    return {c: _single(counts[c], samples.get(c, 0), rule) for c in ordered}


def _single(records: int, target: int, rule: Rule) -> Allotment:
    """`target` samples of `records` records, as near as the rule allows."""
    own = int(rule.keep_original)
    least, most = records * (rule.min_copies + own), records * (rule.max_copies + own)
    if rule.downsample and 0 < target < least:
        each = max(1, rule.min_copies + own)
        return Allotment(records, rule.min_copies, 0, min(records, max(1, round(target / each))))
    extra = min(max(target, least), most) - records * own
    return Allotment(records, extra // records, extra % records)


def _programme(sets: list[Classes], counts: Mapping[Classes, int], target: int, rule: Rule) -> dict[Classes, int]:
    """Samples per set of classes.

    Variables: the samples of each set; by how much each class is above and below the target; the samples that come of
    the record that is multiplied most.
    """
    from scipy.optimize import linprog
    from scipy.sparse import coo_array, diags_array, hstack, identity

    classes = sorted({name for s in sets for name in s})
    place = {name: n for n, name in enumerate(classes)}
    rows = np.array([place[name] for s in sets for name in s])
    columns = np.repeat(np.arange(len(sets)), [len(s) for s in sets])
    member = coo_array((np.ones(len(rows)), (rows, columns)), shape=(len(classes), len(sets)))
    slack, none = identity(len(classes)), coo_array((len(classes), 1))
    records: NDArray[np.int64] = np.array([counts[s] for s in sets])
    each = hstack([diags_array(1.0 / records), coo_array((len(sets), 2 * len(classes))), -np.ones((len(sets), 1))])
    weights = np.ones(len(sets) + 2 * len(classes) + 1)
    weights[: len(sets)], weights[-1] = _FEWER, _FEWER * records.sum()
    sizes = class_sizes(counts)
    above = np.array([min(sizes[name] for name in s) > target for s in sets])
    found: Any = linprog(
        weights,
        A_ub=each,
        b_ub=np.zeros(len(sets)),
        A_eq=hstack([member, -slack, slack, none]),
        b_eq=np.full(len(classes), float(target)),
        bounds=[*_bounds(records, above, rule), *((0, None) for _ in range(2 * len(classes) + 1))],
        method="highs",
    )
    return dict(zip(sets, (round(v) for v in found.x[: len(sets)].tolist()), strict=True))


def _bounds(records: NDArray[np.int64], above: NDArray[np.bool_], rule: Rule) -> list[tuple[float, float]]:
    """Records are dropped only where all their classes have too many."""
    own = int(rule.keep_original)
    least = records * (rule.min_copies + own)
    lowest = np.where(above & rule.downsample, 1, least)
    return list(zip(lowest.tolist(), (records * (rule.max_copies + own)).tolist(), strict=True))


def effective_parents(samples: int, squares: int) -> float:
    """How many equally multiplied records would repeat themselves as much: Kish's effective sample size.

    `squares`: the sum of the squares of the samples of each record.
    """
    return samples**2 / squares if squares else 0.0


def reached(allotments: Mapping[Classes, Allotment], keep_original: bool) -> dict[str, int]:
    """Samples per class."""
    return class_sizes({c: a.samples(keep_original) for c, a in allotments.items()})
