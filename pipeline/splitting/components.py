"""Relatives of relatives are relatives: rows joined by shared digests and by pairs. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.splitting.facts import Digests

Rows = NDArray[np.int64]
RowNumbers = NDArray[np.int32]
PartNumbers = NDArray[np.int16]
_ROW, _AT_ONCE = np.int32, 1 << 18
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
    of, number = np.arange(len(ranks), dtype=_ROW), len(ranks)
    for digests in relations:
        of, number = _joined(of, number, *_sorted(digests))
    of, number = _linked(of, number, (pairs[:, 0], pairs[:, 1]))
    return Components(of, _heads(of, number, ranks), np.bincount(of, minlength=number).astype(_ROW))


def shared(digests: Digests) -> NDArray[np.bool_]:
    """Rows whose digest is also that of another row."""
    order, same = _sorted(digests)
    found = np.zeros(len(digests), np.bool_)
    found[order[:-1][same]] = found[order[1:][same]] = True
    return found


def _sorted(digests: Digests) -> tuple[RowNumbers, NDArray[np.bool_]]:
    """Rows in the order of their digests, and whether each has that of the next one."""
    order = np.argsort(digests, kind="stable").astype(_ROW)
    same = np.zeros(max(0, len(digests) - 1), np.bool_)
    for start in range(0, len(same), _AT_ONCE):
        held = digests[order[start : start + _AT_ONCE + 1]]
        same[start : start + _AT_ONCE] = (held[1:] == held[:-1]) & (held[1:] != 0)
    return order, same


def _joined(of: RowNumbers, number: int, order: RowNumbers, same: NDArray[np.bool_]) -> tuple[RowNumbers, int]:
    """Components and how many there are, once rows that are the same are joined."""
    if number < len(of):
        return _linked(of, number, (order[:-1][same], order[1:][same]))
    found = np.zeros(len(of), _ROW)  # no row is joined yet: runs of the same are the components
    found[order[1:]] = np.cumsum(~same, dtype=_ROW)
    return found, int(found[order[-1]]) + 1 if len(of) else 0


def _linked(of: RowNumbers, number: int, links: tuple[NDArray[Any], NDArray[Any]]) -> tuple[RowNumbers, int]:
    """The same, once the components of linked rows are joined."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    left, right = of[links[0]], of[links[1]]
    apart = left != right
    if not apart.any():
        return of, number
    left, right = left[apart], right[apart]
    graph = coo_array((np.ones(len(left), np.bool_), (left, right)), shape=(number, number)).tocsr()
    fewer, labels = connected_components(graph, directed=False)
    return labels.astype(_ROW, copy=False)[of], int(fewer)


def _heads(of: RowNumbers, number: int, ranks: Digests) -> RowNumbers:
    """Of each component the row with the smallest rank, and of several the first."""
    least = np.full(number, np.iinfo(np.uint64).max)
    np.minimum.at(least, of, ranks)
    heads = np.zeros(number, _ROW)
    for start in reversed(range(0, len(of), _AT_ONCE)):
        here = of[start : start + _AT_ONCE]
        rows = np.flatnonzero(ranks[start : start + _AT_ONCE] == least[here])[::-1]
        heads[here[rows]] = rows + start  # the last one that is written stands
    return heads


def no_pairs() -> NDArray[np.int64]:
    """(0, 2)."""
    return np.empty((0, 2), np.int64)


def in_pairs(pairs: NDArray[np.int64], count: int) -> NDArray[np.bool_]:
    """Rows that are one of a pair (n, 2), of so many rows."""
    found = np.zeros(count, np.bool_)
    found[pairs.ravel()] = True
    return found
