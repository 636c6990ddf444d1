from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import FLIP, config_of, jpeg, ran

from pipeline.dataset.dictionary_columns import encoded, row_groups

SHORT = pa.dictionary(pa.int8(), pa.string())


@given(st.lists(st.none() | st.integers(0, 400).map(str), max_size=600))
def test_chunks_hold_what_the_index_can_count(values: list[str | None]) -> None:
    column = encoded(values, SHORT)
    assert column.type == SHORT
    assert column.to_pylist() == values
    assert all(len(chunk.dictionary) <= 128 for chunk in column.chunks)


@pytest.mark.parametrize(
    ("index", "chunks"), [(pa.int8(), 4), (pa.uint8(), 2), (pa.int16(), 1), (pa.int32(), 1), (pa.uint64(), 1)]
)
def test_no_more_chunks_than_needed(index: pa.DataType, chunks: int) -> None:
    values = [f"v{n}" for n in range(500)]
    for kind in (pa.string(), pa.large_string()):
        column = encoded(values, pa.dictionary(index, kind))
        assert (column.num_chunks, column.type) == (chunks, pa.dictionary(index, kind))


def test_nothing_is_a_column_too() -> None:
    assert encoded([], SHORT).type == SHORT
    assert encoded([None], SHORT).to_pylist() == [None]


def different(form: str, count: int = 4) -> pa.ChunkedArray:
    """Chunks whose short dictionaries are all different."""
    flat = [pa.array([f"{c}-{n}" for n in range(100)]).cast(SHORT) for c in range(count)]
    offsets = pa.array(range(101), pa.int32())
    forms: dict[str, Any] = {
        "plain": lambda a: a,
        "struct": lambda a: pa.StructArray.from_arrays([a, pa.array(range(100))], names=["d", "n"]),
        "list": lambda a: pa.ListArray.from_arrays(offsets, a),
        "map": lambda a: pa.MapArray.from_arrays(offsets, pa.array(["k"] * 100), a),
        "deep": lambda a: pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays([a], names=["d"])),
    }
    return pa.chunked_array([forms[form](a) for a in flat])


@pytest.mark.parametrize("form", ["plain", "struct", "list", "map", "deep"])
def test_row_groups_can_be_read_back(tmp_path: Path, form: str) -> None:
    table = pa.table({"x": different(form), "n": list(range(400))})
    parts = list(row_groups(table))
    assert 1 < len(parts) <= 8
    assert sum(p.num_rows for p in parts) == 400
    with pq.ParquetWriter(tmp_path / "a.parquet", table.schema) as writer:
        for part in parts:
            writer.write_table(part, row_group_size=part.num_rows)
    assert pads.dataset(tmp_path / "a.parquet").to_table().to_pylist() == table.to_pylist()


def test_a_table_without_short_indices_is_one_row_group() -> None:
    table = pa.table({"x": pa.array([f"{n}" for n in range(500)]).dictionary_encode(), "y": [{"a": [1]}] * 500})
    assert list(row_groups(table)) == [table]
    few = pa.table({"x": pa.array(["a", "b"] * 100).cast(SHORT)})
    assert list(row_groups(few)) == [few]
    assert [p.num_rows for p in row_groups(few.slice(0, 0))] == [0]


@pytest.mark.parametrize("form", ["plain", "struct", "list"])
def test_rows_of_many_row_groups_meet_in_one_shard(tmp_path: Path, form: str) -> None:
    """pandas writes categories with an int8 index; the dataset of several such row groups could not be read."""
    column = different(form)
    table = pa.table({"id": list(range(400)), "label": ["x"] * 400, "text": ["w"] * 400, "kind": column})
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "a.parquet", row_group_size=100)
    done = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, copies=0))
    read = done.table()
    assert read.column("kind").type == pq.read_schema(tmp_path / "in" / "a.parquet").field("kind").type
    assert read.column("kind").to_pylist() == column.to_pylist()


def test_a_member_beside_the_payload(tmp_path: Path) -> None:
    paths = different("plain", 2)
    kind = pa.struct([("bytes", pa.binary()), ("path", SHORT)])
    chunks = [
        pa.StructArray.from_arrays([pa.array([jpeg(n % 3) for n in range(100)]), chunk], fields=list(kind))
        for chunk in paths.chunks
    ]
    table = pa.table({"id": list(range(200)), "label": ["x"] * 200, "image": pa.chunked_array(chunks)})
    (tmp_path / "in").mkdir()
    pq.write_table(table, tmp_path / "in" / "a.parquet", row_group_size=100)
    fields = {"image": {"type": "image", "augment": [FLIP]}}
    read = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, copies=1, fields=fields)).table()
    assert [row["path"] for row in read.column("image").to_pylist()[::2]] == paths.to_pylist()
