"""Columns of all records: long ones lie on this machine's disk and are mapped, so memory holds a stretch at a time.

Row numbers are 32 bits: two thousand million rows are more than one machine decides.
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from pipeline.storage.scratch import mapped_zeros

Rows = NDArray[np.int32]
Mask = NDArray[np.bool_]
IN_MEMORY = 1 << 21
"""Columns of more rows lie on disk."""
STRETCH = 1 << 20


def column(rows: int, kind: DTypeLike) -> NDArray[Any]:
    """Zeros. Raises RunFailed if there is no room on disk."""
    if rows <= IN_MEMORY:
        return np.zeros(rows, kind)
    return np.frombuffer(mapped_zeros(rows * np.dtype(kind).itemsize), kind)


def spans(rows: int) -> Iterator[slice]:
    """Stretches of so many rows, in order."""
    for start in range(0, rows, STRETCH):
        yield slice(start, min(rows, start + STRETCH))


def made(rows: int, kind: DTypeLike, values: Callable[[slice], Any]) -> NDArray[Any]:
    """A column whose stretches `values` tells."""
    found = column(rows, kind)
    for span in spans(rows):
        found[span] = values(span)
    return found


def taken(values: NDArray[Any], rows: Rows) -> NDArray[Any]:
    """The values of some rows, as a column."""
    return made(len(rows), values.dtype, lambda span: values[rows[span]])


def some(values: NDArray[Any], rows: Rows) -> NDArray[Any]:
    """The values of some rows, ascending: no copy if they are all."""
    return values if len(rows) == len(values) else taken(values, rows)


def count(rows: int, condition: Callable[[slice], Mask]) -> int:
    """How many rows meet a condition."""
    return sum(int(condition(span).sum()) for span in spans(rows))


def where(rows: int, condition: Callable[[slice], Mask]) -> Rows:
    """The rows that meet a condition, ascending, as a column."""
    found = column(count(rows, condition), np.int32)
    end = 0
    for span in spans(rows):
        here = np.flatnonzero(condition(span))
        found[end : end + len(here)] = here + span.start
        end += len(here)
    return found


def joined(*parts: NDArray[Any]) -> NDArray[Any]:
    """One after the other, as a column."""
    found, end = column(sum(map(len, parts)), parts[0].dtype), 0
    for part in parts:
        for span in spans(len(part)):
            found[end + span.start : end + span.stop] = part[span]
        end += len(part)
    return found


class Growing:
    """A column of which nobody knows yet how long it will be."""

    def __init__(self, kind: DTypeLike) -> None:
        self._held, self._end = column(0, kind), 0

    @property
    def values(self) -> NDArray[Any]:
        """What there is so far."""
        return self._held[: self._end]

    def extend(self, more: NDArray[Any]) -> None:
        """Put it behind."""
        if self._end + len(more) > len(self._held):
            held = column(2 * (self._end + len(more)), self._held.dtype)
            for span in spans(self._end):
                held[span] = self._held[span]
            self._held = held
        self._held[self._end : self._end + len(more)] = more
        self._end += len(more)
