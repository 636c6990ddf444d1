"""Whole components -> parts (splits or folds), so that every class keeps its share as nearly as can be. Pure.

Records without relatives meet the shares to the record. Before them go the components: of very many, most are dealt in
the proportion of the shares, like ones evenly; the largest, and some of every class, are then placed one by one to make
up for what the others came to (`placing`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from pipeline.splitting.components import Components, PartNumbers, RowNumbers
from pipeline.splitting.facts import NO_CLASS, Classes
from pipeline.splitting.placing import Left, dealt, placed

_ONE_BY_ONE, _AT_ONCE = 20_000, 1 << 18


@dataclass(frozen=True, slots=True)
class Parts:
    """What there is to fill: the share of each part, and the order in which records without relatives fill them."""

    shares: tuple[float, ...]
    order: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Labeled:
    """Components and what their rows are labeled. `codes`: the set of each row; `sets` (sets, labels): ones."""

    found: Components
    codes: NDArray[np.int32]
    sets: csr_array
    names: Sequence[Classes]

    def ranks(self) -> NDArray[np.int64]:
        """Of each component the place of its head's set among all sets, whatever order they were met in."""
        order = sorted(range(len(self.names)), key=self.names.__getitem__)
        ranks = np.empty(len(order), np.int64)
        ranks[order] = np.arange(len(order))
        return ranks[self.codes[self.found.heads]]

    def rarest(self, sizes: NDArray[np.int64]) -> NDArray[np.int32]:
        """Of each component how many records its rarest label has in all."""
        of_sets = np.minimum.reduceat(sizes[self.sets.indices], self.sets.indptr[:-1]).astype(np.int32)
        found = np.full(len(self.found), np.iinfo(np.int32).max, np.int32)
        for start in range(0, len(self.codes), _AT_ONCE):
            stop = start + _AT_ONCE
            np.minimum.at(found, self.found.of[start:stop], of_sets[self.codes[start:stop]])
        return found

    def of_parts(self, chosen: PartNumbers, wanted: NDArray[np.bool_], parts: int) -> Left:
        """(labels, parts): records of the components that are wanted, by the part that was chosen for each."""
        number = self.sets.shape[0]
        sums = np.zeros(number * parts, np.int64)
        for start in range(0, len(self.codes), _AT_ONCE):
            of = self.found.of[start : start + _AT_ONCE]
            codes = self.codes[start : start + _AT_ONCE][wanted[of]].astype(np.int64)
            sums += np.bincount(codes * parts + chosen[of[wanted[of]]], minlength=number * parts)
        found: Left = self.sets.T @ sums.reshape(number, parts)
        return found

    def counts(self, components: NDArray[np.int64]) -> csr_array:
        """(components, labels): records of these components, in this order."""
        place = np.full(len(self.found), -1, np.int32)
        place[components] = np.arange(len(components))
        rows = np.flatnonzero(place[self.found.of] >= 0)
        ones = np.ones(len(rows), np.int64)
        at = (place[self.found.of[rows]], self.codes[rows])
        return coo_array((ones, at), shape=(len(components), self.sets.shape[0])).tocsr() @ self.sets


def share_out(
    found: Components,
    labels: tuple[Sequence[Classes], NDArray[np.int32]],
    numbers: NDArray[np.float64],
    taken: NDArray[np.int64],
    parts: Parts,
) -> PartNumbers:
    """The part of each component. `labels`: sets of classes, and which of them each row has. `numbers`: of components.

    `taken` (sets, parts): records that have their part already, by set of classes. A part without a share gets nothing.
    """
    used = [part for part, share in enumerate(parts.shares) if share > 0]
    order = [used.index(part) for part in parts.order if part in used]
    labeled = _Labeled(found, labels[1], _sets(labels[0]), labels[0])
    left, sizes = _left(labeled, taken[:, used], [parts.shares[part] for part in used])
    firsts = labeled.sets.indices[labeled.sets.indptr[:-1]]
    only = np.where(np.diff(labeled.sets.indptr) == 1, firsts, -1).astype(np.int32)
    of = only[labels[1][found.heads]]
    alone = (found.sizes == 1) & (of >= 0)
    chosen = np.zeros(len(found), np.int16)
    if len(used) > 1:
        _place_wholes(labeled, ~alone, numbers, (left, sizes), chosen)
    left -= labeled.of_parts(chosen, ~alone, len(used))
    for label, rows in _by_label(np.flatnonzero(alone).astype(np.int32), of, numbers):
        chosen[rows] = np.repeat(order, _filled(left[label, order].tolist(), len(rows)))
    return np.array(used, np.int16)[chosen]


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


