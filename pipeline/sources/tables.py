"""CSV, TSV and JSON Lines: a unit is a run of whole rows of about UNIT_BYTES, found by one pass over each file."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.csv as pa_csv

from pipeline.errors import InputError, Problem
from pipeline.local_files import Found
from pipeline.records import InputFile, Unit
from pipeline.sources.interface import Listing, batch_rows
from pipeline.sources.json_columns import UnlikeValues, column_type, to_array, unstorable
from pipeline.storage import Folder

UNIT_BYTES = 8 * 2**20
_MAX_PROBLEMS = 20
_BOM = b"\xef\xbb\xbf"
_BLANK = " \t\r\n"
_LONGEST_CELL = 2**31 - 1
Kind = Literal["csv", "jsonl"]


@dataclass(frozen=True, slots=True)
class TableReader:
    """Reads byte ranges of text tables with the types in `schema`; CSV files share the header `header`."""

    root: Folder
    kind: Kind
    schema: pa.Schema
    header: tuple[str, ...] = ()

    def read(self, unit: Unit, columns: Sequence[str] | None, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Rows `start`..`stop` of a byte range; see `Reader.read`."""
        raw = self.root.read_range(unit.file, unit.begin, unit.end)
        wanted = list(self.schema.names if columns is None else columns)
        if self.kind == "csv":
            table = _parse_csv(raw, unit.file, self.header, {f.name: f.type for f in self.schema})
        else:
            table = _to_table(_objects(raw), self.schema)
        table = table.select(wanted).slice(start, stop - start).combine_chunks()
        yield from table.to_batches(max_chunksize=batch_rows(unit, columns))

    def locate(self, unit: Unit, row: int) -> tuple[str, int]:
        """The unit's file, and the row counted from the start of the file."""
        return unit.file, unit.first_row + row


@dataclass(frozen=True, slots=True)
class _Part:
    """A byte range of whole rows and the types that were seen in it."""

    unit: Unit
    schema: pa.Schema


def list_tables(root: Folder, found: Sequence[Found], kind: Kind, strings: frozenset[str]) -> Listing:
    """One pass over each file: row ranges, row counts, and types wide enough for all of them.

    Columns in `strings` (ids, labels, groups, fields) are text whatever they look like. Raises InputError.
    """
    problems: list[Problem] = []
    parts: list[_Part] = []
    header: tuple[str, ...] = ()
    for file in found:
        try:
            if kind == "csv":
                header = _header(root, file, header)
                parts += _csv_parts(root, file, header, strings)
            else:
                parts += _jsonl_parts(root, file, strings)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError("some input files cannot be read", tuple(problems[:_MAX_PROBLEMS]))
    schema = _common([p.schema for p in parts], kind) if parts else pa.schema([(n, pa.string()) for n in header])
    if hollow := [f.name for f in schema if unstorable(f.type)]:
        where = found[0].path if len(found) == 1 else ""
        raise _input_error(where, 0, f"columns {hollow} hold only empty objects.", "Write null for them.")
    files = tuple(InputFile(f.path, f.size, f.tag) for f in found)
    return Listing(TableReader(root, kind, schema, header), files, tuple(p.unit for p in parts), schema, kind)


def _input_error(path: str, line: int, message: str, suggestion: str = "") -> InputError:
    problem = Problem(f"{path}:{line}" if line else path, message, suggestion)
    return InputError(str(problem), (problem,))


