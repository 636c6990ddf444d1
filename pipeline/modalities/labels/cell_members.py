"""Cells of which one member changes alone: its numbers, its lists, or the entries that it is taken from."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pipeline.modalities.labels import cells


def with_numbers(cell: pa.Array, name: str, numbers: cells.Coordinates) -> pa.Array:
    """A cell (an array of one row) whose member `name` holds these numbers."""
    if not cell[0].is_valid:
        return cell
    kind = entry_type(cell.type, name)
    return with_entries(cell, name, cells.typed(numbers, kind))


def entry_type(kind: pa.DataType, name: str) -> pa.DataType:
    """Type of an entry of the member `name` in a column of this type."""
    if name == cells.ALONE:
        return kind.value_type
    return kind.field(name).type.value_type if pa.types.is_struct(kind) else kind.value_type.field(name).type


def with_entries(cell: pa.Array, name: str, entries: Sequence[Any]) -> pa.Array:
    """A cell (an array of one row) with other entries: of its lists, or of the member `name` of its structs."""
    kind = cell.type
    if not cell[0].is_valid:
        return cell
    new = pa.array(entries, entry_type(kind, name))
    if name == cells.ALONE:
        return cells.list_of(new, kind)
    if pa.types.is_struct(kind):
        parts = [
            cells.list_of(new, m.type) if m.name == name and cell[0][name].is_valid else cell.field(m.name)
            for m in kind
        ]
        return pa.StructArray.from_arrays(parts, fields=list(kind))
    held = cell[0].values
    members = list(kind.value_type)
    parts = [new if m.name == name else held.field(m.name) for m in members]
    return cells.list_of(pa.StructArray.from_arrays(parts, fields=members, mask=held.is_null()), kind)


def with_member(moved: pa.Array, column: pa.Array, index: int, name: str, rows: Sequence[int]) -> pa.Array:
    """A cell of structs (an array of one row) whose member `name` comes from other entries of the cell it was."""
    kind, places = column.type, pa.array(rows, pa.int64())
    if not column[index].is_valid:
        return moved
    if pa.types.is_struct(kind):
        other = cells.list_of(column[index][name].values.take(places), kind.field(name).type)
        parts = [other if m.name == name else moved.field(m.name) for m in kind]
        return pa.StructArray.from_arrays(parts, fields=list(kind))
    entries, other = moved[0].values, column[index].values.take(places)
    parts = [(other if m.name == name else entries).field(m.name) for m in kind.value_type]
    return cells.list_of(pa.StructArray.from_arrays(parts, fields=list(kind.value_type)), kind)
