"""What every kind of input offers: a listing made once on the submitting machine, and a reader that workers use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from pipeline.records import InputFile, Unit
from pipeline.storage.folder import Folder

BATCH_BYTES = 4 * 2**20
BATCH_ROWS = 1024
KEY_ROWS = 65_536
HELD_BYTES = 64 * 2**20
"""Units of this size together are held by a worker, so that shards may take their rows in any order."""
LARGEST_HELD = 2 * HELD_BYTES
"""Of a unit that is held alone."""


class Reader(Protocol):
    """Reads rows of units; small and picklable, so that it travels to workers."""

    @property
    def root(self) -> Folder:
        """The input root, against which all paths are relative."""
        ...

    @property
    def seekable(self) -> bool:
        """Whether any row of a unit is reached at no cost; else a unit is read from its start."""
        ...

    def read(self, unit: Unit, columns: Sequence[str] | None, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Rows `start`..`stop` of a unit in order, in batches of bounded memory. `columns` None: all of them."""
        ...

    def expect(self, units: Sequence[Unit]) -> None:
        """Told before some units are read in this order, whole rows of them: a reader that holds units keeps those."""

    def locate(self, unit: Unit, row: int) -> tuple[str, int]:
        """Source file (relative to the root) and 0-based row in that file of row `row` of a unit."""
        ...


@dataclass(frozen=True, slots=True)
class Listing:
    """The input snapshot: files with tags, the units they hold, the common schema, and how to read them."""

    reader: Reader
    files: tuple[InputFile, ...]
    units: tuple[Unit, ...]
    schema: pa.Schema
    kind: str
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What people should know of it."""


def batch_rows(unit: Unit, columns: Sequence[str] | None) -> int:
    """Rows per batch: whole rows in batches of about BATCH_BYTES, chosen (small) columns in long batches."""
    if columns is not None:
        return KEY_ROWS
    average = max(1, unit.bytes // max(1, unit.rows))
    return max(1, min(BATCH_ROWS, BATCH_BYTES // average))
