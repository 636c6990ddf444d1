"""A table -> findings: payload columns by what they hold, key columns by `column_roles`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config.schema import JobConfig
from pipeline.errors import InputError, Problem
from pipeline.records import LINEAGE, SAMPLE_ID, split_of_name
from pipeline.sources import Listing, list_input
from pipeline.sources.inspection.column_roles import Facts, Roles, roles_of
from pipeline.sources.inspection.findings import FieldFound, Findings
from pipeline.sources.inspection.label_columns.search import find_labels
from pipeline.sources.inspection.payload_columns import Sampled, find_payloads, find_texts, find_token_lists, is_text
from pipeline.sources.inspection.payload_samples import decoding, spread
from pipeline.sources.strings import readable, values_of, with_nulls

_SAMPLED_UNITS, _SAMPLED_ROWS = 4, 500
_MOST_CELLS = 20_000_000
_KEY_CHARACTERS = 120
_FEW_VALUES = 2000
_LISTED_COLUMNS = 12
_NO_COLUMN = "fanbeam init"
_REMEDY = "Payload is bytes of images, sounds or volumes, struct<bytes, path>, text, or names of files that exist."


def look_at_table(paths: tuple[str, ...], source: str, notes: Sequence[str], results: bool = False) -> Findings:
    """Look at Parquet, CSV or JSON Lines. Raises InputError: unreadable, no rows, no column of payload.

    `results`: whether what a run wrote will do, too.
    """
    listing = list_input(_blank_config(paths), guessed=True)
    rows = sum(unit.rows for unit in listing.units)
    _refuse_unusable(listing, rows, source)
    if not results:
        _refuse_results(listing, source)
    samples = _samples(listing)
    payloads, remarks = find_payloads(listing, samples)
    facts = _facts(listing, _key_columns(listing, samples, {f.column for f in payloads}), rows)
    roles = roles_of(facts)
    fields = [*payloads, *find_texts(listing, samples, _taken(roles) | {f.column for f in payloads})]
    fields = _labeled(fields, listing, samples) if fields else _tagged(listing, samples)
    if not fields:
        raise _nothing_usable(listing, source, remarks)
    labels = {column for label in fields[0].labels for column in label.columns}
    roles = roles_of([f for f in facts if f.name not in labels]) if labels & _taken(roles) else roles
    count = len(listing.files)
    return Findings(
        source=source,
        paths=paths,
        root=listing.reader.root.url,
        kind=listing.kind,
        summary=f"{rows:,} rows in {count:,} {listing.kind} file{'' if count == 1 else 's'}",
        fields=(fields[0],),
        other_fields=tuple(fields[1:]),
        id=roles.id,
        label=roles.label,
        group=roles.group,
        split=roles.split,
        other_roles=_free(roles, {fields[0].column, *labels}),
        refused=_refused(roles, fields[0], rows),
        notes=(*notes, *(f"{r}." for r in (*remarks, *listing.notes)), *_file_notes(listing)),
    )


def _taken(roles: Roles) -> set[str]:
    return {r.column for r in (roles.id, roles.label, roles.group, roles.split) if r is not None}


def _labeled(fields: Sequence[FieldFound], listing: Listing, samples: Sequence[Sampled]) -> list[FieldFound]:
    """The first field with its labels; pictures that turn out to be its masks are no fields of their own."""
    first, *others = fields
    if not decoding():
        return [*fields]
    labels = find_labels(first, others, listing, samples)
    bound = {column for label in labels if label.kind for column in label.columns}
    return [replace(first, labels=labels), *(f for f in others if f.column not in bound)]


def _tagged(listing: Listing, samples: Sequence[Sampled]) -> list[FieldFound]:
    """A list of words with columns that tag them; without any it cannot be a field."""
    found = [_labeled([field], listing, samples)[0] for field in find_token_lists(listing, samples)]
    return [field for field in found if field.labels][:1]


def _blank_config(paths: tuple[str, ...]) -> JobConfig:
    """A config that names no column of the input, so that it is listed just as a run lists it."""
    where = paths[0] if len(paths) == 1 else paths
    fields = {_NO_COLUMN: {"type": "text"}}
    return JobConfig.model_validate({"input": {"path": where}, "fields": fields, "output": {"path": "out"}})


def _refuse_unusable(listing: Listing, rows: int, source: str) -> None:
    if rows == 0:
        message = f"{source!r} has columns, but no rows"
        raise InputError(message, (Problem(source, f"{message}.", "Give a file that has some."),))
    doubled = sorted({n for n in listing.schema.names if listing.schema.names.count(n) > 1})
    if doubled:
        message = f"columns {doubled} of {source!r} occur twice"
        raise InputError(message, (Problem(source, f"{message}.", "Rename one of each."),))


def _refuse_results(listing: Listing, source: str) -> None:
    own = [n for n in (SAMPLE_ID, LINEAGE) if n in listing.schema.names]
    if own:
        message = f"{source!r} has a column {own[0]!r}, which fanbeam writes itself: it is the result of a run"
        raise InputError(message, (Problem(source, f"{message}.", "Give the original data, or rename the column."),))


def _samples(listing: Listing) -> list[Sampled]:
    """The first rows of a few units over the input; one batch each, so that memory stays small."""
    out = []
    for unit in spread(listing.units, _SAMPLED_UNITS):
        batch = next(iter(listing.reader.read(unit, None, 0, min(unit.rows, _SAMPLED_ROWS))))
        out.append(Sampled(unit, pa.Table.from_batches([with_nulls(batch)])))
    return out


def _key_columns(listing: Listing, samples: Sequence[Sampled], payloads: set[str]) -> list[str]:
    """Columns of short values that can name something."""
    return [
        column.name
        for column in listing.schema
        if column.name not in payloads and _can_name(column.type) and _is_short(column, samples)
    ]


def _can_name(kind: pa.DataType) -> bool:
    value = kind.value_type if pa.types.is_dictionary(kind) or _is_list(kind) else kind
    return is_text(value) or pa.types.is_integer(value) or (value is kind and _names_class_only(kind))


def _names_class_only(kind: pa.DataType) -> bool:
    return bool(pa.types.is_boolean(kind) or pa.types.is_floating(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def _is_short(column: pa.Field, samples: Sequence[Sampled]) -> bool:
    if not is_text(column.type):
        return True
    values = [v for s in samples for v in values_of(s.rows.column(column.name)) if v is not None]
    return sum(len(v) for v in values) <= _KEY_CHARACTERS * len(values)


def _facts(listing: Listing, names: list[str], rows: int) -> list[Facts]:
    """What the columns hold in all rows, or in as many as are read in seconds."""
    if not names:
        return []
    most = max(1, _MOST_CELLS // len(names))
    batches: list[pa.RecordBatch] = []
    read = 0
    for unit in listing.units:
        if read >= most:
            break
        for batch in listing.reader.read(unit, names, 0, unit.rows):
            batches.append(batch)
            read += batch.num_rows
    classes = _class_names(listing.schema)
    columns = {name: pa.chunked_array([_plain(b.column(name)) for b in batches]) for name in names}
    return [_facts_of(n, column, read >= rows, classes.get(n, ())) for n, column in columns.items()]


def _plain(column: pa.Array) -> pa.Array:
    return readable(column.dictionary_decode() if pa.types.is_dictionary(column.type) else column)


def _facts_of(name: str, column: pa.ChunkedArray, whole: bool, names: tuple[str, ...]) -> Facts:
    rows, nulls = len(column), column.null_count
    if _is_list(column.type):
        return Facts(name, rows, nulls, 0, whole, several=True)
    distinct = pc.count_distinct(column).as_py()
    counts: list[tuple[str, int]] = []
    if distinct <= _FEW_VALUES:
        counted = pc.value_counts(column.drop_null()).to_pylist()
        counts = sorted((_as_text(c["values"]), c["counts"]) for c in counted)
    return Facts(name, rows, nulls, distinct, whole, tuple(counts), names, class_only=_names_class_only(column.type))


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _class_names(schema: pa.Schema) -> dict[str, tuple[str, ...]]:
    """Names of the classes of Hugging Face ClassLabel columns."""
    raw = (schema.metadata or {}).get(b"huggingface")
    try:
        features = json.loads(raw)["info"]["features"] if raw else {}
        return {n: tuple(f["names"]) for n, f in features.items() if isinstance(f, dict) and "names" in f}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _free(roles: Roles, fields: set[str]) -> tuple[tuple[str, Any], ...]:
    return tuple((role, found) for role, found in roles.others if found.column not in fields)


def _refused(roles: Roles, field: FieldFound, rows: int) -> float:
    """About which share of the records will fail: those without a label or payload, or with a broken one."""
    misfits = max((label.misfits for label in field.labels if label.kind), default=0.0)
    empty = max(roles.unlabeled / rows, field.refused)  # lines that cannot be read have neither
    return min(1.0, empty + field.payloads.broken + misfits)


def _file_notes(listing: Listing) -> tuple[str, ...]:
    """Splits that the files' names tell and fanbeam does not read from there."""
    named = {
        split_of_name(part) for f in listing.files for part in f.path.replace("-", "/").replace(".", "/").split("/")
    }
    if not {"train"} < named - {None}:
        return ()
    return (
        "The files are named for splits. fanbeam splits itself, and mixes them: to keep them apart, give only the",
        "training files as input.path, with `split: {}`, and use the others as they are.",
    )


def _nothing_usable(listing: Listing, source: str, remarks: Sequence[str]) -> InputError:
    names = listing.schema.names
    shown = ", ".join(f"{f.name} ({f.type})" for f in list(listing.schema)[:_LISTED_COLUMNS])
    more = ", …" if len(names) > _LISTED_COLUMNS else ""
    message = f"no column of {source!r} can be augmented; it has {shown}{more}"
    told = tuple(Problem(source, f"{remark}.") for remark in remarks)
    return InputError(message, (*told, Problem(source, f"{message}.", _REMEDY)))
