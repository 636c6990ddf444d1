"""Relatives of relatives are relatives: rows joined by shared digests and by pairs. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.splitting.facts import Digests

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """`of[n]`: the component of row n. `heads`: of each component the row with the smallest rank. `sizes`: its rows."""

    of: NDArray[np.int64]
    heads: Rows
    sizes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.heads)

    def members(self, wanted: NDArray[np.bool_]) -> dict[int, Rows]:
        """Component -> its rows, of the components that are wanted."""
        rows = np.flatnonzero(wanted[self.of])
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
    edges = [_chained(digests) for digests in relations]
    left, right = (np.concatenate([*(e[side] for e in edges), pairs[:, side]]).astype(np.int32) for side in (0, 1))
    if not len(left):
        rows = np.arange(count)
        return Components(rows, rows, np.ones(count, np.int64))
    graph = coo_array((np.ones(len(left), np.bool_), (left, right)), shape=(count, count))
    number, of = connected_components(graph, directed=False)
    order = np.lexsort((ranks, of))
    sizes = np.bincount(of, minlength=number)
    heads = order[np.concatenate([[0], np.cumsum(sizes)[:-1]])]
    return Components(of.astype(np.int64), heads, sizes)


def shared(digests: Digests) -> NDArray[np.bool_]:
    """Rows whose digest is also that of another row."""
    left, right = _chained(digests)
    found = np.zeros(len(digests), np.bool_)
    found[left] = found[right] = True
    return found


def _chained(digests: Digests) -> tuple[Rows, Rows]:
    """Rows of one digest as links of a chain."""
    order = np.argsort(digests, kind="stable")
    held = digests[order]
    same = (held[1:] == held[:-1]) & (held[1:] != 0)
    return order[:-1][same], order[1:][same]


def no_pairs() -> NDArray[np.int64]:
    """(0, 2)."""
    return np.empty((0, 2), np.int64)


def in_pairs(pairs: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Rows that are one of a pair (n, 2), of so many rows."""
    found = np.zeros(count, np.bool_)
    found[pairs.ravel()] = True
    return found
