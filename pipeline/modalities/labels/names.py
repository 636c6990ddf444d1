"""What a record calls its labels."""

from typing import Any

import pyarrow as pa


def class_names(binding: Any, row: pa.RecordBatch, index: int) -> list[str | None] | None:
    """The name of each label of a record; None if the config binds none."""
    named = getattr(binding, "labels", None)
    if named is None:
        return None
    alone = named in row.schema.names
    column = row.column(named if alone else binding.column)
    cell = column[index]
    if not cell.is_valid:
        return []
    if alone:
        found = cell.values
    else:
        found = cell[named].values if pa.types.is_struct(column.type) else cell.values.field(named)
    return [None if name is None else str(name) for name in ([] if found is None else found.to_pylist())]
