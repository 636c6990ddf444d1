"""Relatives of relatives are relatives: rows joined by shared digests and by pairs. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.splitting.assignment.hash_ranges import Digests, same
from pipeline.storage.mapped_columns import Rows, column, made, spans, where

Pairs = NDArray[np.int64]
PartNumbers = NDArray[np.int16]
_LARGEST = np.iinfo(np.uint64).max


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """`of[n]`: the component of row n. `heads`: of each component the row with the smallest rank. `sizes`: its rows.

    `related`: of each relation, how many rows it joins to another one.
    """

    of: Rows
    heads: Rows
    sizes: NDArray[np.int32]
    related: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.heads)

    def members(self, wanted: NDArray[np.bool_]) -> Rows:
        """The rows of the components that are wanted."""
        return where(len(self.of), lambda span: wanted[self.of[span]])


def components(ranks: Digests, relations: Iterable[Digests], pairs: Pairs) -> Components:
    """Rows that share a digest (not 0) of some relation, or are a pair (n, 2), are joined.

    `ranks` say which row stands for its component, whatever the order of rows.
    """
    forest, related = _Forest(len(ranks)), []
    for number, digests in enumerate(relations):
        marks = column(len(ranks), np.bool_)
        for firsts, rows in same(digests):
            marks[firsts] = marks[rows] = True
            (forest.join if number else forest.hang)(firsts, rows)
        related.append(int(marks.sum()))
    forest.join(pairs[:, 0].astype(np.int32), pairs[:, 1].astype(np.int32))
    of, number = forest.numbered()
    sizes = column(number, np.int32)
    for span in spans(len(of)):
        np.add.at(sizes, of[span], 1)
    return Components(of, _heads(of, sizes, ranks), sizes, tuple(related))


class _Forest:
    """Which rows are joined so far: `above` leads from each row to the first row of its component."""

    def __init__(self, rows: int) -> None:
        self.above: Rows = made(rows, np.int32, lambda span: np.arange(span.start, span.stop))

    def hang(self, firsts: Rows, rows: Rows) -> None:
        """Join rows to first ones, while nothing else is joined."""
        self.above[rows] = firsts

    def join(self, left: Rows, right: Rows) -> None:
        """Join the components of these rows, pair by pair."""
        left, right = self.firsts(left), self.firsts(right)
        apart = left != right
        if not apart.any():
            return
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        nodes, places = np.unique(np.concatenate([left[apart], right[apart]]), return_inverse=True)
        ends = places.reshape(2, -1)
        graph = coo_array((np.ones(ends.shape[1], np.bool_), (ends[0], ends[1])), shape=(len(nodes), len(nodes)))
        _, labels = connected_components(graph.tocsr(), directed=False)
        _, first = np.unique(labels, return_index=True)
        self.above[nodes] = nodes[first[labels]]

    def firsts(self, rows: Rows) -> Rows:
        """The first row of the component of each."""
        found = self.above[rows]
        while not np.array_equal(above := self.above[found], found):
            found = above
        self.above[rows] = found
        return found

    def numbered(self) -> tuple[Rows, int]:
        """Components by number, in the order of their first rows, and how many there are."""
        of, number = column(len(self.above), np.int32), 0
        for span in spans(len(of)):
            rows = np.arange(span.start, span.stop, dtype=np.int32)
            firsts = self.firsts(rows)
            new = rows[firsts == rows]
            of[new] = np.arange(number, number + len(new))
            of[span] = of[firsts]  # a first row is never behind
            number += len(new)
        return of, number


def _heads(of: Rows, sizes: NDArray[np.int32], ranks: Digests) -> Rows:
    """Of each component the row with the smallest rank, and of several the first."""
    heads, least = column(len(sizes), np.int32), column(len(sizes), np.uint64)
    least[:] = _LARGEST
    for span in spans(len(of)):
        np.minimum.at(least, of[span], ranks[span])
    for span in reversed(list(spans(len(of)))):
        rows = np.flatnonzero(ranks[span] == least[of[span]])[::-1]
        heads[of[span][rows]] = rows + span.start  # the last one that is written stands
    return heads


def no_pairs() -> Pairs:
    """(0, 2)."""
    return np.empty((0, 2), np.int64)
