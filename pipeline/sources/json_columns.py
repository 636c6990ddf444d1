"""JSON values -> Arrow columns: one type that every value fits, or what is wrong with a column."""

from collections.abc import Sequence
from typing import Any

import orjson
import pyarrow as pa


class UnlikeValues(ValueError):
    """The values of a column have no common type."""


def column_type(values: Sequence[Any]) -> pa.DataType:
    """A type that all the values fit. Raises UnlikeValues: Arrow infers one from the first values alone."""
    try:
        kind = pa.infer_type(values)
        to_array(values, kind)
    except OverflowError as error:
        raise UnlikeValues("whole numbers beyond 64 bits") from error
    except pa.ArrowException as error:
        raise UnlikeValues(str(error).splitlines()[0]) from error
    return kind


def to_array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """A column: in one of text, numbers and the rest are written as JSON writes them; integers may be floats."""
    if kind == pa.string():
        values = [_as_text(v) for v in values]
    elif pa.types.is_floating(kind):
        values = [float(v) if type(v) is int else v for v in values]
    return pa.array(values, kind)


def unstorable(kind: pa.DataType) -> bool:
    """Whether a type has objects without any member, which Parquet cannot store."""
    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(unstorable(member.type) for member in kind)
    return bool(pa.types.is_list(kind)) and unstorable(kind.value_type)


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
