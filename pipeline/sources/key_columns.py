"""Key columns of a batch -> text and labels; a value that cannot be read fails its own row, and no other."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.sources.label_bins import binned

TOGETHER = " / "
"""Between the values of several columns that are one class together."""
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Labels:
    """Classes of rows: `values[n]` is one of row `rows[n]` (ascending); a row may have any number. `missing`: null."""

    values: pa.Array
    rows: NDArray[np.int64]
    missing: Mask

    def of(self, places: NDArray[np.int64]) -> list[tuple[str, ...]]:
        """The classes of some rows, `places` ascending."""
        lows, highs = (np.searchsorted(self.rows, places, side).tolist() for side in ("left", "right"))
        values = self.values.to_pylist() if lows else []
        return [tuple(values[low:high]) for low, high in zip(lows, highs, strict=True)]


@dataclass(frozen=True, slots=True)
class Fault:
    """Rows that fail for what a key column holds there."""

    column: str
    reason: str
    message: str
    rows: Mask


@dataclass(slots=True)
class KeyColumns:
    """The key columns of a batch. Of a value that cannot be read the text is null; `faults` says which those are."""

    batch: pa.RecordBatch
    faults: list[Fault] = field(default_factory=list)

    def text(self, name: str) -> pa.Array:
        """A column as text."""
        found, torn = text_of(self.batch.column(name))
        self._torn(name, torn)
        return found

    def labels(self, name: str | None, edges: Sequence[float] | None = None) -> Labels:
        """One class per row of a plain column, any number in a list column, each once; nulls in lists are passed over.

        With `edges` the columns hold numbers, and classes are the bins between them.
        """
        count = self.batch.num_rows
        if name is None:
            return Labels(pa.array([], pa.string()), np.empty(0, np.int64), np.zeros(count, np.bool_))
        column = _without_nan(self.batch.column(name))
        missing = column.is_null().to_numpy(zero_copy_only=False)
        rows = np.arange(count)
        if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
            rows = np.repeat(rows, pc.list_value_length(column).fill_null(0).to_numpy(zero_copy_only=False))
            column = column.flatten()
        values = self._classes(name, column, rows, edges)
        if values.null_count:
            values, rows = values.drop_null(), rows[values.is_valid().to_numpy(zero_copy_only=False)]
        if len(rows) > len(np.unique(rows)):
            values, rows = _each_once(values, rows)
        return Labels(values, rows, missing)

    def classes(self, names: Sequence[str], label: str | None, edges: Sequence[float] | None) -> Labels:
        """The values of one column, or of several taken together; a row that lacks one of them has none."""
        if len(names) <= 1:
            name = names[0] if names else None
            return self.labels(name, edges if name == label else None)
        rows = np.arange(self.batch.num_rows)
        parts = (self._classes(n, self.batch.column(n), rows, edges if n == label else None) for n in names)
        joined = pc.binary_join_element_wise(*parts, pa.scalar(TOGETHER))
        known = joined.is_valid().to_numpy(zero_copy_only=False)
        return Labels(joined.drop_null(), np.flatnonzero(known), ~known)

    def _classes(self, name: str, column: pa.Array, rows: NDArray[np.int64], edges: Sequence[float] | None) -> pa.Array:
        """The class of each value; `rows`: of which row each value is."""
        values, torn = text_of(column)
        self._torn(name, _of_rows(torn, rows, self.batch.num_rows))
        if edges is None:
            return values
        values, odd = binned(values, edges)
        message = "the label is no number, which label_bins needs"
        self._fault(name, "not_a_number", message, _of_rows(odd, rows, self.batch.num_rows))
        return values

    def _torn(self, name: str, rows: Mask | None) -> None:
        self._fault(name, "not_text", f"column {name!r} holds a string that is not UTF-8", rows)

    def _fault(self, name: str, reason: str, message: str, rows: Mask | None) -> None:
        if rows is not None and rows.any():
            self.faults.append(Fault(name, reason, message, rows))


def text_of(column: pa.Array) -> tuple[pa.Array, Mask | None]:
    """Values as text, integers in decimal, NaN as null; and which of them are not UTF-8, and null for that."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    column = _without_nan(column)
    found = column if column.type == pa.string() else column.cast(pa.string(), safe=False)
    try:
        found.validate(full=True)
    except pa.ArrowInvalid:
        return _readable(found.cast(pa.binary()).to_pylist())
    return found, None


def texts(column: pa.Array) -> list[str | None]:
    """Values of a key column as text; integers in decimal; None also where it is not UTF-8."""
    values: list[str | None] = text_of(column)[0].to_pylist()
    return values


def _readable(raw: list[bytes | None]) -> tuple[pa.Array, Mask]:
    values = [None if value is None else _decoded(value) for value in raw]
    torn = [value is None and given is not None for value, given in zip(values, raw, strict=True)]
    return pa.array(values, pa.string()), np.array(torn, np.bool_)


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _of_rows(odd: Mask | None, rows: NDArray[np.int64], count: int) -> Mask | None:
    """The rows that have any odd value."""
    return None if odd is None else np.isin(np.arange(count), rows[odd])


def _without_nan(column: pa.Array) -> pa.Array:
    """Null in place of NaN, which is how tables from elsewhere write that there is no value."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def _each_once(values: pa.Array, rows: NDArray[np.int64]) -> tuple[pa.Array, NDArray[np.int64]]:
    """A class that a row names twice counts once, where it stands first."""
    coded = values.dictionary_encode()
    pairs = rows * len(coded.dictionary) + coded.indices.to_numpy().astype(np.int64)
    first = np.sort(np.unique(pairs, return_index=True)[1])
    return (values, rows) if len(first) == len(rows) else (values.take(pa.array(first)), rows[first])
