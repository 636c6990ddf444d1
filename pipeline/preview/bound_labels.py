"""The labels that are bound to a field, as they stand in the source and in what a copy writes; with their names."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from pipeline.config.schema import AnyField
from pipeline.modalities.labels.binding import bind, columns_of
from pipeline.modalities.labels.cell_changes import moved_cells
from pipeline.modalities.labels.cells import BadLabels
from pipeline.records import Record, Sample
from pipeline.sources.inspection.class_names import class_names
from transforms.values import Value

Names = Mapping[str, tuple[str, ...]]
"""By kind of label: what each entry is called, in the order of the value's entries; nothing where nothing says so."""


def labeled(field: AnyField, source: Record | Sample, schema: pa.Schema, value: Value) -> tuple[Value, Names]:
    """The payload of a record or of a sample made of it, with the labels that stand, or are written, beside it."""
    if isinstance(source, Record):
        return _labeled(field, source.batch, source.index, schema, value)
    batch = source.record.batch
    names = [name for name in columns_of(field.bound()) if name in batch.schema.names]
    if not names:
        return value, {}
    row = pa.RecordBatch.from_arrays([moved_cells([source], name) for name in names], names=names)
    return _labeled(field, row, 0, schema, value)


def _labeled(field: AnyField, row: pa.RecordBatch, index: int, schema: pa.Schema, value: Value) -> tuple[Value, Names]:
    """Labels that cannot be bound are not drawn: the refusal of the record tells why."""
    bindings = field.bound()
    try:
        return bind(bindings, row, index, value), {k: _names(b, row, index, schema) for k, b in bindings.items()}
    except BadLabels:
        return value, {}


def _names(binding: Any, row: pa.RecordBatch, index: int, schema: pa.Schema) -> tuple[str, ...]:
    label = getattr(binding, "labels", None)
    if label is None:
        return ()
    known = class_names(schema, label if label in row.schema.names else binding.column, label)
    return tuple(_called(value, known) for value in _values(binding.column, label, row, index))


def _values(column: str, label: str, row: pa.RecordBatch, index: int) -> Sequence[Any]:
    """The label of each entry: from a column of its own, or from a member of the structs."""
    if label in row.schema.names:
        return row.column(label)[index].as_py() or ()
    cell = row.column(column)[index].as_py()
    if isinstance(cell, dict):
        return cell.get(label) or ()
    return [entry.get(label) if isinstance(entry, dict) else None for entry in cell or ()]


def _called(value: Any, known: Sequence[str]) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(known):
        return known[value]
    return "" if value is None else str(value)
