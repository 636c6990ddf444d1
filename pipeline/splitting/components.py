"""Relatives of relatives are relatives: rows joined by shared digests and by pairs. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.splitting.facts import Digests

Rows = NDArray[np.int64]
RowNumbers = NDArray[np.int32]
PartNumbers = NDArray[np.int16]
_ROW, _AT_ONCE = np.int32, 1 << 22
"""Two thousand million rows are more than one machine decides."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """`of[n]`: the component of row n. `heads`: of each component the row with the smallest rank. `sizes`: its rows."""

    of: NDArray[np.int32]
    heads: RowNumbers
    sizes: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.heads)

    def members(self, wanted: NDArray[np.bool_]) -> dict[int, RowNumbers]:
        """Component -> its rows, of the components that are wanted."""
        rows = np.flatnonzero(wanted[self.of]).astype(_ROW)
        order = np.argsort(self.of[rows], kind="stable")
        found, starts = np.unique(self.of[rows][order], return_index=True)
        return dict(zip(found.tolist(), np.split(rows[order], starts[1:]), strict=True))


def components(ranks: Digests, relations: Iterable[Digests], pairs: NDArray[np.int64]) -> Components:
    """Rows that share a digest (not 0) of some relation, or are a pair (n, 2), are joined.

    `ranks` say which row stands for its component, whatever the order of rows.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(ranks)
    edges = [*(_chained(digests) for digests in relations), (pairs[:, 0].astype(_ROW), pairs[:, 1].astype(_ROW))]
    links = sum(len(left) for left, _ in edges)
    if not links:
        rows = np.arange(count, dtype=_ROW)
        return Components(rows, rows, np.ones(count, _ROW))
    left, right = (np.concatenate([edge[side] for edge in edges]) for side in (0, 1))
    del edges
    graph = coo_array((np.ones(links, np.bool_), (left, right)), shape=(count, count)).tocsr()
    del left, right
    number, of = connected_components(graph, directed=False)
    del graph
    sizes = np.bincount(of, minlength=number).astype(_ROW)
    order = np.argsort(ranks, kind="stable")[::-1]
    heads = np.empty(number, _ROW)
    heads[of[order]] = order  # of several the last one stands, which has the smallest rank
    return Components(of, heads, sizes)


def shared(digests: Digests) -> NDArray[np.bool_]:
    """Rows whose digest is also that of another row."""
    left, right = _chained(digests)
    found = np.zeros(len(digests), np.bool_)
    found[left] = found[right] = True
    return found


def _chained(digests: Digests) -> tuple[RowNumbers, RowNumbers]:
    """Rows of one digest as links of a chain."""
    order = np.argsort(digests, kind="stable").astype(_ROW)
    same = np.zeros(max(0, len(digests) - 1), np.bool_)
    for start in range(0, len(same), _AT_ONCE):
        held = digests[order[start : start + _AT_ONCE + 1]]
        same[start : start + _AT_ONCE] = (held[1:] == held[:-1]) & (held[1:] != 0)
    return order[:-1][same], order[1:][same]


def no_pairs() -> NDArray[np.int64]:
    """(0, 2)."""
    return np.empty((0, 2), np.int64)


def in_pairs(pairs: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Rows that are one of a pair (n, 2), of so many rows."""
    found = np.zeros(count, np.bool_)
    found[pairs.ravel()] = True
    return found
