"""Rows by a hashed value, a range of values at a time, so that what is sorted fits in memory. Pure."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.storage.mapped_columns import Mask, Rows, spans

HELD = 1 << 20
"""Rows that are sorted at once; hashes deal them out evenly."""
Digests = NDArray[np.uint64]
"""64 bits of blake2b of each value; 0: there is none. Two of 10**8 values agree by chance once in 3,700 inputs."""
_ODD = np.uint64(0x9E3779B97F4A7C15)
_Held = tuple[Rows, NDArray[Any]]


def same(digests: Digests) -> Iterator[tuple[Rows, Rows]]:
    """First rows and later rows: each later row has the digest (not 0) of its first row, which has it first of all."""
    count = _ranges(len(digests))
    for low, high in pairwise([1, *(n * 2**64 // count for n in range(1, count)), 2**64]):
        held: list[_Held] = []
        for part in _within(digests, np.uint64(low), np.uint64(high - 1), None):
            held.append(part)
            if sum(len(rows) for rows, _ in held) > 2 * HELD:
                links, firsts = _linked(held)
                yield links
                held = [firsts]  # of a digest that very many rows have, one goes on
        if held:
            yield _linked(held)[0]


def by_number(numbers: NDArray[np.float64], wanted: Callable[[slice], Mask]) -> Iterator[Rows]:
    """The rows that are wanted in the order of their numbers (0 <= u < 1), some at a time; like ones as they stand."""
    edges = np.linspace(0.0, 1.0, _ranges(len(numbers)) + 1)
    for low, high in pairwise(edges.tolist()):
        held = list(_within(numbers, low, np.nextafter(high, 0.0), wanted))
        rows, values = _all_of(held) if held else (np.empty(0, np.int32), np.empty(0))
        if len(rows):
            yield rows[np.argsort(values, kind="stable")]


def alike(names: NDArray[np.uint64]) -> Iterator[NDArray[np.int64]]:
    """Places of names: all of one name come at once, of several names so many as are held."""
    count = _ranges(len(names))
    for low, high in pairwise([n * 2**64 // count for n in range(count)] + [2**64]):
        held = [np.empty(0, np.int64)]
        for span in spans(len(names)):
            mixed = names[span] * _ODD  # small numbers are dealt out as hashes are
            held.append(np.flatnonzero((mixed >= np.uint64(low)) & (mixed <= np.uint64(high - 1))) + span.start)
        yield np.concatenate(held)


def turns(kinds: NDArray[Any]) -> NDArray[np.int64]:
    """Of each row how many rows before it are of its kind."""
    order = np.argsort(kinds, kind="stable")
    begins = np.flatnonzero(_begins(kinds[order]))
    found = np.empty(len(kinds), np.int64)
    found[order] = np.arange(len(kinds)) - np.repeat(begins, np.diff(begins, append=len(kinds)))
    return found


def _ranges(rows: int) -> int:
    return max(1, -(-rows // HELD))


def _within(values: NDArray[Any], low: Any, high: Any, wanted: Callable[[slice], Mask] | None) -> Iterator[_Held]:
    for span in spans(len(values)):
        here = values[span]
        chosen = (here >= low) & (here <= high)
        if wanted is not None:
            chosen &= wanted(span)
        rows = np.flatnonzero(chosen).astype(np.int32)
        if len(rows):
            yield rows + np.int32(span.start), here[rows]


def _linked(held: list[_Held]) -> tuple[tuple[Rows, Rows], _Held]:
    """First and later rows, and the first ones with their values."""
    rows, values = _all_of(held)
    order = np.argsort(values, kind="stable")
    rows, values = rows[order], values[order]
    begins = np.flatnonzero(_begins(values))
    firsts = np.repeat(rows[begins], np.diff(begins, append=len(rows)))
    later = firsts != rows
    return (firsts[later], rows[later]), (rows[begins], values[begins])


def _all_of(held: list[_Held]) -> _Held:
    rows, values = zip(*held, strict=True)
    return np.concatenate(rows), np.concatenate(values)


def _begins(ordered: NDArray[Any]) -> Mask:
    found = np.ones(len(ordered), np.bool_)
    found[1:] = ordered[1:] != ordered[:-1]
    return found
