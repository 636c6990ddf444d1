"""Key columns -> for each row its key, group, labels and split, or why the record fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.config import JobConfig
from pipeline.errors import InputError, Problem
from pipeline.records import Record, Refusal, Split, Unit
from pipeline.sources.interface import Reader
from pipeline.split import ALIASES, split_of_key, split_of_name

_MAX_LISTED = 10


@dataclass(frozen=True, slots=True)
class Key:
    """What the survey and the workers know of a record without its payload."""

    key: str
    file: str
    row: int
    labels: tuple[str, ...]
    split: Split
    identified: bool
    refusal: Refusal | None = None


def keys_of(config: JobConfig, reader: Reader, unit: Unit, batch: pa.RecordBatch, start: int) -> list[Key]:
    """One key per row of a batch whose first row is row `start` of the unit. Raises InputError for odd splits."""
    count = batch.num_rows
    columns = {name: texts(batch.column(name)) for name in _scalar_columns(config)}
    places = [reader.locate(unit, start + n) for n in range(count)]
    ids = columns.get(config.input.id or "", [None] * count)
    labels = _labels(batch, config.input.label, count)
    groups = columns.get(config.input.group or "", [None] * count)
    names = columns.get(config.split.column or "", [None] * count)
    shares = config.split.shares()
    if config.split.column:
        _refuse_odd_splits(config.split.column, names, places)
    keys = []
    for (file, row), identity, label, group, name in zip(places, ids, labels, groups, names, strict=True):
        key = identity if identity is not None else default_key(file, row)
        split = split_of_name(name) or split_of_key(key, group, shares, config.split.seed)
        refusal = _refusal(config, identity, label)
        keys.append(Key(key, file, row, label or (), split, identity is not None, refusal))
    return keys


def default_key(file: str, row: int) -> str:
    """Key of a record without an id: its file and row."""
    return f"{file}#{row}"


def texts(column: pa.Array) -> list[str | None]:
    """Values of a key column as text; integers in decimal."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: list[str | None] = column.cast(pa.string()).to_pylist()
    return values


def record_of(key: Key, payloads: dict[str, Any], batch: pa.RecordBatch, index: int) -> Record:
    """The record of a key whose row is row `index` of `batch`."""
    return Record(key.key, key.file, key.row, key.labels, payloads, batch, index, key.refusal)


def _scalar_columns(config: JobConfig) -> list[str]:
    return [c for c in (config.input.id, config.input.group, config.split.column) if c is not None]


def _labels(batch: pa.RecordBatch, name: str | None, count: int) -> Sequence[tuple[str, ...] | None]:
    """The classes of each row: one for a plain column, any number for a list column, None for null."""
    if name is None:
        return [()] * count
    column = batch.column(name)
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        flat, lengths = iter(texts(column.flatten())), pc.list_value_length(column).to_pylist()
        return [None if n is None else tuple(v for v in islice(flat, n) if v is not None) for n in lengths]
    return [None if value is None else (value,) for value in texts(column)]


def _refuse_odd_splits(column: str, names: Sequence[str | None], places: Sequence[tuple[str, int]]) -> None:
    """Raise InputError with the first place of each value that names no split."""
    first: dict[str | None, tuple[str, int]] = {}
    for name, place in zip(names, places, strict=True):
        if name not in first and split_of_name(name) is None:
            first[name] = place
    if first:
        known = f"Known: {', '.join(sorted(ALIASES))}."
        problems = [
            Problem(f"{file} row {row}", f"column {column!r} holds {name!r}, which names no split.", known)
            for name, (file, row) in islice(first.items(), _MAX_LISTED)
        ]
        raise InputError(str(problems[0]), tuple(problems))


def _refusal(config: JobConfig, identity: str | None, label: tuple[str, ...] | None) -> Refusal | None:
    if config.input.id is not None and identity is None:
        return Refusal("failed", config.input.id, "read", "null_id", message="the id is null")
    if config.input.label is not None and label is None:
        return Refusal("failed", config.input.label, "read", "null_label", message="the label is null")
    return None
