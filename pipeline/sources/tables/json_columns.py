"""JSON values -> Arrow columns: one type that every value fits, or what is wrong with a column."""

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa

EXACT = 2**53
"""Whole numbers up to here are floats exactly."""


class UnlikeValues(ValueError):
    """The values of a column have no common type."""


def column_type(values: Sequence[Any]) -> pa.DataType:
    """A type that all the values fit, in whatever order they come. Raises UnlikeValues."""
    try:
        kind = pa.infer_type(values)
    except OverflowError as error:
        raise UnlikeValues("whole numbers beyond 64 bits") from error
    except pa.ArrowException as error:
        raise UnlikeValues(str(error).splitlines()[0]) from error
    if kind == pa.string() and any(v is not None and type(v) is not str for v in values):
        raise UnlikeValues("text beside values of another kind")  # as where the text comes last
    typed(values, kind)
    return kind


def loose_type(values: Sequence[Any]) -> pa.DataType:
    """The same, or text where there is no such type."""
    try:
        return column_type(values)
    except UnlikeValues:
        return pa.string()


def typed(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """`to_array`. Raises UnlikeValues where a value is of another type, or would change."""
    try:
        return to_array(values, kind)
    except OverflowError as error:
        raise UnlikeValues("whole numbers beyond 64 bits") from error
    except pa.ArrowException as error:
        raise UnlikeValues(str(error).splitlines()[0]) from error


def to_array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column: in one of text, numbers and the rest are written as JSON writes them; integers may be floats."""
    if kind == pa.string():
        values = [_as_text(v) for v in values]
    elif pa.types.is_floating(kind):
        values = [_as_float(v) if type(v) is int else v for v in values]
    elif pa.types.is_temporal(kind):
        return pa.array(values, pa.string()).cast(kind)
    return pa.array(values, kind)


def unstorable(kind: pa.DataType) -> bool:
    """Whether a type has objects without any member, which Parquet cannot store."""
    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(unstorable(member.type) for member in kind)
    return bool(pa.types.is_list(kind)) and unstorable(kind.value_type)


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _as_float(value: int) -> float:
    found = float(value)
    if found != value:
        raise UnlikeValues(f"floats beside the whole number {value}, which no float holds exactly")
    return found
