"""Whole components -> parts (splits or folds), so that every class keeps its share as nearly as can be. Pure.

Records without relatives meet the shares to the record. Components go first, the largest before the others, each to
the part where it takes the most off the squared differences from the targets; then moves and swaps that bring these
down further are made. Python's own numbers in a fixed order: the same result on every machine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from pipeline.splitting.components import Components
from pipeline.splitting.facts import NO_CLASS, Classes

_MOVED, _SWAPPED, _ROUNDS = 20_000, 300, 4
_SEVERAL = -1
_Counts = list[tuple[int, int]]
"""(label, records) of one component."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What there is to fill: the share of each part, and the order in which records without relatives fill them."""

    shares: tuple[float, ...]
    order: tuple[int, ...]


def share_out(
    found: Components,
    labels: tuple[Sequence[Classes], NDArray[np.int32]],
    numbers: NDArray[np.float64],
    taken: NDArray[np.int64],
    parts: Parts,
) -> NDArray[np.int64]:
    """The part of each component. `labels`: sets of classes, and which of them each row has. `numbers`: of components.

    `taken` (sets, parts): records that have their part already, by set of classes.
    """
    own = _labels(labels[0])
    left, sizes = _left(labels, own, taken, parts)
    only = np.array([mine[0] if len(mine) == 1 else _SEVERAL for mine in own], np.int64)
    of = only[labels[1][found.heads]]
    alone = (found.sizes == 1) & (of != _SEVERAL)
    counts = _counted(found, ~alone, labels, own)
    rarest = {c: min(sizes[label] for label, _ in many) for c, many in counts.items()}
    drawn = dict(zip(counts, numbers[list(counts)].tolist(), strict=True))
    order = sorted(counts, key=lambda c: (-int(found.sizes[c]), rarest[c], drawn[c]))
    search = _Search([counts[c] for c in order], _share_of_wholes(left, counts), [1.0 / max(1, size) for size in sizes])
    chosen = np.zeros(len(found), np.int64)
    chosen[order] = search.placed()
    for component, part in zip(order, chosen[order].tolist(), strict=True):
        for label, many in counts[component]:
            left[label][part] -= many
    for label in np.unique(of[alone]).tolist():
        rows = np.flatnonzero(alone & (of == label))
        rows = rows[np.argsort(numbers[rows], kind="stable")]
        chosen[rows] = np.repeat(parts.order, _filled([left[label][p] for p in parts.order], len(rows)))
    return chosen


def targets(sizes: Sequence[int], shares: Sequence[float]) -> list[list[int]]:
    """Records of each label for each part: within one of its share, and so that the parts' sums come out as well."""
    owed = [0.0] * len(shares)
    found = []
    for size in sizes:
        wanted = [size * share for share in shares]
        got = [floor(w + 1e-9) for w in wanted]
        open_parts = sorted(
            (p for p in range(len(shares)) if wanted[p] - got[p] > 1e-9),
            key=lambda p: (-(wanted[p] - got[p] + owed[p]), p),
        )
        for part in open_parts[: size - sum(got)]:
            got[part] += 1
        owed = [o + w - g for o, w, g in zip(owed, wanted, got, strict=True)]
        found.append(got)
    return found


def _labels(sets: Sequence[Classes]) -> list[list[int]]:
    """The numbers of each set's labels. Without any, or where some have several, all rows are of one more label."""
    names = {name: n for n, name in enumerate(sorted({name for s in sets for name in s}))}
    several = any(len(s) > 1 for s in sets)
    return [[names[name] for name in s] + ([len(names)] if several or s == NO_CLASS else []) for s in sets]


def _counted(
    found: Components,
    wanted: NDArray[np.bool_],
    labels: tuple[Sequence[Classes], NDArray[np.int32]],
    own: list[list[int]],
) -> dict[int, _Counts]:
    """Records by label of each of the wanted components."""
    count = len(labels[0])
    rows = np.flatnonzero(wanted[found.of])
    pairs, times = np.unique(found.of[rows] * count + labels[1][rows], return_counts=True)
    counts: dict[int, _Counts] = {}
    for key, many in zip(pairs.tolist(), times.tolist(), strict=True):
        component, code = divmod(key, count)
        counts.setdefault(component, []).extend((label, many) for label in own[code])
    return {component: _merged(c) if len(c) > 1 else c for component, c in counts.items()}


