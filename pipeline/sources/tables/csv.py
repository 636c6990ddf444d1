"""CSV: the header, what separates columns, whole rows, and columns as text unless the config says otherwise."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import pyarrow as pa
import pyarrow.csv as pa_csv

from pipeline.records import Broken, Unit
from pipeline.sources.tables import broken_lines
from pipeline.sources.tables.broken_lines import sound, with_gaps
from pipeline.sources.tables.text_lines import BOM, NOT_TEXT, Lines, OpenQuote, input_error, told
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import Found

_DELIMITERS = ",;\t|"
_SNIFFED_LINES, _SNIFFED_CHARACTERS = 20, 1 << 16
_LONGEST_CELL = 2**31 - 1
_REMEDY = "Quote cells by RFC 4180, and end lines with \\n or \\r\\n."
Types = dict[str, pa.DataType]


def header_of(root: Folder, file: Found, expected: Sequence[str], given: str | None) -> tuple[tuple[str, ...], str]:
    """Names of the columns, and what separates them. Raises InputError for names that cannot be used."""
    delimiter = given or _delimiter(root, file)
    with Lines(root, file) as lines:
        before = csv.field_size_limit(_LONGEST_CELL)
        try:
            names = tuple(next(csv.reader(lines, delimiter=delimiter, strict=True), ()))
        except (csv.Error, OpenQuote) as error:
            raise input_error(file.path, lines.number, f"{_short(error)}.", _REMEDY) from error
        finally:
            csv.field_size_limit(before)
        if not lines.is_text:
            raise input_error(file.path, lines.number, *told(NOT_TEXT))
    if not names:
        what = "first line" if lines.number else "file"
        raise input_error(file.path, 1, f"the {what} is empty: it should be the header.")
    doubled = sorted({n for n in names if names.count(n) > 1})
    if doubled or "" in names:
        raise input_error(file.path, 1, f"the header has empty or repeated names: {doubled or ['']}.")
    if expected and names != tuple(expected):
        raise input_error(file.path, 1, f"the header {list(names)} differs from the first file's {list(expected)}.")
    return names, delimiter


def usual_delimiter(path: str) -> str:
    """What the ending of the file's name says."""
    return "\t" if path.lower().endswith((".tsv", ".tab")) else ","


def _delimiter(root: Folder, file: Found) -> str:
    """The usual one, unless another one makes more columns, equally many in each of the first lines."""
    usual = usual_delimiter(file.path)
    with Lines(root, file) as lines:
        head: list[str] = []
        for line in islice(lines, _SNIFFED_LINES):
            if sum(map(len, head)) + len(line) > _SNIFFED_CHARACTERS:
                break
            head.append(line)
    widths = {delimiter: _width(head, delimiter) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: widths[delimiter])
    return best if widths[best] > max(1, _columns(head, usual)) else usual


def _columns(head: Sequence[str], delimiter: str) -> int:
    """Columns of the header, whatever the rows say."""
    try:
        return len(next(csv.reader(head, delimiter=delimiter), ()))
    except csv.Error:
        return 0


def _width(head: Sequence[str], delimiter: str) -> int:
    """Columns, if all rows have as many; else 0. The last row may be cut off."""
    try:
        widths = [len(row) for row in csv.reader(head, delimiter=delimiter) if row]
    except csv.Error:
        return 0
    sure = widths[:-1] if len(widths) > 2 else widths
    return sure[0] if len(set(sure)) == 1 else 0


def csv_units(root: Folder, file: Found, layout: tuple[Sequence[str], str], size: int) -> list[Unit]:
    """Runs of whole rows of about `size` bytes. Raises InputError if no line can be read, or where rows end."""
    width, delimiter = len(layout[0]), layout[1]
    units: list[Unit] = []
    broken = broken_lines.Found(file.path)
    with Lines(root, file) as lines:
        rows = _records(lines, delimiter, width)
        next(rows)
        begin, first, count, in_all = lines.offset, 0, 0, 0
        for why in rows:
            if why:
                broken.add(count, begin, lines, why)
            count, in_all = count + 1, in_all + 1
            if lines.offset - begin >= size:
                units.append(_range(file.path, (begin, lines.offset), first, count, broken.taken()))
                begin, first, count = lines.offset, first + count, 0
        if count:
            units.append(_range(file.path, (begin, lines.offset), first, count, broken.taken()))
    if broken.count and broken.count == in_all:
        raise broken.refusal()
    usual = delimiter == usual_delimiter(file.path)
    return units if usual else [replace(unit, delimiter=delimiter) for unit in units]


