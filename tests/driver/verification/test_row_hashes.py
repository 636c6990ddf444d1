"""Equal values have equal hashes, however they are encoded, and other values have others."""

import datetime
import itertools
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.driver.verification.row_hashes import column_hashes, row_hashes

NS = pa.array([1, 1_500_000_000_000_000_001, None, 7], pa.timestamp("ns"))
COLUMNS: dict[str, pa.Array] = {
    "int8": pa.array([1, -1, None, 0, 127], pa.int8()),
    "uint64": pa.array([2**64 - 1, 0, None, 5], pa.uint64()),
    "bool": pa.array([True, False, None]),
    "float16": pa.array([np.float16(1.5), np.float16(-2), None], pa.float16()),
    "float32": pa.array([1.5, -2.25, None, 3], pa.float32()),
    "float64": pa.array([0.1, 0.2, None, 1e300]),
    "string": pa.array(["a", "", None, "b", "ä" * 40]),
    "large_string": pa.array(["a", "", None], pa.large_string()),
    "string_view": pa.array(["a", "", None, "x" * 30], pa.string_view()),
    "binary": pa.array([b"a", b"", None, b"\0", b"\0\0"]),
    "fixed": pa.array([b"abc", b"abd", None], pa.binary(3)),
    "decimal": pa.array([Decimal("1.10"), Decimal("-1.10"), None], pa.decimal128(20, 2)),
    "decimal256": pa.array([Decimal("1.10"), Decimal("-1.10"), None], pa.decimal256(60, 2)),
    "date": pa.array([datetime.date(2020, 1, 1), datetime.date(1960, 1, 1), None]),
    "time32": pa.array([1, 2, None], pa.time32("s")),
    "timestamp": NS,
    "list": pa.array([[1, 2], [2, 1], [], [None], None, [1], [1, 2, 0]]),
    "nested": pa.array([[[1], [2]], [[1, 2]], [[], [1, 2]], [[1, 2], []], None]),
    "fixed list": pa.array([[1, 2], [2, 1], None, [1, None]], pa.list_(pa.int32(), 2)),
    "struct": pa.array([{"a": 1, "b": "x"}, {"a": None, "b": "x"}, None, {"a": 1, "b": None}]),
    "list of structs": pa.array([[{"a": 1}, {"a": 2}], [{"a": 2}, {"a": 1}], [], None]),
    "map": pa.array([[("k", 1)], [("k", 2)], [], None, [("l", 1)]], pa.map_(pa.string(), pa.int64())),
    "dictionary": pa.array(["a", "b", None, "c"]).dictionary_encode(),
    "null": pa.nulls(1),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_other_values_have_other_hashes_and_equal_ones_equal_ones(name: str) -> None:
    column = COLUMNS[name]
    assert len(set(column_hashes(column).tolist())) == len(column)
    twice = pa.concat_arrays([column, column]) if name != "dictionary" else column.dictionary_decode()
    assert column_hashes(twice)[: len(column)].tolist() == column_hashes(column).tolist()
    assert column_hashes(twice)[-len(column) :].tolist() == column_hashes(column).tolist()


@pytest.mark.parametrize("name", COLUMNS)
def test_slices_have_the_hashes_of_their_rows(name: str) -> None:
    column = COLUMNS[name]
    whole = column_hashes(column).tolist()
    for start, stop in itertools.combinations(range(len(column) + 1), 2):
        assert column_hashes(column.slice(start, stop - start)).tolist() == whole[start:stop]
    assert column_hashes(column.slice(0, 0)).tolist() == []


SAME: list[tuple[Any, Any]] = [
    (pa.array([1, None], pa.int8()), pa.array([1, None], pa.int64())),
    (pa.array([1, None], pa.uint8()), pa.array([1, None], pa.int64())),
    (pa.array(["a", None]), pa.array(["a", None], pa.large_string())),
    (pa.array(["a", None]), pa.array(["a", None], pa.string_view())),
    (pa.array(["a", None]), pa.array(["a", None]).dictionary_encode()),
    (pa.array([[1], None]), pa.array([[1], None], pa.large_list(pa.int8()))),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_encoding_does_not_matter(one: pa.Array, other: pa.Array) -> None:
    assert column_hashes(one).tolist() == column_hashes(other).tolist()


def test_values_that_change_places_between_columns_differ() -> None:
    one, other = pa.array(["x", "y"]), pa.array(["y", "x"])
    assert len({*row_hashes([one, other], 2).tolist(), *row_hashes([other, pa.array(["y", "y"])], 2).tolist()}) == 3
    assert row_hashes([], 2).tolist() == [0, 0]


def test_no_two_of_many_are_alike() -> None:
    values = pa.array(range(200_000))
    assert len(np.unique(column_hashes(values))) == 200_000
    assert len(np.unique(column_hashes(pa.array(np.arange(200_000) / 7)))) == 200_000
