"""Strings of tables that are not UTF-8: Arrow does not look at them when it reads, and Python cannot hold them."""

from typing import Any

import pyarrow as pa


def values_of(column: pa.Array | pa.ChunkedArray) -> list[Any]:
    """The values; None for those with a string that is not UTF-8."""
    try:
        found: list[Any] = column.to_pylist()
        return found
    except UnicodeDecodeError:
        return [value_of(column, index) for index in range(len(column))]


def value_of(column: pa.Array | pa.ChunkedArray, index: int) -> Any:
    """One value; None if it holds a string that is not UTF-8."""
    try:
        return column[index].as_py()
    except UnicodeDecodeError:
        return None


def torn_rows(batch: pa.RecordBatch) -> dict[int, str]:
    """Rows with a string that is not UTF-8 -> the first column that has it. Whole columns are looked at first."""
    found: dict[int, str] = {}
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if not _whole(column):
            for index in range(len(column)):
                if not _readable(column, index):
                    found.setdefault(index, name)
    return found


def without_torn(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with nulls in dictionary columns for what is not UTF-8: a dictionary goes where any row goes."""
    columns = [readable(column) if _indexed(column.type) else column for column in batch.columns]
    return pa.record_batch(columns, schema=batch.schema)


def with_nulls(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch with nulls for every value that holds a string that is not UTF-8."""
    return pa.record_batch([readable(column) for column in batch.columns], schema=batch.schema)


def readable(column: pa.Array) -> pa.Array:
    """The column with nulls for values that hold a string that is not UTF-8."""
    return column if _whole(column) else pa.array(values_of(column), column.type)


def _readable(column: pa.Array, index: int) -> bool:
    """Whether all strings of a row are text: of a slice the members would be looked at whole, and a dictionary too."""
    row = column.take(pa.array([index]))
    if _whole(row):
        return True
    try:
        row.to_pylist()
    except UnicodeDecodeError:
        return False
    return _indexed(column.type)


def _indexed(kind: pa.DataType) -> bool:
    """Whether there is a dictionary within."""
    return pa.types.is_dictionary(kind) or any(_indexed(kind.field(n).type) for n in range(kind.num_fields))


def _whole(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
