"""Blocks of one split -> shards of about a size, as ranges; a `Shard` is made when somebody asks for it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from pipeline.planning.blocks import BlockTable
from pipeline.planning.split_table import SplitTable, block_of
from pipeline.records import Shard, Split, Unit

_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class SplitShards:
    """Shards of one split. Shard n reads the runs `first[n]`..`first[n + 1]`: rows `start`..`stop` of `units[unit]`."""

    split: Split
    units: tuple[Unit, ...]
    unit: NDArray[np.int32]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    first: NDArray[np.int64]
    decided: SplitTable | None = None

    def __len__(self) -> int:
        return len(self.first) - 1

    def shard(self, index: int) -> Shard:
        """One of them."""
        runs = slice(self.first[index], self.first[index + 1])
        rows = zip(self.unit[runs].tolist(), self.start[runs].tolist(), self.stop[runs].tolist(), strict=True)
        return Shard(self.split, index, tuple(block_of(self.decided, self.units[u], *row) for u, *row in rows))


@dataclass(frozen=True, slots=True, eq=False)
class ShardTable(Sequence[Shard]):
    """The shards of all splits, in order."""

    parts: tuple[SplitShards, ...] = ()

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def __getitem__(self, place: int) -> Shard:  # type: ignore[override]
        index = range(len(self))[place]
        for part in self.parts:
            if index < len(part):
                return part.shard(index)
            index -= len(part)
        raise IndexError(place)

    def __iter__(self) -> Iterator[Shard]:
        for part in self.parts:
            yield from map(part.shard, range(len(part)))


@dataclass(frozen=True, slots=True)
class Sizing:
    """How large shards become: about `size` bytes, or all alike, `count` of them."""

    size: float
    count: int | None = None

    def cuts(self, weights: NDArray[np.float64]) -> NDArray[np.int64]:
        """The places where shards begin. There are fewer than `count` where there are fewer blocks."""
        if self.count is None:
            return np.fromiter(cut(weights, self.size), np.int64)
        ends = np.cumsum(np.maximum(weights, 1.0))
        number = ((ends - weights / 2) / ends[-1] * self.count).astype(np.int64) if len(ends) else ends
        return np.flatnonzero(np.diff(number, prepend=-1))


def cut_shards(
    split: Split,
    table: BlockTable,
    weights: NDArray[np.float64],
    sizing: "Sizing",
    order: NDArray[np.int64] | None = None,
) -> SplitShards:
    """Blocks that hold records of the split, cut into shards; `weights`: what each of those blocks becomes, in bytes.

    `order`: the order in which blocks are dealt to shards; absent: that of the input. Within a shard blocks are in
    input order, and neighbouring blocks of one unit are one run, so that a shard reads forwards, each stretch once.
    """
    chosen = np.flatnonzero(table.of_split(split))
    cuts = sizing.cuts(weights if order is None else weights[order])
    if order is not None:
        shard = np.repeat(np.arange(len(cuts)), np.diff(np.append(cuts, len(chosen))))
        chosen = chosen[order[np.lexsort((order, shard))]]
    unit, start, stop = table.unit[chosen], table.start[chosen], table.stop[chosen]
    begins = np.ones(len(chosen), np.bool_)
    begins[1:] = (unit[1:] != unit[:-1]) | (start[1:] != stop[:-1])
    begins[cuts] = True
    runs = np.flatnonzero(begins)
    ends = np.append(runs[1:], len(chosen))[: len(runs)] - 1
    first = np.append(np.searchsorted(runs, cuts), len(runs))
    return SplitShards(split, table.units, unit[runs], start[runs], stop[ends], first, table.decided)


def cut(weights: NDArray[np.float64], size: float) -> Iterator[int]:
    """The places where shards begin: blocks go together until the next one would make more than `size` bytes.

    Of the last two shards' worth quarters are made: a worker that is done early finds something left to do.
    """
    left = sum(_numbers(weights))
    weight, room = 0.0, 0.0
    for place, heavy in enumerate(_numbers(weights)):
        if not place or weight + heavy > room:
            yield place
            weight, room = 0.0, size if left > 2 * size else size / 4
        weight += heavy
        left -= heavy


def _numbers(weights: NDArray[np.float64]) -> Iterator[float]:
    """Python's own numbers, which it adds the same way everywhere; never many at a time."""
    return chain.from_iterable(weights[n : n + _AT_ONCE].tolist() for n in range(0, len(weights), _AT_ONCE))
