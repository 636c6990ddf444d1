"""A side that nobody here wrote: files, a glob or a folder of any kind that `init` understands; columns are guessed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import pyarrow as pa
from pydantic import TypeAdapter

from pipeline.audit.contents import content_marks, payload_columns
from pipeline.audit.row_digests import group_marks, rows_of
from pipeline.audit.sides import Field, Payload, Rows, Set, single, texts_of
from pipeline.config.schema import AnyField, FieldConfig, JobConfig
from pipeline.errors import InputError, Problem, nearest
from pipeline.records import LINEAGE, SAMPLE_ID, Unit
from pipeline.sources import Listing
from pipeline.sources.inspection.describe import describe_data
from pipeline.sources.inspection.findings import Findings
from pipeline.sources.open_input import open_input
from pipeline.sources.references.file_references import References

Describe = Callable[[str], Findings]
_ROWS = 64


@dataclass(frozen=True, slots=True)
class Named:
    """Columns that the command names; what it does not name is guessed (fields) or not compared (ids, groups)."""

    field: str | None = None
    id: str | None = None
    group: str | None = None


def any_side(name: str, path: str, named: Named, describe: Describe | None = None) -> Set:
    """Open a set. Raises InputError: nothing there, nothing to compare, a named column that it does not have."""
    findings = describe_data(path, results=True) if describe is None else describe(path)
    fields = _fields(path, findings, named)
    config, listing = open_input(_config(findings, fields))
    columns = tuple(listing.schema.names)
    for option, column in (("--id", named.id), ("--group", named.group)):
        if column is not None and column not in columns:
            raise _unknown(path, option, column, columns)

    def read(chosen: tuple[Field, ...]) -> Iterator[Rows]:
        wanted = _columns(listing, chosen, (named.id, named.group, config.input.id, SAMPLE_ID, LINEAGE))
        for unit in listing.units:
            start = 0
            for batch in listing.reader.read(unit, wanted, 0, unit.rows) if wanted else [_counted(unit)]:
                for at in range(0, batch.num_rows, _ROWS):
                    yield _rows(listing, unit, batch.slice(at, _ROWS), start + at, (chosen, named, config.input.id))
                start += batch.num_rows

    return Set(name, fields, read)


def _fields(path: str, findings: Findings, named: Named) -> tuple[Field, ...]:
    found = {f.column: Field(f.column, f.modality, f.uri) for f in (*findings.fields, *findings.other_fields)}
    if named.field is None:
        return tuple(found[f.column] for f in findings.fields)
    if named.field not in found:
        raise _unknown(path, "--field", named.field, tuple(found))
    return (found[named.field],)


def _unknown(path: str, option: str, column: str, columns: tuple[str, ...]) -> InputError:
    near = nearest(column, list(columns))
    hint = near or f"It has: {', '.join(columns)}."
    message = f"{path} has no such column for {option}: {column!r}"
    return InputError(message, (Problem(path, f"{message}.", hint),))


@lru_cache(maxsize=64)
def _settings(field: Field) -> AnyField:
    """A field as a config has it."""
    made: dict[str, Any] = {"type": field.modality, "uri": field.uri}
    return TypeAdapter[AnyField](FieldConfig).validate_python(made)


def _config(findings: Findings, fields: tuple[Field, ...]) -> JobConfig:
    """What reads all of it; nothing is split or multiplied."""
    paths = findings.paths if len(findings.paths) > 1 else findings.paths[0]
    given = {"path": paths} | ({"format": findings.forced} if findings.forced else {})
    columns = {f.name: {"type": f.modality, "uri": f.uri} for f in fields}
    return JobConfig.model_validate(
        {"input": given, "split": {}, "copies": 0, "fields": columns, "output": {"path": "-"}}
    )


def _columns(listing: Listing, fields: tuple[Field, ...], names: tuple[str | None, ...]) -> list[str]:
    wanted = {*(f.name for f in fields), *(n for n in names if n is not None)}
    return [name for name in listing.schema.names if name in wanted]


def _counted(unit: Unit) -> pa.RecordBatch:
    return pa.record_batch([pa.nulls(unit.rows)], names=[""])


def _rows(
    listing: Listing, unit: Unit, batch: pa.RecordBatch, start: int, asked: tuple[tuple[Field, ...], Named, str | None]
) -> Rows:
    fields, named, own = asked
    if {SAMPLE_ID, LINEAGE} <= set(batch.schema.names):
        return rows_of(batch, fields, *_spelled(named))
    places = ["#".join(map(str, listing.reader.locate(unit, start + n))) for n in range(batch.num_rows)]
    ids = [given or place for given, place in zip(_texts(batch, named.id or own), places, strict=True)]
    marks = {
        (kind, column): single(_texts(batch, column))
        for kind, column in (("id", named.id), ("group", named.group))
        if column is not None
    }
    marks |= group_marks(batch, *([name for name in names if name in batch.schema.names] for names in _spelled(named)))
    payloads = payload_columns(batch, fields)
    for field in fields:
        if field.uri or listing.kind == "folder":
            column = References.of(listing.reader, _settings(field))
            payloads[field.key] = [_content(column, unit, p) for p in payloads[field.key]]
    return Rows(ids, {**marks, **content_marks(payloads, fields)}, payloads)


def _spelled(named: Named) -> tuple[list[str], list[str]]:
    """Columns of groups and of ids."""
    return [named.group] if named.group else [], [named.id] if named.id else []


def _texts(batch: pa.RecordBatch, name: str | None) -> list[str | None]:
    return texts_of(batch.column(name)) if name in batch.schema.names else [None] * batch.num_rows


def _content(column: References, unit: Unit, reference: Payload | None) -> Payload | None:
    """What a path or URL leads to; None where nothing can be read there."""
    if not isinstance(reference, str):
        return reference
    try:
        return column.read(reference, unit.file)
    except (OSError, ValueError):
        return None
