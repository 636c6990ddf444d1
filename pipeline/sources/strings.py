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
                if not _whole(column.take(pa.array([index]))):  # of a slice the members are looked at whole
                    found.setdefault(index, name)
    return found


def _whole(column: pa.Array) -> bool:
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True
