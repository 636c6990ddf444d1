"""Parquet input: a unit is one row group. Rows stream page by page, so one huge row group needs little memory."""

import struct
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.errors import InputError, Problem
from pipeline.local_files import Found
from pipeline.records import InputFile, Unit
from pipeline.sources.fetching import SMALL_BYTES, SPANS_BYTES, Kept, Spans, fetch, in_order, joined
from pipeline.sources.interface import Listing, Reader, batch_rows
from pipeline.sources.unifying import (
    FileSchema,
    Types,
    Unified,
    all_null,
    fitted,
    null_lists,
    unified,
    without_fixed_sizes,
)
from pipeline.storage import Folder

_OWN_SCHEMA = b"ARROW:schema"
_STREAM_BYTES = 1 << 20
_LEAST_BYTES = 8  # the length of the footer, and PAR1
_TAIL_BYTES = SMALL_BYTES
_LISTING_THREADS = 4
_OPENED = Kept(64 * 2**20)
"""Footers by folder, name and state, as large as they are stored: the survey does not read them again."""
_OPEN_STREAMS = 3  # one per split


@dataclass(frozen=True, slots=True)
class ParquetReader:
    """Reads row groups of the files below `root`, in the column order of `columns` (the first file's).

    `schema`: where files differ, what all of them are read as. `apart`: it reads beside another reader of the same rows
    in the same thread: see `apart`.
    """

    root: Folder
    columns: tuple[str, ...]
    apart: bool = False
    schema: pa.Schema | None = None

    def read(self, unit: Unit, columns: Sequence[str] | None, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Rows `start`..`stop` of a row group; see `Reader.read`."""
        wanted = self.columns if columns is None else tuple(columns)
        streams = _streams.apart if self.apart else _streams.open
        batches = _stream(streams, (self.root, unit, wanted, batch_rows(unit, columns)), start).rows(start, stop)
        if self.schema is None:
            yield from batches
        else:
            schema = pa.schema([self.schema.field(name) for name in wanted])
            yield from (fitted(batch, schema) for batch in batches)

    def locate(self, unit: Unit, row: int) -> tuple[str, int]:
        """The unit's file, and the row counted from the start of the file."""
        return unit.file, unit.first_row + row


def apart(reader: Reader) -> Reader:
    """A reader whose streams another one, in the middle of its rows, does not share."""
    return replace(reader, apart=True) if isinstance(reader, ParquetReader) else reader


class _Stream:
    """A row group read forwards, page by page. Batches always begin at the same rows, wherever reading starts."""

    def __init__(self, root: Folder, unit: Unit, columns: tuple[str, ...], size: int) -> None:
        footer = _footer(root, unit.file, unit.listed)
        self._open = _opened(root, unit, footer, columns)
        file = pq.ParquetFile(
            self._open.__enter__(),
            metadata=footer,
            buffer_size=_STREAM_BYTES,
            pre_buffer=False,  # else the whole row group is held
            page_checksum_verification=True,  # of files that have checksums
        )
        there = set(file.schema_arrow.names)
        self._columns = [name for name in columns if name in there]
        self._batches = file.iter_batches(size, row_groups=[unit.part], columns=self._columns, use_threads=False)
        self._batch: pa.RecordBatch | None = None
        self.first = 0
        """Row number of the first row that can still be read."""

    def rows(self, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Rows `start`..`stop`; `start` is not before `first`."""
        while True:
            batch = self._batch or next(self._batches, None)
            if batch is None:
                return
            self._batch = batch
            low, high = max(start - self.first, 0), min(stop - self.first, batch.num_rows)
            if low < high:
                yield batch.slice(low, high - low).select(self._columns)
            if self.first + batch.num_rows > stop:
                return
            self.first += batch.num_rows
            self._batch = None

    def close(self) -> None:
        """Close the file."""
        self._open.__exit__(None, None, None)


_Opened = OrderedDict[tuple[object, ...], _Stream]


class _Streams(threading.local):
    """The streams that a thread has open: the next shard of a huge row group goes on where the last one stopped."""

    def __init__(self) -> None:
        self.open: _Opened = OrderedDict()
        self.apart: _Opened = OrderedDict()


_streams = _Streams()


def _stream(streams: _Opened, wanted: tuple[Folder, Unit, tuple[str, ...], int], start: int) -> _Stream:
    """An open stream that has not passed row `start` yet, else a new one."""
    root, unit, columns, size = wanted
    key = (root, unit.file, unit.listed, unit.part, columns, size)
    found = streams.pop(key, None)
    if found is not None and found.first > start:
        found.close()
        found = None
    streams[key] = found or _Stream(root, unit, columns, size)
    while len(streams) > _OPEN_STREAMS:
        streams.popitem(last=False)[1].close()
    return streams[key]


def _opened(root: Folder, unit: Unit, footer: pq.FileMetaData, columns: tuple[str, ...]) -> AbstractContextManager[Any]:
    """The unit's file. Of a remote one the wanted columns come with few requests where they are small."""
    listed = unit.listed
    if root.local or listed is None:
        return root.open(unit.file)
    spans = joined(_chunks(footer.row_group(unit.part), columns))
    if listed.size > SMALL_BYTES and sum(end - begin for begin, end in spans) > SPANS_BYTES:
        return root.open(unit.file, listed.size)
    file = Spans(lambda begin, end: fetch(root, listed, begin, end), listed.size, spans)
    return nullcontext(pa.PythonFile(file, "r"))


def _chunks(group: pq.RowGroupMetaData, columns: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Where in the file the columns of a row group are."""
    for number in range(group.num_columns):
        chunk = group.column(number)
        if any(chunk.path_in_schema == name or chunk.path_in_schema.startswith(f"{name}.") for name in columns):
            first = chunk.data_page_offset
            if chunk.has_dictionary_page and chunk.dictionary_page_offset:
                first = min(first, chunk.dictionary_page_offset)
            yield first, first + chunk.total_compressed_size


def _footer(root: Folder, name: str, listed: InputFile | None) -> pq.FileMetaData:
    """The footer of a file in the state in which it was listed: another state is another key of what is kept."""
    key = (root, name, listed)
    found = _OPENED.get(key)
    if found is None:
        if listed is None:
            with root.open(name) as source:
                found = pq.read_metadata(source)
        else:
            found = _metadata(_tail(root, listed))[0]
        _OPENED.put(key, found, found.serialized_size)
    return found


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

    `types`, `union`: see `unified`.
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
    return Listing(reader, files, units, schema, "parquet", notes=(*both.notes, *_plain_notes(footers)))


def _plain_notes(footers: Sequence[_Footer]) -> Iterator[str]:
    """What becomes of lists of a fixed size that hold nulls."""
    if named := [f.found.path for f in footers if f.plain]:
        yield f"{named[0]}: lists of a fixed size hold nulls, which Arrow cannot read: they become lists of any size"


def _read_footer(root: Folder, found: Found) -> "_Footer | Problem":
    listed = InputFile(found.path, found.size, found.tag)
    try:
        tail = _tail(root, listed)
        meta, schema, plain = _metadata(tail)
        _OPENED.put((root, found.path, listed), meta, meta.serialized_size)
        groups = tuple(
            (meta.row_group(n).num_rows, meta.row_group(n).total_byte_size) for n in range(meta.num_row_groups)
        )
        return _Footer(found, schema, meta, groups, plain)
    except (pa.ArrowException, OSError, struct.error) as error:
        return Problem(root.full(found.path), f"not a readable Parquet file: {str(error).splitlines()[0]}.")


def _metadata(tail: bytes) -> tuple[pq.FileMetaData, pa.Schema, bool]:
    """A footer, the columns to read by it, and whether it was bared of Arrow's own schema.

    By that schema Arrow makes lists of a fixed size, and then stumbles over nulls among them.
    """
    meta = pq.read_metadata(pa.BufferReader(tail))
    schema = meta.schema.to_arrow_schema()
    sized = [field for field in schema if without_fixed_sizes(field.type) != field.type]
    if not sized or not null_lists(meta, sized):
        return meta, schema, False
    bare = pq.read_metadata(pa.BufferReader(tail.replace(_OWN_SCHEMA, _OWN_SCHEMA[::-1])))
    for field in sized:
        schema = schema.set(schema.get_field_index(field.name), field.with_type(without_fixed_sizes(field.type)))
    return bare, schema, True


def _tail(root: Folder, listed: InputFile) -> bytes:
    """The end of a file, its footer included; one request unless the footer is large. Raises OSError."""
    if listed.size < 12:
        raise OSError(f"{listed.size} bytes are too few for a Parquet file")
    tail = fetch(root, listed, max(0, listed.size - _TAIL_BYTES), listed.size)
    wanted = 8 + _footer_length(tail)
    if len(tail) < wanted <= listed.size:
        tail = fetch(root, listed, listed.size - wanted, listed.size)
    return tail


def _footer_length(tail: bytes) -> int:
    """Raises OSError for a file that ends before that."""
    if len(tail) < _LEAST_BYTES:
        raise OSError(f"{len(tail)} bytes are too few for a Parquet file")
    (length,) = struct.unpack("<I", tail[-8:-4])
    return int(length)


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
