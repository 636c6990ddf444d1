"""Source files of a finished version, opened once more: all rows of one, or the rows of some ids."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.schema import JobConfig
from pipeline.records import Block, InputFile, Unit
from pipeline.sources import Listing, Reader, list_file
from pipeline.sources.folder import FolderReader
from pipeline.sources.key_columns import text_of
from pipeline.sources.locate import completed
from pipeline.sources.snapshot import read_listed
from pipeline.storage.folder import Folder


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the input as it is now: its listing, the reader whose paths count from the input root, its units."""

    name: str
    listing: Listing
    reader: Reader
    units: tuple[Unit, ...]

    def batches(self, columns: Sequence[str] | None) -> Iterator[tuple[Unit, int, pa.RecordBatch]]:
        """Some columns of all rows: each batch with its unit, and the row of the unit that it begins with."""
        for unit in self.units:
            start = 0
            for batch in read_listed(self.reader, unit, columns, 0, unit.rows):
                yield unit, start, batch
                start += batch.num_rows

    def block(self, row: int) -> Block | None:
        """Row `row` of the file; None if it has fewer."""
        for unit in self.units:
            first = 0 if unit.members else unit.first_row
            if first <= row < first + unit.rows:
                return Block(unit, row - first, row - first + 1)
        return None

    def rows_of(self, column: str, ids: Sequence[str]) -> dict[str, Block]:
        """The first row of each id that the file holds."""
        found: dict[str, Block] = {}
        wanted = pa.array(ids, pa.string())
        for unit, start, batch in self.batches([column]):
            names = as_text(batch.column(column))
            for row in pc.indices_nonzero(pc.is_in(names, value_set=wanted)).to_pylist():
                found.setdefault(names[row].as_py(), Block(unit, start + row, start + row + 1))
        return found

    def has(self, block: Block, column: str, key: str) -> bool:
        """Whether the row of a block has that id."""
        rows = read_listed(self.reader, block.unit, [column], block.start, block.stop)
        return any(as_text(batch.column(column)).to_pylist() == [key] for batch in rows)


def source_file(config: JobConfig, root: Folder, name: str, known: pa.Schema | None = None) -> SourceFile:
    """The file of that name below the input root; columns of `known` that it lacks are null. Raises InputError."""
    listing = list_file(config, root, name)
    if known is not None:
        listing = completed(listing, known)
    return SourceFile(name, listing, listing.reader, tuple(unit for unit in listing.units if unit.rows))


def as_folder(file: SourceFile, names: Sequence[str]) -> SourceFile | None:
    """All files of a folder as one, since their names tell all columns; None where the input is no folder of files."""
    if not isinstance(file.reader, FolderReader):
        return None
    members = tuple(InputFile(name, 0, "") for name in names)
    unit = Unit(file=names[0], rows=len(names), bytes=0, members=members)
    return SourceFile(names[0], file.listing, file.reader, (unit,))


def as_text(column: pa.Array) -> pa.Array:
    """Ids as the lineage names them: text, integers in decimal; null for what is not UTF-8."""
    return text_of(column)[0]
