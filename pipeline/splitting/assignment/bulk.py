"""Which of very many components are placed one by one, and where the others go: dealt out in the proportion of shares.

All in the order of numbers, some components at a time. Pure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.splitting.assignment.hash_ranges import by_number, turns
from pipeline.splitting.assignment.label_counts import OPEN, Labeled
from pipeline.splitting.assignment.local_search import dealt
from pipeline.splitting.components import PartNumbers
from pipeline.storage.mapped_columns import Mask, Rows, column, spans, where

ONE_BY_ONE = 20_000
_Kind = Callable[[Rows], NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Dealing:
    """Components that are no single records. `rarest`: how many records the rarest label of each has in all.

    `numbers`: 0 <= u < 1, of each component. `chosen`: those that are placed one by one.
    """

    labeled: Labeled
    rarest: NDArray[np.int32]
    numbers: NDArray[np.float64]
    chosen: Mask

    @classmethod
    def of(cls, labeled: Labeled, rarest: NDArray[np.int32], numbers: NDArray[np.float64]) -> "Dealing":
        """A quarter of those placed one by one are the largest, the rest some of every class."""
        made = cls(labeled, rarest, numbers, column(len(labeled.found), np.bool_))
        made.chosen[made._largest(ONE_BY_ONE // 4)] = True
        made.chosen[made._in_turn(ONE_BY_ONE - ONE_BY_ONE // 4)] = True
        return made

    def deal(self, shares: Sequence[float], parts: PartNumbers) -> None:
        """Give all that are not placed one by one their parts: like ones, of one size and kind, evenly."""
        names, counts = self._counted(self._kind)
        seen = np.cumsum(counts) - counts
        for rows in by_number(self.numbers, self._open):
            at = np.searchsorted(names, self._kind(rows))
            parts[rows] = dealt(seen[at] + turns(at), shares)
            seen += np.bincount(at, minlength=len(seen))

    def _largest(self, count: int) -> Rows:
        """Of those of one size the ones with the smallest numbers."""
        sizes, counts = self._counted(lambda rows: self.labeled.found.sizes[rows])
        size = int(sizes[::-1][np.searchsorted(np.cumsum(counts[::-1]), count)])
        of = self.labeled.found.sizes
        found = [where(len(of), lambda span: self._open(span) & (of[span] > size))]
        left = count - sum(map(len, found))
        for rows in by_number(self.numbers, lambda span: self._open(span) & (of[span] == size)):
            found.append(rows[:left])
            left -= len(found[-1])
            if not left:
                break
        return np.concatenate(found)

    def _in_turn(self, count: int) -> Rows:
        """The first of each kind of rarest label, then the second of each, and so on."""
        names, counts = self._counted(lambda rows: self.rarest[rows])
        last = next(turn for turn in range(1, count + 1) if int(np.minimum(counts, turn).sum()) >= count)
        seen, held = np.zeros(len(names), np.int64), []
        for rows in by_number(self.numbers, self._open):
            at = np.searchsorted(names, self.rarest[rows])
            turn = seen[at] + turns(at)
            early = turn < last
            held.append((rows[early], at[early], turn[early]))
            seen += np.bincount(at, minlength=len(seen))
        found, at, turn = (np.concatenate(parts) for parts in zip(*held, strict=True))
        chosen: Rows = found[np.lexsort((at, turn))[:count]]
        return chosen

    def _open(self, span: slice) -> Mask:
        found: Mask = (self.labeled.single[span] == OPEN) & ~self.chosen[span]
        return found

    def _kind(self, rows: Rows) -> NDArray[np.int64]:
        """Size, then the labels of the head."""
        return self.labeled.found.sizes[rows] * np.int64(len(self.labeled.kinds)) + self.labeled.kind_of(rows)

    def _counted(self, kind: _Kind) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What `kind` says of the components that are open, ascending, and how often."""
        names, counts = np.empty(0, np.int64), np.empty(0, np.int64)
        for span in spans(len(self.chosen)):
            rows = np.flatnonzero(self._open(span)).astype(np.int32) + np.int32(span.start)
            new, often = np.unique(kind(rows), return_counts=True)
            names, at = np.unique(np.concatenate([names, new]), return_inverse=True)
            counts = np.bincount(at, np.concatenate([counts, often]), len(names)).astype(np.int64)
        return names, counts
