"""Parquet input: a unit is one row group. Rows stream page by page, so one huge row group needs little memory."""

import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError, Problem
from pipeline.records import InputFile, Unit
from pipeline.sources.interface import Listing, batch_rows
from pipeline.storage import Folder, Found

_STREAM_BYTES = 1 << 20
_LISTING_THREADS = 16


@dataclass(frozen=True, slots=True)
class ParquetReader:
    """Reads row groups of the files below `root`, in the column order of `columns` (the first file's)."""

    root: Folder
    columns: tuple[str, ...]

    def read(self, unit: Unit, columns: Sequence[str] | None, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Rows `start`..`stop` of a row group; see `Reader.read`."""
        wanted = list(self.columns if columns is None else columns)
        with self.root.open(unit.file) as source:
            file = pq.ParquetFile(source, metadata=_footer(self.root, unit.file), buffer_size=_STREAM_BYTES)
            batches = file.iter_batches(
                batch_rows(unit, columns), row_groups=[unit.part], columns=wanted, use_threads=False
            )
            yield from _window(batches, wanted, start, stop)

    def locate(self, unit: Unit, row: int) -> tuple[str, int]:
        """The unit's file, and the row counted from the start of the file."""
        return unit.file, unit.first_row + row


def _window(batches: Iterator[pa.RecordBatch], columns: list[str], start: int, stop: int) -> Iterator[pa.RecordBatch]:
    """The rows `start`..`stop` of a stream of batches, columns in the wanted order."""
    seen = 0
    for batch in batches:
        low, high = max(start - seen, 0), min(stop - seen, batch.num_rows)
        seen += batch.num_rows
        if low < high:
            yield batch.slice(low, high - low).select(columns)
        if seen >= stop:
            return


@lru_cache(maxsize=64)
def _footer(root: Folder, name: str) -> pq.FileMetaData:
    with root.open(name) as source:
        return pq.read_metadata(source)


@dataclass(frozen=True, slots=True)
class _Footer:
    found: Found
    digest: str
    schema: pa.Schema
    groups: tuple[tuple[int, int], ...]


def list_parquet(root: Folder, found: Sequence[Found]) -> Listing:
    """Read every footer (in parallel) into a listing. Raises InputError for all unreadable or unlike files."""
    with ThreadPoolExecutor(_LISTING_THREADS) as threads:
        results = list(threads.map(lambda f: _read_footer(root, f), found))
    problems = [r for r in results if isinstance(r, Problem)]
    footers = [r for r in results if isinstance(r, _Footer)]
    problems += [p for f in footers[1:] for p in _unlike(footers[0], f)]
    if problems:
        raise InputError("the input files cannot be read together", tuple(problems))
    units = tuple(unit for footer in footers for unit in _units(footer))
    files = tuple(InputFile(f.found.path, f.found.size, f.digest) for f in footers)
    schema = footers[0].schema
    return Listing(ParquetReader(root, tuple(schema.names)), files, units, schema, "parquet")


def _read_footer(root: Folder, found: Found) -> "_Footer | Problem":
    try:
        raw = _footer_bytes(root, found)
        with root.open(found.path) as source:
            file = pq.ParquetFile(source)
            meta = file.metadata
            groups = tuple(
                (meta.row_group(n).num_rows, meta.row_group(n).total_byte_size) for n in range(meta.num_row_groups)
            )
            tag = f"footer:{blake2b(raw, digest_size=16).hexdigest()}" if root.local else found.tag
            return _Footer(found, tag, file.schema_arrow, groups)
    except (pa.ArrowException, OSError, struct.error) as error:
        return Problem(root.full(found.path), f"not a readable Parquet file: {str(error).splitlines()[0]}.")


def _footer_bytes(root: Folder, found: Found) -> bytes:
    if found.size < 12:
        raise OSError(f"{found.size} bytes are too few for a Parquet file")
    tail = root.read_range(found.path, found.size - 8, found.size)
    (length,) = struct.unpack("<I", tail[:4])
    return root.read_range(found.path, max(0, found.size - 8 - length), found.size)


def _unlike(first: _Footer, other: _Footer) -> Iterator[Problem]:
    """Differences of columns and types from the first file; the order of columns does not matter."""
    want, have = first.schema, other.schema
    for name in want.names:
        if have.get_field_index(name) < 0:
            yield Problem(other.found.path, f"has no column {name!r}, which {first.found.path} has.")
        elif have.field(name).type != want.field(name).type:
            kinds = f"{have.field(name).type}, in {first.found.path} it is {want.field(name).type}"
            yield Problem(other.found.path, f"column {name!r} is {kinds}.", "Write both with one schema.")
    for name in have.names:
        if want.get_field_index(name) < 0:
            yield Problem(other.found.path, f"has a column {name!r}, which {first.found.path} has not.")


def _units(footer: _Footer) -> Iterator[Unit]:
    first = 0
    for number, (rows, size) in enumerate(footer.groups):
        if rows:
            yield Unit(footer.found.path, rows, size, part=number, first_row=first)
        first += rows
