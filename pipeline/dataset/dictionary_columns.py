"""Dictionary columns with a short index: each row group may hold only as many values as the index can count.

An int8 index counts 128 values. Copies of an augmented text, or rows of several row groups of the input, can bring more
of them together: Arrow refuses to make such a column, and a file that holds one can be written, but not read.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

_ENDLESS = 2**31


def encoded(values: Sequence[Any], kind: pa.DictionaryType) -> pa.ChunkedArray:
    """A dictionary column; a chunk ends before its values become too many for the index."""
    limit, start = _limit(kind), 0
    known: set[Any] = set()
    chunks = []
    for number, value in enumerate(values):
        if value is not None and value not in known and len(known) == limit:
            chunks.append(_chunk(values[start:number], kind))
            known, start = set(), number
        if value is not None:
            known.add(value)
    return pa.chunked_array([*chunks, _chunk(values[start:], kind)], kind)


def row_groups(table: pa.Table) -> Iterator[pa.Table]:
    """The table in parts that can be read back, each a row group: nearly always the table itself."""
    if table.num_rows < 2 or all(_fits(c) for c in table.columns if _has_short_index(c.type)):
        yield table
        return
    half = table.num_rows // 2
    yield from row_groups(table.slice(0, half))
    yield from row_groups(table.slice(half))


def _chunk(values: Sequence[Any], kind: pa.DictionaryType) -> pa.Array:
    return pa.array(values, kind.value_type).dictionary_encode().cast(kind)


def _limit(kind: pa.DictionaryType) -> int:
    index = kind.index_type
    return min(1 << (int(index.bit_width) - bool(pa.types.is_signed_integer(index))), _ENDLESS)


def _has_short_index(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _limit(kind) < _ENDLESS
    return any(_has_short_index(kind.field(n).type) for n in range(kind.num_fields))


def _fits(column: pa.ChunkedArray) -> bool:
    values: dict[int, set[Any]] = {}
    limits: dict[int, int] = {}
    for chunk in column.chunks:
        for place, leaf in enumerate(_leaves(chunk)):
            values.setdefault(place, set()).update(leaf.dictionary.to_pylist())
            limits[place] = _limit(leaf.type)
    return all(len(values[place]) <= limit for place, limit in limits.items())


def _leaves(array: pa.Array) -> Iterator[pa.DictionaryArray]:
    """The dictionary arrays inside an array, always in the same order."""
    if pa.types.is_dictionary(array.type):
        yield array
    elif pa.types.is_struct(array.type):
        for number in range(array.type.num_fields):
            yield from _leaves(array.field(number))
    elif pa.types.is_map(array.type):
        yield from _leaves(array.keys)
        yield from _leaves(array.items)
    elif hasattr(array, "flatten") and array.type.num_fields == 1:
        yield from _leaves(array.flatten())