def _decode(raw: bytes, path: str, line: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _input_error(path, line, "not UTF-8 text.", "Convert it: iconv -t utf-8") from error


def _delimiter(path: str) -> str:
    return "\t" if path.lower().endswith((".tsv", ".tab")) else ","


def _header(root: Folder, file: Found, expected: tuple[str, ...]) -> tuple[str, ...]:
    with _lines(root, file) as lines:
        names = tuple(next(_rows(lines), ()))
    if not names:
        what = "first line" if lines.number else "file"
        raise _input_error(file.path, 1, f"the {what} is empty: it should be the header.")
    doubled = sorted({n for n in names if names.count(n) > 1})
    if doubled or "" in names:
        raise _input_error(file.path, 1, f"the header has empty or repeated names: {doubled or ['']}.")
    if expected and names != expected:
        raise _input_error(file.path, 1, f"the header {list(names)} differs from the first file's {list(expected)}.")
    return names


def _rows(lines: "_lines") -> Iterator[list[str]]:
    """Rows by RFC 4180, cells of any length. Raises InputError with the line, where an open quote swallows rows too."""
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        yield from csv.reader(lines, delimiter=_delimiter(lines.path), strict=True)
    except csv.Error as error:
        remedy = "Quote cells by RFC 4180, and end lines with \\n or \\r\\n."
        raise _input_error(lines.path, lines.number, f"{str(error).split(' - ')[0]}.", remedy) from error
    finally:
        csv.field_size_limit(before)


class _lines:  # noqa: N801  (used as a function)
    """Decoded lines of a file, counting the bytes and lines that were handed out."""

    def __init__(self, root: Folder, file: Found) -> None:
        self.path, self.offset, self.number = file.path, 0, 0
        self._opened = root.open(file.path)

    def __enter__(self) -> "_lines":
        self._stream = io.BufferedReader(_Raw(self._opened.__enter__()), 1 << 20)
        return self

    def __exit__(self, *details: Any) -> None:
        self._opened.__exit__(*details)

    def __iter__(self) -> "_lines":
        return self

    def __next__(self) -> str:
        raw = self._stream.readline()
        if not raw:
            raise StopIteration
        self.offset += len(raw)
        self.number += 1
        return _decode(raw.removeprefix(_BOM) if self.number == 1 else raw, self.path, self.number)


class _Raw(io.RawIOBase):
    """An Arrow file as a raw stream of the standard library."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def _csv_parts(root: Folder, file: Found, header: tuple[str, ...], strings: frozenset[str]) -> list[_Part]:
    units: list[Unit] = []
    with _lines(root, file) as lines:
        rows = _rows(lines)
        next(rows)
        begin, first, count = lines.offset, 0, 0
        for row in rows:
            if not row:
                continue
            if len(row) != len(header):
                raise _input_error(file.path, lines.number, f"{len(row)} values, but the header has {len(header)}.")
            count += 1
            if lines.offset - begin >= UNIT_BYTES:
                units.append(_range(file.path, begin, lines.offset, first, count))
                begin, first, count = lines.offset, first + count, 0
        if count:
            units.append(_range(file.path, begin, lines.offset, first, count))
    return [_csv_part(root, unit, header, strings) for unit in units]


def _range(path: str, begin: int, end: int, first: int, rows: int) -> Unit:
    return Unit(path, rows, end - begin, first_row=first, begin=begin, end=end)


def _csv_part(root: Folder, unit: Unit, header: tuple[str, ...], strings: frozenset[str]) -> _Part:
    raw = root.read_range(unit.file, unit.begin, unit.end)
    table = _parse_csv(raw, unit.file, header, {name: pa.string() for name in header if name in strings})
    if table.num_rows != unit.rows:
        raise _input_error(unit.file, 0, "its quotes cannot be read in one way only.", "Quote fields by RFC 4180.")
    return _Part(unit, table.schema)


def _parse_csv(raw: bytes, path: str, header: tuple[str, ...], types: dict[str, pa.DataType]) -> pa.Table:
    """Typed columns of CSV rows. An empty cell is null unless it is quoted; nothing else is."""
    try:
        return pa_csv.read_csv(
            pa.BufferReader(raw.removeprefix(_BOM)),
            read_options=pa_csv.ReadOptions(column_names=list(header), block_size=max(1 << 16, len(raw) + 1)),
            parse_options=pa_csv.ParseOptions(delimiter=_delimiter(path), newlines_in_values=True),
            convert_options=pa_csv.ConvertOptions(
                column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise _input_error(path, 0, f"{str(error).splitlines()[0]}.") from error


def _jsonl_parts(root: Folder, file: Found, strings: frozenset[str]) -> list[_Part]:
    parts: list[_Part] = []
    with _lines(root, file) as lines:
        begin, first = 0, 0
        rows: list[dict[str, Any]] = []
        for line in lines:
            if line.strip(_BLANK):
                rows.append(_object(line, file.path, lines.number))
            if lines.offset - begin >= UNIT_BYTES:
                parts += _jsonl_part(file.path, (begin, lines.offset), first, rows, strings)
                begin, first, rows = lines.offset, first + len(rows), []
        return parts + _jsonl_part(file.path, (begin, lines.offset), first, rows, strings)


def _jsonl_part(
    path: str, span: tuple[int, int], first: int, rows: list[dict[str, Any]], strings: frozenset[str]
) -> list[_Part]:
    if not rows:
        return []
    fields = []
    for name in dict.fromkeys(key for row in rows for key in row):
        values = [row.get(name) for row in rows]
        try:
            fields.append(pa.field(name, pa.string() if name in strings else column_type(values)))
        except UnlikeValues as error:
            message = f"column {name!r} mixes kinds of values near line {first + 1}: {error}."
            raise _input_error(path, 0, message, "Give every line the same kind.") from error
    return [_Part(_range(path, *span, first, len(rows)), pa.schema(fields))]


def _object(line: str, path: str, number: int) -> dict[str, Any]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _input_error(path, number, f"not valid JSON: {error.msg}.") from error
    if not isinstance(value, dict):
        raise _input_error(path, number, f"a {type(value).__name__}, not an object.", "One JSON object per line.")
    return value


def _objects(raw: bytes) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in raw.removeprefix(_BOM).split(b"\n") if line.strip(_BLANK.encode())]


def _to_table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    return pa.table([to_array([row.get(f.name) for row in rows], f.type) for f in schema], schema=schema)


def _common(schemas: list[pa.Schema], kind: Kind) -> pa.Schema:
    """Types wide enough for all parts: integers widen to floats; in CSV anything else unlike becomes text."""
    if kind == "jsonl":
        try:
            return pa.unify_schemas(schemas, promote_options="permissive")
        except pa.ArrowException as error:
            problem = Problem("", f"a column changes its type between rows: {error}.", "Give every line one type.")
            raise InputError(str(problem), (problem,)) from error
    return pa.schema([pa.field(name, _widest([s.field(name).type for s in schemas])) for name in schemas[0].names])


def _widest(types: list[pa.DataType]) -> pa.DataType:
    seen = {t for t in types if t != pa.null()}
    if len(seen) <= 1:
        return seen.pop() if seen else pa.string()
    return pa.float64() if seen == {pa.int64(), pa.float64()} else pa.string()
