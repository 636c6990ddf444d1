"""JSON Lines: one object a line, and columns of one type each, whatever the order of rows and files."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.records import Broken, Unit
from pipeline.sources.tables import broken_lines
from pipeline.sources.tables.broken_lines import sound, with_gaps
from pipeline.sources.tables.json_columns import EXACT, UnlikeValues, column_type, loose_type, to_array, typed
from pipeline.sources.tables.text_lines import BLANK, BOM, NOT_TEXT, Lines, input_error
from pipeline.storage.folder import Folder
from pipeline.storage.local_files import Found

Types = Mapping[str, pa.DataType]
_DEEPEST = 48
"""Arrow takes 64 levels, those around a value included."""
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[^\[\]{}"]+')
"""Everything else of a line: texts, and what is between them."""
_REMEDY = "Give every line the same kind, or say `input.columns: {%s: string}`."


@dataclass(frozen=True, slots=True)
class Part:
    """A run of whole lines, the types that were seen in it, and columns of whole numbers that no float can say."""

    unit: Unit
    schema: pa.Schema
    long: frozenset[str] = frozenset()


def json_parts(root: Folder, file: Found, types: Types, size: int, loose: frozenset[str] = frozenset()) -> list[Part]:
    """Runs of about `size` bytes. Raises InputError if no line can be read, or a column mixes kinds of values.

    `loose` columns are text where they mix them.
    """
    parts: list[Part] = []
    broken = broken_lines.Found(file.path)
    with Lines(root, file) as lines:
        begin, first, in_all = 0, 0, 0
        rows: list[dict[str, Any]] = []
        lines.begin()
        for line in lines:
            if line.strip(BLANK):
                found, why = _object(line) if lines.is_text else ({}, NOT_TEXT)
                if why:
                    broken.add(len(rows), begin, lines, why)
                rows.append(found)
                in_all += 1
            lines.begin()
            if lines.offset - begin >= size:
                parts += _part(
                    _range(file.path, (begin, lines.offset), first, len(rows), broken.taken()), rows, types, loose
                )
                begin, first, rows = lines.offset, first + len(rows), []
        parts += _part(_range(file.path, (begin, lines.offset), first, len(rows), broken.taken()), rows, types, loose)
    if broken.count and broken.count == in_all:
        raise broken.refusal()
    return parts


def _range(path: str, span: tuple[int, int], first: int, rows: int, broken: tuple[Broken, ...]) -> Unit:
    return Unit(path, rows, span[1] - span[0], first_row=first, begin=span[0], end=span[1], broken=broken)


def _object(line: str) -> tuple[dict[str, Any], str]:
    """One line's object, or none and what is wrong with it."""
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return {}, f"not valid JSON: {error.msg}"
    if line.count("[") + line.count("{") > _DEEPEST and _depth(line) > _DEEPEST:
        return {}, f"nested more than {_DEEPEST} deep"
    if isinstance(value, dict):
        return value, ""
    return {}, f"a {type(value).__name__}, not an object. One JSON object per line."


def _depth(line: str) -> int:
    """How deep a line of valid JSON is nested."""
    steps = [1 if sign in "[{" else -1 for sign in _BRACKETS.sub("", line)]
    return max(accumulate(steps), default=0)


def _part(unit: Unit, rows: list[dict[str, Any]], types: Types, loose: frozenset[str]) -> list[Part]:
    if not rows:
        return []
    fields, long = [], set()
    for name in dict.fromkeys(key for row in rows for key in row):
        values = [row.get(name) for row in rows]
        try:
            kind = types.get(name) or (loose_type if name in loose else column_type)(values)
            if name in types:
                typed(values, kind)
            elif kind == pa.int64() and not _exact(pa.array(values, kind)):
                long.add(name)
        except UnlikeValues as error:
            message = f"column {name!r} mixes kinds of values near line {unit.first_row + 1}: {error}."
            raise input_error(unit.file, 0, message, _REMEDY % name) from error
        fields.append(pa.field(name, kind))
    return [Part(unit, pa.schema(fields), frozenset(long))]


def with_loose(parts: list[Part], loose: frozenset[str], keeps: Callable[[str, pa.DataType], bool]) -> list[Part]:
    """The parts with one type for each `loose` column: that of all of them if the column keeps it, else text."""
    kinds = {name: _one_type(parts, name, keeps) for name in loose}
    return [replace(p, schema=pa.schema([f.with_type(kinds.get(f.name, f.type)) for f in p.schema])) for p in parts]


def _one_type(parts: list[Part], name: str, keeps: Callable[[str, pa.DataType], bool]) -> pa.DataType:
    fields = [part.schema.field(name) for part in parts if name in part.schema.names]
    try:
        kind = pa.unify_schemas([pa.schema([field]) for field in fields], promote_options="permissive").field(0).type
    except (pa.ArrowException, IndexError):
        return pa.string()
    long = pa.types.is_floating(kind) and any(name in part.long for part in parts)
    return pa.string() if pa.types.is_null(kind) or long or not keeps(name, kind) else kind


def _exact(values: pa.Array) -> bool:
    """Whether a float says each of these numbers exactly."""
    ends = pc.min_max(values).as_py()
    return ends["min"] is None or (ends["min"] >= -EXACT and ends["max"] <= EXACT)


def json_table(raw: bytes, unit: Unit, schema: pa.Schema) -> pa.Table:
    """All rows of a unit, broken ones as nulls."""
    lines = sound(raw, unit).removeprefix(BOM).split(b"\n")
    rows = [orjson.loads(line) for line in lines if line.strip(BLANK.encode())]
    columns = [to_array([row.get(f.name) for row in rows], f.type) for f in schema]
    return with_gaps(pa.table(columns, schema=schema), unit)
