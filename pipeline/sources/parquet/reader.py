"""Parquet input: a unit is one row group. Rows stream page by page, so one huge row group needs little memory."""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError, Problem
from pipeline.records import InputFile, Unit
from pipeline.sources.interface import LARGEST_HELD, Listing, Reader, batch_rows
from pipeline.sources.parquet.footers import read_footer
from pipeline.sources.parquet.streams import Source, expect, stream
from pipeline.sources.parquet.unified_schema import (
    FileSchema,
    Types,
    Unified,
    all_null,
    fitted,
    unified,
)
from pipeline.sources.range_reads import in_order
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import Found

_LISTING_THREADS = 4


@dataclass(frozen=True, slots=True)
class ParquetReader:
    """Reads row groups of the files below `root`, in the column order of `columns` (the first file's).

    `schema`: where files differ, what all of them are read as. `apart`: it reads beside another reader of the same rows
    in the same thread: see `apart`. `mixed`: shards take rows of several places in turns, so small row groups are held,
    and large ones read at each place.
    """

    root: Folder
    columns: tuple[str, ...]
    apart: bool = False
    schema: pa.Schema | None = None
    mixed: bool = False
    seekable: ClassVar[bool] = False

    def read(self, unit: Unit, columns: Sequence[str] | None, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Rows `start`..`stop` of a row group; see `Reader.read`."""
        wanted = self.columns if columns is None else tuple(columns)
        small, whole = unit.bytes <= LARGEST_HELD, self.mixed and columns is None
        source = Source(self.root, unit, wanted, batch_rows(unit, columns), whole and small, whole and not small)
        batches = stream(source, start, self.apart).rows(start, stop)
        if self.schema is None:
            yield from batches
        else:
            schema = pa.schema([self.schema.field(name) for name in wanted])
            yield from (fitted(batch, schema) for batch in batches)

    def expect(self, units: Sequence[Unit]) -> None:
        """Row groups that are held are closed in an order that suits these."""
        if not self.apart:
            expect(units)

    def locate(self, unit: Unit, row: int) -> tuple[str, int]:
        """The unit's file, and the row counted from the start of the file."""
        return unit.file, unit.first_row + row


def apart(reader: Reader) -> Reader:
    """A reader whose streams another one, in the middle of its rows, does not share."""
    return replace(reader, apart=True) if isinstance(reader, ParquetReader) else reader


@dataclass(frozen=True, slots=True)
class _Footer:
    found: Found
    schema: pa.Schema
    meta: pq.FileMetaData
    groups: tuple[tuple[int, int], ...]
    plain: bool

    def stated(self) -> FileSchema:
        """Its columns, to be compared with those of other files."""
        rows = sum(rows for rows, _ in self.groups)
        names = self.schema.names
        return FileSchema(self.found.path, self.schema, rows, lambda: all_null(self.meta, names))


def list_parquet(root: Folder, found: Sequence[Found], types: Types | None = None, union: bool = False) -> Listing:
    """Read every footer (in parallel) into a listing. Raises InputError for all unreadable or unlike files.

    `types`, `union`: see `unified_schema`.
    """
    threads = {"threads": _LISTING_THREADS} if root.local else {}
    results = list(in_order(lambda f: _read_footer(root, f), found, **threads))
    problems = [r for r in results if isinstance(r, Problem)]
    footers = [r for r in results if isinstance(r, _Footer)]
    problems += [p for f in footers for p in _doubled(f)]
    both = problems or unified([f.stated() for f in footers], types or {}, union)
    if not isinstance(both, Unified):
        raise InputError("the input files cannot be read together", tuple(both))
    units = tuple(unit for footer in footers for unit in _units(footer))
    files = tuple(InputFile(f.found.path, f.found.size, f.found.tag) for f in footers)
    schema, plain = both.schema, any(f.plain for f in footers)
    reader = ParquetReader(root, tuple(schema.names), schema=schema.remove_metadata() if both.casts or plain else None)
    return Listing(
        reader,
        files,
        units,
        schema,
        "parquet",
        notes=(*both.notes, *_plain_notes(footers), *_partition_notes(found, schema)),
    )


def _plain_notes(footers: Sequence[_Footer]) -> Iterator[str]:
    """What becomes of lists of a fixed size that hold nulls."""
    if named := [f.found.path for f in footers if f.plain]:
        yield f"{named[0]}: lists of a fixed size hold nulls, which Arrow cannot read: they become lists of any size"


def _partition_notes(found: Sequence[Found], schema: pa.Schema) -> Iterator[str]:
    """Columns that only the names of folders hold, as Hive, Spark and `partition_cols` write them."""
    folders = {folder.partition("=") for file in found for folder in file.path.split("/")[:-1]}
    for name in sorted({name for name, equals, _ in folders if name and equals} - set(schema.names)):
        yield f"folders are called {name}=…, which is no column here: if it is needed, write it into the files"


def _read_footer(root: Folder, found: Found) -> "_Footer | Problem":
    listed = InputFile(found.path, found.size, found.tag)
    try:
        meta, schema, plain = read_footer(root, listed)
        groups = tuple(
            (meta.row_group(n).num_rows, meta.row_group(n).total_byte_size) for n in range(meta.num_row_groups)
        )
        return _Footer(found, schema, meta, groups, plain)
    except (pa.ArrowException, OSError, struct.error) as error:
        return Problem(root.full(found.path), f"not a readable Parquet file: {str(error).splitlines()[0].rstrip('.')}.")


def _doubled(footer: _Footer) -> list[Problem]:
    names = footer.schema.names
    doubled = sorted({n for n in names if names.count(n) > 1})
    return [Problem(footer.found.path, f"columns {doubled} occur twice.", "Rename one of each.")] if doubled else []


def _units(footer: _Footer) -> Iterator[Unit]:
    first = 0
    for number, (rows, size) in enumerate(footer.groups):
        if rows:
            yield Unit(footer.found.path, rows, size, part=number, first_row=first)
        first += rows