def _sets(sets: Sequence[Classes]) -> csr_array:
    """(sets, labels). Without any label, or where some sets have several, all rows are of one more label."""
    names = {name: n for n, name in enumerate(sorted({name for s in sets for name in s}))}
    several = any(len(s) > 1 for s in sets)
    own = [[names[name] for name in s] + ([len(names)] if several or s == NO_CLASS else []) for s in sets]
    ends = np.cumsum([0, *map(len, own)])
    flat = np.array([label for labels in own for label in labels], np.int64)
    width = int(flat.max(initial=-1)) + 1
    return csr_array((np.ones(len(flat), np.int64), flat, ends), shape=(len(own), width))


def _left(labeled: _Labeled, taken: NDArray[np.int64], shares: Sequence[float]) -> tuple[Left, NDArray[np.int64]]:
    """What each part still lacks of each label, and how many records each label has in all."""
    free = np.bincount(labeled.codes, minlength=len(taken))
    sizes: NDArray[np.int64] = labeled.sets.T @ (free + taken.sum(1))
    held: Left = labeled.sets.T @ taken
    return np.array(targets(sizes.tolist(), shares), np.int64).reshape(-1, len(shares)) - held, sizes


def _place_wholes(
    labeled: _Labeled,
    wanted: NDArray[np.bool_],
    numbers: NDArray[np.float64],
    wishes: tuple[Left, NDArray[np.int64]],
    chosen: PartNumbers,
) -> None:
    """Choose the parts of the components that are wanted. `wishes`: what is left of each label, and its records."""
    wholes = np.flatnonzero(wanted)
    if not len(wholes):
        return
    sizes, rarest = labeled.found.sizes, labeled.rarest(wishes[1])
    left = _share_of(wishes[0], labeled.of_parts(np.zeros_like(chosen), wanted, 1)[:, 0])
    if len(wholes) > _ONE_BY_ONE:
        largest = wholes[np.lexsort((numbers[wholes], -sizes[wholes]))]
        large = _ONE_BY_ONE // 4
        others = _in_turn(largest[large:], rarest, numbers)
        wholes, many = np.concatenate([largest[:large], others[: _ONE_BY_ONE - large]]), others[_ONE_BY_ONE - large :]
        many = many[np.lexsort((numbers[many], labeled.ranks()[many], sizes[many]))]
        open_places = np.maximum(wishes[0].sum(0), 0)  # of all that is left, so of some part at least
        chosen[many] = dealt(len(many), (open_places / open_places.sum()).tolist())
        among = np.zeros_like(wanted)
        among[many] = True
        left -= labeled.of_parts(chosen, among, left.shape[1])
    wholes = wholes[np.lexsort((numbers[wholes], rarest[wholes], -sizes[wholes]))]
    chosen[wholes] = placed(labeled.counts(wholes), left)


def _in_turn(rows: NDArray[np.int64], kinds: NDArray[np.int32], numbers: NDArray[np.float64]) -> NDArray[np.int64]:
    """The first of each kind, then the second of each, and so on; of one kind in the order of their numbers."""
    ordered = rows[np.lexsort((numbers[rows], kinds[rows]))]
    _, starts, counts = np.unique(kinds[ordered], return_index=True, return_counts=True)
    turns = np.arange(len(ordered)) - np.repeat(starts, counts)
    return ordered[np.argsort(turns, kind="stable")]


def _share_of(left: Left, held: NDArray[np.int64]) -> Left:
    """What components that hold so many records of each label are to fill; others fill the same share of the rest."""
    there = left.sum(1)
    share = left * (held / np.maximum(1, there))[:, None]
    return np.where((held == there)[:, None], left, np.rint(share)).astype(np.int64)


def _by_label(
    rows: RowNumbers, of: NDArray[np.int32], numbers: NDArray[np.float64]
) -> Iterator[tuple[int, RowNumbers]]:
    """Records without relatives, label by label, each in the order of its numbers."""
    order = rows[np.lexsort((numbers[rows], of[rows]))]
    labels, starts = np.unique(of[order], return_index=True)
    for label, (start, stop) in zip(labels.tolist(), pairwise([*starts.tolist(), len(order)]), strict=True):
        yield label, order[start:stop]


def _filled(wanted: list[int], count: int) -> list[int]:
    """Wanted numbers as they can be had: none negative, `count` in all; what is too much comes off the largest."""
    found = [max(0, w) for w in wanted]
    while (excess := sum(found) - count) > 0:
        largest = max(range(len(found)), key=lambda p: (found[p], -p))
        found[largest] -= min(excess, found[largest])
    found[max(range(len(found)), key=lambda p: (wanted[p], -p))] += count - sum(found)
    return found
