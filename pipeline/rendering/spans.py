"""Blocks -> spans: what is read at once, where a worker holds a unit and gets to its rows at no cost. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Block, Unit
from pipeline.sources.interface import LARGEST_HELD, Reader


@dataclass(frozen=True, slots=True)
class Span:
    """Rows of a unit that hold some blocks of it, which ascend; keys of a span cost less than those of each block."""

    unit: Unit
    blocks: tuple[Block, ...]

    @property
    def start(self) -> int:
        """The first row."""
        return self.blocks[0].start

    @property
    def stop(self) -> int:
        """The row after the last one."""
        return self.blocks[-1].stop

    def of(self, start: int, count: int) -> tuple[NDArray[np.bool_], NDArray[np.uint8] | None]:
        """Of rows `start`..`start + count` of the unit: which are in a block, and what the survey decided of those."""
        inside = np.zeros(count, np.bool_)
        decided = np.zeros(count, np.uint8) if self.blocks[0].splits else None
        for block in self.blocks:
            first, last = max(block.start, start), min(block.stop, start + count)
            if first < last:
                inside[first - start : last - start] = True
                if decided is not None:
                    known = np.frombuffer(block.splits, np.uint8)
                    decided[first - start : last - start] = known[first - block.start : last - block.start]
        return inside, decided


def spans_of(reader: Reader, blocks: Sequence[Block]) -> list[Span]:
    """The spans of some blocks, in their order: blocks of one held unit that follow one another are one."""
    runs: list[list[Block]] = []
    for block in blocks:
        if runs and not reader.seekable and _goes_on(runs[-1][-1], block):
            runs[-1].append(block)
        else:
            runs.append([block])
    return [Span(run[0].unit, tuple(run)) for run in runs]


def _goes_on(before: Block, block: Block) -> bool:
    same = block.unit is before.unit or block.unit == before.unit
    ascends = block.start >= before.stop and bool(block.splits) == bool(before.splits)
    return same and ascends and (block.start == before.stop or block.unit.bytes <= LARGEST_HELD)
