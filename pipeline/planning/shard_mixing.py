"""The order in which blocks are dealt to shards, so that a shard holds rows from many places of the input. Pure.

Training code that reads shards in order learns badly from rows that come class by class. Rows are shuffled within a
shard when it is written (`shards`); here the blocks of a shard are taken from several parts of the input in turns.
How many parts depends on what it costs to reach a row: see `Reach`. Payload never moves between workers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Unit
from pipeline.sources.interface import HELD_BYTES, LARGEST_HELD

STRATA = 16
OPEN_UNITS, PLACES = 16, 4
_FEW_ROWS = 2**21
_LONGEST_UNIT = 2**29
"""A longer one is read at one place at a time: what a shard reads past to reach its rows would cost too much."""

_LAST = 8
T = TypeVar("T")
Way = Literal["scattered", "held", "forwards"]


@dataclass(frozen=True, slots=True)
class Reach:
    """How the rows of an input are reached.

    `scattered`: each row at no cost, as files of a folder. `held`: `parts` units are in memory at once, and rows
    within them are reached at no cost. `forwards`: larger units are read from their start; at `parts` places at once
    where there are few of them.
    """

    way: Way
    parts: int


def blocks_per_shard(rows: int) -> int:
    """Into how many blocks a shard's records are cut: the finer, the more evenly classes are mixed.

    Of very many rows they are coarser, since each block takes memory on the submitting machine.
    """
    return 64 if rows <= _FEW_ROWS else 16


def in_stretches(shards: Sequence[T], workers: int) -> list[T]:
    """Shards of one split, for workers that take one in turns: each finds its next one near the last in the input.

    So what a worker holds of the input is read about once, and not once by every worker. The last ones are small and
    stay last: whoever is done early finds something to do.
    """
    count = max(0, len(shards) - _LAST)
    length = -(-count // max(1, workers))
    stretches = [shards[n : min(n + length, count)] for n in range(0, count, length or 1)]
    turns = [shard for turn in zip_longest(*stretches) for shard in turn if shard is not None]
    return [*turns, *shards[count:]]


def reach_of(seekable: bool, units: Sequence[Unit]) -> Reach:
    """How rows of these units are reached; `seekable`: whether the reader gets to any row at no cost."""
    if seekable:
        return Reach("scattered", STRATA)
    mean = max(1, sum(unit.bytes for unit in units) // max(1, len(units)))
    if mean <= LARGEST_HELD:
        held = HELD_BYTES // mean
        return Reach("held", min(OPEN_UNITS, max(min(held, 2), held - 1, 1)))  # room for one more: parts begin new ones
    return Reach("forwards", PLACES if len(units) <= PLACES and mean <= _LONGEST_UNIT else 1)


def mixed_order(reach: Reach, unit: NDArray[np.int32], weights: NDArray[np.float64], seed: int) -> NDArray[np.int64]:
    """A permutation of blocks: those that follow one another in it come from `reach.parts` parts of the input in turns.

    `unit`: the unit of each block, in input order; `weights`: bytes of what each becomes.
    """
    if not len(weights):
        return np.empty(0, np.int64)
    weights = np.maximum(weights, 1.0)
    draw = np.random.Philox(key=seed % 2**64)
    noise, in_order = draw.random_raw(len(weights)), np.arange(len(weights))
    if reach.way == "scattered":
        return _in_turns(_parts(weights, reach.parts), noise, weights)
    first, number = _groups(unit)
    place = np.argsort(np.argsort(draw.random_raw(len(first))))[number]  # units in random order, each in one piece
    if reach.way == "forwards":
        order = np.argsort(place, kind="stable")
        parts = _parts(weights[order], reach.parts)
    else:
        order = _in_turns(place * STRATA + _strata(unit, weights), noise, weights, place)
        parts = _parts_of_units(place[order], weights[order], reach.parts)
    return order[_in_turns(parts, in_order, weights[order])]


def _in_turns(
    part: NDArray[np.int64],
    rank: NDArray[np.integer[Any]],
    weights: NDArray[np.float64],
    within: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Parts in turns: each in the order of `rank`, and as much from each as from the others, by weight.

    `within`: larger groups that stay one after another; the parts inside each take turns.
    """
    order = np.lexsort((rank, part))
    position = _positions(part[order], weights[order])
    keys = (part[order], position) if within is None else (part[order], position, within[order])
    found: NDArray[np.int64] = order[np.lexsort(keys)]
    return found


def _strata(unit: NDArray[np.int32], weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Each unit cut into STRATA stretches of about equal weight."""
    return (_positions(unit, weights) * STRATA).astype(np.int64)


def _parts(weights: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """The input cut into `count` stretches of about equal weight."""
    return (_positions(np.zeros(len(weights), np.int32), weights) * count).astype(np.int64)


def _parts_of_units(unit: NDArray[np.int64], weights: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """The same, of whole units."""
    first, number = _groups(unit)
    return _parts(np.add.reduceat(weights, first), min(count, len(first)))[number]


def _positions(group: NDArray[np.integer[Any]], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the middle of each block is in its group, by weight: 0 < position < 1. Groups are contiguous."""
    first, number = _groups(group)
    before = np.cumsum(weights) - weights
    total = np.add.reduceat(weights, first)
    return (before - before[first][number] + weights / 2) / total[number]


def _groups(ids: NDArray[np.integer[Any]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where each run of equal ids begins, and the number of the run that each is in."""
    first = np.flatnonzero(np.append(True, ids[1:] != ids[:-1]))
    return first, np.repeat(np.arange(len(first)), np.diff(np.append(first, len(ids))))
