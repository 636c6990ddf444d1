"""Marks of all files of one side: in memory while they are few, else on this machine's disk, dealt by their digests."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.audit.digest_matching import PLACED, Found, by_part, matched, open_sieve, parts_of, placed
from pipeline.audit.row_digests import TRAIN, Marks, Portion
from pipeline.storage.scratch import appended, scratch_folder

_MARKS_PER_PART, _AT_ONCE = 2**21, 2**21
"""Each is 26 bytes; that many are matched, and written, at once."""


class Spool:
    """Takes marks in, and gives them back part by part: those of one digest are in one part."""

    def __init__(self, name: str, parts: int) -> None:
        self._name, self._parts = name, parts
        self._some: list[NDArray[Any]] = []
        self._count = 0

    def add(self, marks: Marks) -> None:
        """Take those of one file in. Raises RunFailed where the disk is full."""
        self._some.append(placed([marks]))
        self._count += len(marks.values)
        if self._parts > 1 and self._count >= _AT_ONCE:
            self._write()

    def part(self, number: int) -> NDArray[Any]:
        """(n,) of PLACED. Nothing may be added any more."""
        if self._parts == 1:
            return self._gathered()
        self._write()
        path = self._path(number)
        return np.fromfile(path, PLACED) if path.exists() else np.empty(0, PLACED)

    def _write(self) -> None:
        values, self._some, self._count = self._gathered(), [], 0
        numbers = parts_of(values, self._parts)
        order = np.argsort(numbers, kind="stable")
        found, begins = np.unique(numbers[order], return_index=True)
        for number, places in zip(found.tolist(), np.split(order, begins[1:]) if len(found) else (), strict=True):
            appended(self._path(number), values[places].tobytes())

    def _gathered(self) -> NDArray[Any]:
        return np.concatenate([np.empty(0, PLACED), *self._some])

    def _path(self, number: int) -> Path:
        return Path(f"{self._name}-{number}")


def facts_of(portions: Sequence[Portion], marks: Callable[[bool], Iterable[Marks]]) -> Iterator[Found]:
    """What the sides share, part by part. `marks`: those of the files of the training side, or of the other one."""
    if not portions:
        return
    looked = portions[0].looked
    held_marks = sum(p.rows for p in portions if p.split != TRAIN) * len(looked.marked)
    everything = held_marks + sum(p.rows for p in portions)
    parts = 1 << max(0, -(-everything // _MARKS_PER_PART) - 1).bit_length()
    sieve = open_sieve(0, held_marks)
    with scratch_folder() as folder:
        held, train = Spool(f"{folder}/held", parts), Spool(f"{folder}/train", parts)
        for one in marks(False):
            sieve.take(one.values["low"])
            held.add(one)
        for one in marks(True):
            for _, some in by_part(one, 1, [sieve]):
                train.add(some)
        for number in range(parts):
            yield matched(held.part(number), train.part(number), looked)
