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


def extent_of(column: pa.Array) -> Extent | None:
    """Of a column of times, dates, numbers, or texts that are one of them; None where there is none."""
    values = _times(column)
    if values is None:
        return None
    if pa.types.is_floating(values.type):
        values = values.filter(pc.is_finite(values))
    ends = pc.min_max(values)
    low, high = ends["min"], ends["max"]
    if not low.is_valid:
        return None
    first, last = (v.value if hasattr(v, "value") else v.as_py() for v in (low, high))
    return Extent(first, last, str(low.as_py()), str(high.as_py()))


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


def _times(column: pa.Array) -> pa.Array | None:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return None if pa.types.is_null(column.type) else column
    for kind in _READ_AS:
        try:
            return column.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
    return None
