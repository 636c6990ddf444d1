"""From when to when the rows of a split are: whether what is trained on is older than what is held out."""

from collections.abc import Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.records import Split

_READ_AS = (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.float64())


class Extent(NamedTuple):
    """The first and the last moment as numbers that grow with time, and as they are written."""

    first: float
    last: float
    first_said: str
    last_said: str

    def over(self, other: "Extent | None") -> "Extent":
        """Both together."""
        if other is None:
            return self
        begin, end = min(self, other, key=lambda e: e.first), max(self, other, key=lambda e: e.last)
        return Extent(begin.first, end.last, begin.first_said, end.last_said)


Extents = Mapping[Split, Extent]


def extent_of(column: pa.Array) -> tuple[Extent | None, int]:
    """Of a column of times, dates, numbers, or texts that are one of them; and how many rows have no time.

    Empty texts, nulls and NaN are none; nor are texts that cannot be read, which a split by time would have refused.
    """
    values = _times(column)
    if pa.types.is_floating(values.type):
        values = values.filter(pc.is_finite(values))
    values = values.drop_null()
    timeless = len(column) - len(values)
    if not len(values):
        return None, timeless
    numbers = values.cast(pa.int64()) if pa.types.is_duration(values.type) else values
    ends = pc.min_max(numbers)
    low, high = (values[pc.index(numbers, ends[end]).as_py()] for end in ("min", "max"))
    first, last = (v.value if hasattr(v, "value") else v.as_py() for v in (low, high))
    return Extent(first, last, _said(low), _said(high)), timeless


def _said(time: pa.Scalar) -> str:
    try:
        return str(time.as_py())
    except ValueError:  # nanoseconds, which are no time of Python's
        return str(time.cast(pa.string()).as_py())


def disorder(extents: Extents) -> str:
    """A sentence if training rows are not all older than held-out ones; empty if they are."""
    held = [(extent, split) for split, extent in extents.items() if split != "train"]
    train = extents.get("train")
    if train is None or not held:
        return ""
    oldest, split = min(held)
    if train.last < oldest.first:
        return ""
    return f"train reaches up to {train.last_said}, and {split} begins at {oldest.first_said}"


def _times(column: pa.Array) -> pa.Array:
    """Values that can be ordered; nulls where there is none."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string_view(column.type):
        column = column.cast(pa.string())
    kind = column.type
    if pa.types.is_temporal(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind) or _is_decimal(kind):
        return column
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return pa.nulls(len(column), pa.int64())
    texts = pc.utf8_trim_whitespace(column)
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, kind), texts)
    for wanted in _READ_AS:
        try:
            return texts.cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
    return pa.nulls(len(column), pa.int64())


def _is_decimal(kind: pa.DataType) -> bool:
    return bool(pa.types.is_decimal(kind))