def _range(path: str, span: tuple[int, int], first: int, rows: int, broken: tuple[Broken, ...]) -> Unit:
    return Unit(path, rows, span[1] - span[0], first_row=first, begin=span[0], end=span[1], broken=broken)


def _records(lines: Lines, delimiter: str, width: int) -> Iterator[str]:
    """For each record of a file, the header included, what is wrong with it, or nothing; cells of any length.

    A quote that is not closed swallows the lines after it: they are read again. Raises InputError where that may make
    records out of cells that span lines.
    """
    before = csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    opened, several = 0, 0
    try:
        while True:
            lines.begin()
            try:
                row = next(reader)
            except StopIteration:
                break
            except (csv.Error, OpenQuote) as error:
                if lines.count > 1:
                    opened = opened or lines.first
                    lines.go_back()
                yield f"{_short(error)}. {_REMEDY}"
                continue
            if row:
                several = several or (lines.first if lines.count > 1 else 0)
                yield _why(lines, row, width)
    finally:
        csv.field_size_limit(before)
    if opened and several:
        message = f"its quote is not closed, and line {several} has a cell of several lines:"
        raise input_error(lines.path, opened, f"{message} where this row ends cannot be told.", _REMEDY)


def _why(lines: Lines, row: Sequence[str], width: int) -> str:
    if not lines.is_text:
        return NOT_TEXT
    return "" if len(row) == width else f"{len(row)} values, but the header has {width}"


def _short(error: Exception) -> str:
    return str(error).split(" - ")[0]


def csv_table(raw: bytes, unit: Unit, header: Sequence[str], types: Types) -> pa.Table:
    """All rows of a unit, broken ones as nulls. An empty cell is null unless it is quoted; nothing else is."""
    raw = sound(raw, unit)
    if raw.startswith(BOM):
        raw = BOM + raw  # Arrow drops one; after the header it belongs to a cell
    if not raw.strip():
        return with_gaps(pa.schema([(name, types.get(name, pa.string())) for name in header]).empty_table(), unit)
    table = _parsed(raw, unit, header, types)
    if table.num_rows != unit.rows - len(unit.broken):
        raise input_error(unit.file, 0, "its quotes cannot be read in one way only.", "Quote fields by RFC 4180.")
    return with_gaps(table, unit)


def _parsed(raw: bytes, unit: Unit, header: Sequence[str], types: Types) -> pa.Table:
    try:
        return pa_csv.read_csv(
            pa.BufferReader(raw),
            read_options=pa_csv.ReadOptions(column_names=list(header), block_size=max(1 << 16, len(raw) + 1)),
            parse_options=pa_csv.ParseOptions(
                delimiter=unit.delimiter or usual_delimiter(unit.file), newlines_in_values=True
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=types, null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        raise _refused(error, unit, header) from error


def _refused(error: pa.ArrowInvalid, unit: Unit, header: Sequence[str]) -> Exception:
    """Arrow numbers columns; people name them."""
    message = str(error).splitlines()[0]
    _, mark, after = message.partition("In CSV column #")
    number, _, what = after.partition(": ")
    if mark and number.isdigit():
        name = header[int(number)]
        remedy = f"Correct the value, or say `input.columns: {{{name}: string}}`."
        rows = f"rows {unit.first_row}..{unit.first_row + unit.rows}"
        return input_error(unit.file, 0, f"column {name!r}, {rows}: {what}.", remedy)
    return input_error(unit.file, 0, f"{message}.")
