"""Blocks of the input with their records by split, column by column: 32 bytes a block, whatever its records are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.planning.split_table import SplitTable, block_of
from pipeline.records import SPLITS, Block, Split, Unit


@dataclass(frozen=True, slots=True)
class BlockTally:
    """A block and how many records of each split it holds."""

    block: Block
    records: dict[Split, int]


@dataclass(frozen=True, slots=True, eq=False)
class BlockTable(Sequence[BlockTally]):
    """Blocks in input order: rows `start`..`stop` of `units[unit]`; `records` has a column per split of SPLITS."""

    units: tuple[Unit, ...]
    unit: NDArray[np.int32]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]
    records: NDArray[np.int32]
    decided: SplitTable | None = None

    @classmethod
    def of(cls, tallies: Iterable[BlockTally]) -> "BlockTable":
        """The table of some blocks; those of one unit stand together."""
        units: list[Unit] = []
        rows = []
        for tally in tallies:
            if not units or units[-1] is not tally.block.unit:
                units.append(tally.block.unit)
            counts = (tally.records.get(split, 0) for split in SPLITS)
            rows.append((len(units) - 1, tally.block.start, tally.block.stop, *counts))
        found = np.array(rows, np.int64).reshape(-1, 3 + len(SPLITS))
        return cls(tuple(units), found[:, 0].astype(np.int32), found[:, 1], found[:, 2], found[:, 3:].astype(np.int32))

    def __len__(self) -> int:
        return len(self.unit)

    def __getitem__(self, place: int) -> BlockTally:  # type: ignore[override]
        counts = zip(SPLITS, self.records[place].tolist(), strict=True)
        return BlockTally(self.block(place), {split: count for split, count in counts if count})

    def block(self, place: int) -> Block:
        """One block."""
        return block_of(self.decided, self.units[self.unit[place]], int(self.start[place]), int(self.stop[place]))

    def of_split(self, split: Split) -> NDArray[np.int32]:
        """Records of a split in each block."""
        column: NDArray[np.int32] = self.records[:, SPLITS.index(split)]
        return column
