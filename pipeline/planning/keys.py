"""Key columns -> for each row its key, group, labels and split, or why the record fails; column by column."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.schema import JobConfig
from pipeline.errors import InputError, Problem
from pipeline.planning.hash_split import splits_of_keys
from pipeline.planning.split_table import refusal_of, refusals, split_places
from pipeline.records import SPLIT_ALIASES, SPLITS, Record, Refusal, Split, Unit, split_of_name
from pipeline.sources.interface import Reader
from pipeline.sources.key_columns import Fault, KeyColumns, Labels
from pipeline.sources.tables.broken_lines import broken_rows

_MAX_LISTED = 10
_TEXT = ("utf-8", "surrogatepass")
_Place = Callable[[int], tuple[str, int]]
"""File and row of the nth row of a batch."""


@dataclass(frozen=True, slots=True)
class KeyBlock:
    """What is known of consecutive rows of a unit without their payload: row `start + n` is at n of every column.

    `keys`: UTF-8 bytes, never null. `identified`: the key is an id of the input. `groups`: text, null where a record is
    its own group; None without a group column. `splits`: places in SPLITS. `classes`: what records are counted
    as when copies are counted out. `refused`: the record fails for its keys.
    """

    unit: Unit
    start: int
    keys: pa.Array
    identified: NDArray[np.bool_]
    groups: pa.Array | None
    labels: Labels
    classes: Labels
    splits: NDArray[np.uint8]
    refused: NDArray[np.bool_]
    odd: NDArray[np.uint8] | None = None
    """Bits of `split_table` for what the survey refuses."""
    faults: tuple[Fault, ...] = ()
    """What key columns hold that nobody can read."""

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class Key:
    """One row of a `KeyBlock`, with its place in the input."""

    key: str
    file: str
    row: int
    labels: tuple[str, ...]
    split: Split
    identified: bool
    refusal: Refusal | None = None
    classes: tuple[str, ...] = ()


def key_block(
    config: JobConfig,
    reader: Reader,
    unit: Unit,
    batch: pa.RecordBatch,
    start: int,
    decided: NDArray[np.uint8] | None = None,
) -> KeyBlock:
    """The keys of a batch whose first row is row `start` of the unit. Raises InputError: odd splits.

    `decided`: of each row what the survey decided, see `split_table`; None where each row tells its split by itself.
    """
    columns = KeyColumns(batch)
    texts = {name: columns.text(name) for name in _scalar_columns(config, batch.schema)}
    ids, groups, names = (texts.get(n or "") for n in (config.input.id, config.input.group, config.split.split_column))
    count = batch.num_rows
    keys, identified = _keys(ids, reader, unit, range(start, start + count))
    edges = config.input.label_edges
    labels = columns.labels(config.input.label, edges)
    classes = labels
    if config.class_columns != (config.input.label,):
        classes = columns.classes(config.class_columns, config.input.label, edges)
    faulty = [labels.missing, broken_rows(unit, start, count), *(fault.rows for fault in columns.faults)]
    refused = np.logical_or.reduce(faulty if ids is None else [*faulty, ~identified])
    if decided is not None:
        splits = split_places(decided)
    elif names is not None:
        unread = _unread(config.split.split_column, columns.faults, unit, start, count)
        if unread.any():  # they fail, wherever they are
            names = pc.if_else(pa.array(unread), pa.scalar(SPLITS[0]), names)
        splits = _named_splits(config.split.split_column, names, lambda n: reader.locate(unit, start + n))
    else:
        splits = splits_of_keys(keys, groups, config.split.shares(), config.split.seed)
    odd = None if decided is None else refusals(decided)
    if odd is not None:
        refused = refused | (odd > 0)
    return KeyBlock(unit, start, keys, identified, groups, labels, classes, splits, refused, odd, tuple(columns.faults))


def keys_at(config: JobConfig, reader: Reader, block: KeyBlock, places: Sequence[int]) -> list[Key]:
    """Rows of a block, `places` ascending, as objects."""
    at = np.asarray(places, np.int64)
    names = [raw.decode(*_TEXT) for raw in block.keys.take(pa.array(at)).to_pylist()]
    labels = block.labels.of(at)
    classes = labels if block.classes is block.labels else block.classes.of(at)
    keys = []
    for n, name, label, found in zip(at.tolist(), names, labels, classes, strict=True):
        file, row = reader.locate(block.unit, block.start + n)
        identified, split = bool(block.identified[n]), SPLITS[block.splits[n]]
        refusal = _refusal(config, block, n) if block.refused[n] else None
        keys.append(Key(name, file, row, label, split, identified, refusal, found))
    return keys


def digests(keys: Iterable[bytes]) -> NDArray[np.uint64]:
    """64 bits of blake2b of each key: equal keys have equal digests, and others hardly ever."""
    start, found = blake2b(digest_size=8), []
    for key in keys:
        state = start.copy()
        state.update(key)
        found.append(state.digest())
    return np.frombuffer(b"".join(found), "<u8")


def record_of(key: Key, payloads: dict[str, Any], batch: pa.RecordBatch, index: int) -> Record:
    """The record of a key whose row is row `index` of `batch`."""
    return Record(key.key, key.file, key.row, key.labels, payloads, batch, index, key.refusal, key.classes)


def _scalar_columns(config: JobConfig, schema: pa.Schema) -> list[str]:
    """Columns with a text for each row."""
    time = config.split.time_column
    named = [config.input.id, *config.group_columns, config.split.split_column]
    named += [time] if time is not None and _is_text(schema.field(time).type) else []
    return list(dict.fromkeys(name for name in named if name is not None))


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _unread(column: str | None, faults: Sequence[Fault], unit: Unit, start: int, count: int) -> NDArray[np.bool_]:
    """Rows whose split nobody can read."""
    found = broken_rows(unit, start, count)
    for fault in faults:
        found = found | fault.rows if fault.column == column else found
    return found


def _keys(ids: pa.Array | None, reader: Reader, unit: Unit, rows: range) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Ids, and where there are none `file#row`; and which of them are ids."""
    if ids is None:
        return _default_keys(reader, unit, rows), np.zeros(len(rows), np.bool_)
    keys = ids.cast(pa.binary())
    if not ids.null_count:
        return keys, np.ones(len(rows), np.bool_)
    return pc.coalesce(keys, _default_keys(reader, unit, rows)), ids.is_valid().to_numpy(zero_copy_only=False)


