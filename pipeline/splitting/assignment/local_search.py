"""Components -> parts, one by one, then moved while that brings each label nearer to its target. Pure.

Whole numbers throughout, so every machine finds the same.
"""

from collections.abc import Sequence
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

_STEPS, _WORK, _PARTNERS, _KICKS, _KICKED = 10_000, 2 * 10**8, 256, 200, 3
_GOLDEN = 0.6180339887498949
Left = NDArray[np.int64]
"""(labels, parts): records that a part still lacks of a label; negative where it has too many."""


def placed(counts: csr_array, left: Left) -> NDArray[np.int64]:
    """The part of each component, in the order in which they are placed; `left` is kept up to date.

    `counts` (components, labels): records. Each component goes where it takes the most off the squares of what is left;
    then single components move, and pairs change places, while that takes off more; then a few are moved whatever that
    costs, and stay moved if the squares end up smaller (iterated local search).
    """
    search = _Search(counts, left, _one_by_one(counts, left))
    search.settle()
    for kick in range(_KICKS):
        if not search.open():
            break
        search.kick(kick)
    return search.of


def _one_by_one(counts: csr_array, left: Left) -> NDArray[np.int64]:
    open_counts = left.tolist()
    parts = range(left.shape[1])
    of = np.zeros(counts.shape[0], np.int64)
    ends, labels, many = counts.indptr.tolist(), counts.indices.tolist(), counts.data.tolist()
    for row, (start, stop) in enumerate(pairwise(ends)):
        mine = list(zip(labels[start:stop], many[start:stop], strict=True))
        lack = [sum(m * open_counts[label][part] for label, m in mine) for part in parts]
        of[row] = part = lack.index(max(lack))
        for label, m in mine:
            open_counts[label][part] -= m
    left[:] = open_counts
    return of


class _Search:
    """Moves and swaps, the best first. `of` and `left` are kept up to date."""

    def __init__(self, counts: csr_array, left: Left, of: NDArray[np.int64]) -> None:
        self.counts, self.left, self.of = counts, left, of
        self.squares = np.asarray(counts.multiply(counts).sum(axis=1)).ravel()
        self.steps = min(_STEPS, _WORK // max(1, len(of)))

    def open(self) -> bool:
        """Whether a target is missed, and there are steps left to mend it."""
        return self.steps > 0 and bool(self.left.any())

    def settle(self) -> None:
        """Move and swap while that helps."""
        while self.open() and (self.moved() or self.swapped()):
            self.steps -= 1

    def kick(self, number: int) -> None:
        """Move a few components, and settle; all as before if that is no better."""
        of, left, before = self.of.copy(), self.left.copy(), self._missed()
        for turn in range(number * _KICKED, number * _KICKED + 1 + number % _KICKED):
            row = int((turn + 0.5) * _GOLDEN % 1 * len(of))
            self._put(row, (int(self.of[row]) + 1 + turn % (left.shape[1] - 1)) % left.shape[1])
        self.settle()
        self.steps -= 1
        if self._missed() >= before:
            self.of[:], self.left[:] = of, left

    def _missed(self) -> int:
        return int((self.left * self.left).sum())

    def moved(self) -> bool:
        """Make the move that helps most."""
        gains = self._gains()
        row, part = divmod(int(gains.argmin()), self.left.shape[1])
        if gains[row, part] >= 0:
            return False
        self._put(row, part)
        return True

    def swapped(self) -> bool:
        """Make the first swap that helps: between two parts, of those that would cost the least to move alone."""
        gains = self._gains()
        for one, other in combinations(range(self.left.shape[1]), 2):
            ours, theirs = self._cheapest(gains, one, other), self._cheapest(gains, other, one)
            if not (len(ours) and len(theirs)):
                continue
            common = (self.counts[ours] @ self.counts[theirs].T).toarray()
            sums = gains[ours, other][:, None] + gains[theirs, one][None, :] - 2 * common
            first, second = divmod(int(sums.argmin()), len(theirs))
            if sums[first, second] < 0:
                self._put(int(ours[first]), other)
                self._put(int(theirs[second]), one)
                return True
        return False

    def _gains(self) -> NDArray[np.int64]:
        """(components, parts): half of what each move adds to the squares; 0 where a component is."""
        needed: NDArray[np.int64] = self.counts @ self.left
        own = np.take_along_axis(needed, self.of[:, None], 1)
        gains: NDArray[np.int64] = own - needed + self.squares[:, None]
        np.put_along_axis(gains, self.of[:, None], 0, 1)
        return gains

    def _cheapest(self, gains: NDArray[np.int64], here: int, there: int) -> NDArray[np.int64]:
        rows = np.flatnonzero(self.of == here)
        return rows[np.argsort(gains[rows, there], kind="stable")[:_PARTNERS]]

    def _put(self, row: int, part: int) -> None:
        mine = slice(self.counts.indptr[row], self.counts.indptr[row + 1])
        labels, many = self.counts.indices[mine], self.counts.data[mine]
        self.left[labels, self.of[row]] += many
        self.left[labels, part] -= many
        self.of[row] = part


def dealt(places: NDArray[np.int64], shares: Sequence[float]) -> NDArray[np.int64]:
    """Parts for places in a row: every stretch of them has the shares as nearly as can be.

    Multiples of the golden ratio, of which only the fraction counts, lie evenly in any stretch.
    """
    turns = (places + 0.5) * _GOLDEN
    found: NDArray[np.int64] = np.searchsorted(np.cumsum(shares)[:-1], turns - np.floor(turns), side="right")
    return found
