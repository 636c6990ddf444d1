"""Find one row of the input again, by file and row number, without listing all of it."""

from dataclasses import replace

import pyarrow as pa

from pipeline.config import JobConfig
from pipeline.errors import InputError
from pipeline.records import Block
from pipeline.sources import Listing, Reader, list_file
from pipeline.sources.parquet import ParquetReader
from pipeline.sources.tables import TableReader
from pipeline.storage import Folder


def located(config: JobConfig, known: pa.Schema, root: Folder, name: str, number: int) -> tuple[Reader, Block]:
    """The reader of one file below `root`, and the block of row `number` in it; see `completed`. Raises InputError."""
    listing = completed(list_file(config, root, name), known)
    return listing.reader, placed(listing, name, number)


def completed(listing: Listing, known: pa.Schema) -> Listing:
    """The listing of one file with the columns that other files of its input had: they are null here."""
    lacking = [field for field in known if field.name not in listing.schema.names]
    if not lacking or not isinstance(listing.reader, ParquetReader | TableReader):
        return listing
    schema = pa.schema([*listing.schema, *lacking], listing.schema.metadata)
    reader: Reader = replace(listing.reader, schema=schema)
    if isinstance(reader, ParquetReader):
        reader = replace(reader, columns=tuple(schema.names))
    return replace(listing, schema=schema, reader=reader)


def placed(listing: Listing, name: str, number: int) -> Block:
    """The block of row `number` of a file that was listed alone. Raises InputError."""
    for unit in listing.units:
        first = 0 if unit.members else unit.first_row
        if first <= number < first + unit.rows:
            return Block(unit, number - first, number - first + 1)
    raise InputError(f"{name} has no row {number} any more")