def _share_of_wholes(left: list[list[int]], counts: dict[int, _Counts]) -> list[list[float]]:
    """What components are to fill of each label; records without relatives fill the same share of the rest."""
    held = [0] * len(left)
    for some in counts.values():
        for label, many in some:
            held[label] += many
    shares = [many / max(1, sum(wanted)) for many, wanted in zip(held, left, strict=True)]
    return [[share * want for want in wanted] for share, wanted in zip(shares, left, strict=True)]


def _merged(counts: _Counts) -> _Counts:
    sums: dict[int, int] = {}
    for label, many in counts:
        sums[label] = sums.get(label, 0) + many
    return sorted(sums.items())


def _left(
    labels: tuple[Sequence[Classes], NDArray[np.int32]], own: list[list[int]], taken: NDArray[np.int64], parts: Parts
) -> tuple[list[list[int]], list[int]]:
    """What each part still lacks of each label, and how many records each label has in all."""
    number = max((label for numbers in own for label in numbers), default=-1) + 1
    free = np.bincount(labels[1], minlength=len(own)).tolist()
    held = [[0] * len(parts.shares) for _ in range(number)]
    sizes = [0] * number
    for numbers, here, there in zip(own, free, taken.tolist(), strict=True):
        for label in numbers:
            sizes[label] += here + sum(there)
            held[label] = [a + b for a, b in zip(held[label], there, strict=True)]
    wanted = targets(sizes, parts.shares)
    return [[w - h for w, h in zip(*pair, strict=True)] for pair in zip(wanted, held, strict=True)], sizes


class _Search:
    """Components placed one by one, then moved and swapped while that helps. `left` is kept up to date."""

    def __init__(self, counts: list[_Counts], left: list[list[float]], weights: list[float]) -> None:
        self._counts, self._left, self._weights = counts, left, weights
        self._of: list[int] = []

    def placed(self) -> list[int]:
        """The part of each component."""
        parts = range(len(self._left[0])) if self._left else range(0)
        for counts in self._counts:
            part = min(parts, key=lambda p: (self._cost(counts, p), p))
            self._put(counts, part)
            self._of.append(part)
        if len(self._counts) <= _MOVED:
            for _ in range(_ROUNDS):
                if not any([*self._moves(), *self._swaps()]):
                    break
        return self._of

    def _cost(self, counts: _Counts, part: int) -> float:
        """By how much the sum of squared differences grows with a component in a part."""
        return sum(many * (many - 2 * self._left[label][part]) * self._weights[label] for label, many in counts)

    def _put(self, counts: _Counts, part: int, sign: int = 1) -> None:
        for label, many in counts:
            self._left[label][part] -= sign * many

    def _moves(self) -> Iterator[bool]:
        for place, counts in enumerate(self._counts):
            now = self._of[place]
            self._put(counts, now, -1)
            best = min(range(len(self._left[0])), key=lambda p: (self._cost(counts, p), p != now, p))
            self._put(counts, best)
            self._of[place] = best
            yield best != now

    def _swaps(self) -> Iterator[bool]:
        if len(self._counts) > _SWAPPED:
            return
        for one in range(len(self._counts)):
            for other in range(one):
                yield self._of[one] != self._of[other] and self._swapped(one, other)

    def _swapped(self, one: int, other: int) -> bool:
        first, second = self._of[one], self._of[other]
        ours, theirs = self._counts[one], self._counts[other]
        self._put(ours, first, -1)
        self._put(theirs, second, -1)
        stay = self._both(ours, first, theirs, second)
        swap = self._both(ours, second, theirs, first)
        if swap < stay - 1e-9:
            first, second = second, first
        self._put(ours, first)
        self._put(theirs, second)
        changed = self._of[one] != first
        self._of[one], self._of[other] = first, second
        return changed

    def _both(self, ours: _Counts, first: int, theirs: _Counts, second: int) -> float:
        return self._cost(ours, first) + self._cost(theirs, second)


def _filled(wanted: list[int], count: int) -> list[int]:
    """Wanted numbers as they can be had: none negative, `count` in all; what is too much comes off the largest."""
    found = [max(0, w) for w in wanted]
    while (excess := sum(found) - count) > 0:
        largest = max(range(len(found)), key=lambda p: (found[p], -p))
        found[largest] -= min(excess, found[largest])
    found[max(range(len(found)), key=lambda p: (wanted[p], -p))] += count - sum(found)
    return found