def _default_keys(reader: Reader, unit: Unit, rows: range) -> pa.Array:
    """Keys of records without an id. Rows of a unit without members are consecutive rows of one file."""
    if unit.members or not rows:
        places = [reader.locate(unit, row) for row in rows]
        return pa.array([f"{file}#{row}".encode(*_TEXT) for file, row in places], pa.binary())
    file, first = reader.locate(unit, rows.start)
    numbers = pa.array(np.arange(first, first + len(rows))).cast(pa.string()).cast(pa.binary())
    return pc.binary_join_element_wise(pa.scalar(f"{file}#".encode(*_TEXT)), numbers, pa.scalar(b""))


def _named_splits(column: str | None, names: pa.Array, place: _Place) -> NDArray[np.uint8]:
    """Splits that a column names. Raises InputError with the first place of each value that names none."""
    coded = names.dictionary_encode()
    known = [split_of_name(name) for name in coded.dictionary.to_pylist()]
    if names.null_count or None in known:
        raise _odd_splits(column, names.to_pylist(), place)
    splits = np.array([SPLITS.index(split) for split in known if split], np.uint8)
    return splits[np.asarray(coded.indices, np.int64)]


def _odd_splits(column: str | None, names: Sequence[str | None], place: _Place) -> InputError:
    first: dict[str | None, int] = {}
    for number, name in enumerate(names):
        if name not in first and split_of_name(name) is None:
            first[name] = number
    known = f"Known: {', '.join(sorted(SPLIT_ALIASES))}."
    problems = []
    for name, number in islice(first.items(), _MAX_LISTED):
        file, row = place(number)
        problems.append(Problem(f"{file} row {row}", f"column {column!r} holds {name!r}, which names no split.", known))
    return InputError(str(problems[0]), tuple(problems))


def _refusal(config: JobConfig, block: KeyBlock, n: int) -> Refusal | None:
    broken = next((b for b in block.unit.broken if b.row == block.start + n), None)
    if broken is not None:
        return Refusal("failed", "", "read", "broken_line", message=f"line {broken.line}: {broken.why}")
    for fault in block.faults:
        if fault.rows[n]:
            return Refusal("failed", fault.column, "read", fault.reason, message=fault.message)
    if config.input.id is not None and not block.identified[n]:
        return Refusal("failed", config.input.id, "read", "null_id", message="the id is null")
    if config.input.label is not None and block.labels.missing[n]:
        return Refusal("failed", config.input.label, "read", "null_label", message="the label is null")
    if block.odd is not None and block.odd[n]:
        return refusal_of(int(block.odd[n]), config.split.column or "")
    return None
