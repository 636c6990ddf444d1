"""CSV, TSV and JSON Lines: a unit is a run of whole rows of about UNIT_BYTES, found by one pass over each file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import pyarrow as pa

from pipeline.errors import InputError, Problem
from pipeline.records import InputFile, Unit
from pipeline.sources.interface import HELD_BYTES, Listing, batch_rows
from pipeline.sources.range_reads import Kept
from pipeline.sources.tables.broken_lines import notes_of, refused
from pipeline.sources.tables.csv import csv_table, csv_units, header_of, usual_delimiter
from pipeline.sources.tables.json_columns import unstorable
from pipeline.sources.tables.json_lines import Part, json_parts, json_table, with_loose
from pipeline.sources.tables.text_lines import input_error
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import Found

UNIT_BYTES = 8 * 2**20
_MAX_PROBLEMS = 20
_PARSED = Kept(HELD_BYTES)
Kind = Literal["csv", "jsonl"]


@dataclass(frozen=True, slots=True)
class Columns:
    """What is known of columns beforehand: types that the config gives, and columns that are text in any case.

    In JSON Lines they may be lists all the same; `keys` may be whole numbers, and the `label` is what its values are.
    `guessed`: columns of CSV that look like numbers are read as numbers, for looking at them alone.
    """

    text: frozenset[str] = frozenset()
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    keys: frozenset[str] = frozenset()
    label: str | None = None
    delimiter: str | None = None
    guessed: bool = False

    def keeps(self, name: str, kind: pa.DataType) -> bool:
        """Whether a column of `text` has a type that JSON gave it."""
        if name == self.label:
            return True
        return bool(pa.types.is_integer(kind) if name in self.keys else pa.types.is_list(kind))

    def all(self) -> dict[str, pa.DataType]:
        """Column -> type."""
        return {**dict.fromkeys(self.text, pa.string()), **self.types}


@dataclass(frozen=True, slots=True)
class TableReader:
    """Reads byte ranges of text tables with the types in `schema`; CSV files share the header `header`."""

    root: Folder
    kind: Kind
    schema: pa.Schema
    header: tuple[str, ...] = ()
    mixed: bool = False
    """Whether shards take rows of several places in turns: then what was parsed is held."""
    seekable: ClassVar[bool] = False

    def read(self, unit: Unit, columns: Sequence[str] | None, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        """Rows `start`..`stop` of a byte range; see `Reader.read`."""
        wanted = list(self.schema.names if columns is None else columns)
        table = self._held(unit) if self.mixed and columns is None else self._parsed(unit)
        table = table.select(wanted).slice(start, stop - start).combine_chunks()
        yield from table.to_batches(max_chunksize=batch_rows(unit, columns))

    def expect(self, units: Sequence[Unit]) -> None:
        """What was parsed last is kept."""

    def _held(self, unit: Unit) -> pa.Table:
        """The unit's rows, parsed once for as long as there is room."""
        key = (self, unit)
        table = _PARSED.get(key)
        if table is None:
            table = self._parsed(unit)
            _PARSED.put(key, table, table.nbytes)
        return table

    def _parsed(self, unit: Unit) -> pa.Table:
        raw = self.root.read_range(unit.file, unit.begin, unit.end)
        if self.kind == "csv":
            return csv_table(raw, unit, self.header, {f.name: f.type for f in self.schema})
        return json_table(raw, unit, self.schema)

    def locate(self, unit: Unit, row: int) -> tuple[str, int]:
        """The unit's file, and the row counted from the start of the file."""
        return unit.file, unit.first_row + row


def list_tables(root: Folder, found: Sequence[Found], kind: Kind, known: Columns) -> Listing:
    """One pass over each file: row ranges, row counts, types. Raises InputError."""
    problems: list[Problem] = []
    parts: list[Part] = []
    header: tuple[str, ...] = ()
    notes: list[str] = []
    for file in found:
        try:
            if kind == "csv":
                header, delimiter = header_of(root, file, header, known.delimiter)
                if known.delimiter is None and delimiter != usual_delimiter(file.path):
                    notes.append(f"{file.path}: columns are taken to be separated by {delimiter!r} (input.delimiter)")
                units = csv_units(root, file, (header, delimiter), UNIT_BYTES)
                parts += [_csv_part(root, unit, header, known) for unit in units]
            else:
                parts += json_parts(root, file, known.types, UNIT_BYTES, known.text - known.types.keys())
        except InputError as error:
            problems += error.problems
        except OSError as error:
            problems.append(Problem(root.full(file.path), f"cannot be read: {error.strerror or error}."))
    if problems:
        raise refused(problems[:_MAX_PROBLEMS])
    schema = _common(parts, kind, known) if parts else pa.schema([(n, known.all().get(n, pa.string())) for n in header])
    if hollow := [f.name for f in schema if unstorable(f.type)]:
        where = found[0].path if len(found) == 1 else ""
        raise input_error(where, 0, f"columns {hollow} hold only empty objects.", "Write null for them.")
    files = tuple(InputFile(f.path, f.size, f.tag) for f in found)
    units_ = tuple(p.unit for p in parts)
    told = (*_few(notes), *notes_of(units_))
    return Listing(TableReader(root, kind, schema, header), files, units_, schema, kind, notes=told)


def _few(notes: list[str]) -> list[str]:
    return notes if len(notes) <= 1 else [f"{notes[0]}; and so in {len(notes) - 1} more"]


def _csv_part(root: Folder, unit: Unit, header: Sequence[str], known: Columns) -> Part:
    types = {name: known.all().get(name, pa.string()) for name in header}
    if known.guessed:
        types = {name: kind for name, kind in types.items() if name in known.all()}
    return Part(unit, csv_table(root.read_range(unit.file, unit.begin, unit.end), unit, header, types).schema)


def _common(parts: list[Part], kind: Kind, known: Columns) -> pa.Schema:
    """Types wide enough for all parts: integers widen to floats; in CSV anything else unlike becomes text."""
    if kind == "jsonl":
        parts = with_loose(parts, known.text - known.types.keys(), known.keeps)
    schemas = [part.schema for part in parts]
    if kind == "csv":
        return pa.schema([pa.field(name, _widest([s.field(name).type for s in schemas])) for name in schemas[0].names])
    try:
        schema = pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        remedy = "Give every line one type, or say `input.columns: {NAME: string}`."
        problem = Problem("", f"a column changes its type between rows: {error}.", remedy)
        raise InputError(str(problem), (problem,)) from error
    for part in parts:
        for name in sorted(part.long):
            if pa.types.is_floating(schema.field(name).type):
                message = f"column {name!r} mixes floats with whole numbers that they cannot hold exactly."
                raise input_error(part.unit.file, 0, message, f"Say `input.columns: {{{name}: string}}`.")
    return schema


def _widest(types: list[pa.DataType]) -> pa.DataType:
    seen = {t for t in types if t != pa.null()}
    if len(seen) <= 1:
        return seen.pop() if seen else pa.string()
    return pa.float64() if seen == {pa.int64(), pa.float64()} else pa.string()
