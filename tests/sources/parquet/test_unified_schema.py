"""Files of one input that differ in how they were written: read as one, exactly, or refused by name."""

import datetime
import decimal
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_inputs import config_of, put, ran, rows_of, words

from pipeline.errors import InputError
from pipeline.sources.interface import Listing
from pipeline.sources.listing import list_input
from pipeline.sources.parquet.unified_schema import common_type

DAY = datetime.datetime(2024, 1, 2, 3, 4, 5)


def listed(home: Path, *tables: pa.Table, **changes: Any) -> Listing:
    home.mkdir(exist_ok=True)
    for old in home.iterdir():
        old.unlink()
    for number, table in enumerate(tables):
        pq.write_table(table, home / f"w{number}.parquet")
    changes = {"input__id": ..., "input__label": ..., "fields": {"x": {"type": "text"}}, **changes}
    return list_input(config_of(home, "out", **changes))


def values(listing: Listing) -> list[Any]:
    return [row["x"] for row in rows_of(listing.reader, listing.units)]


def column(made: list[Any], kind: pa.DataType) -> pa.Table:
    return pa.table(
        {"x": pa.array(made, pa.string()).cast(kind) if made and kind == pa.string_view() else pa.array(made, kind)}
    )


ENCODED: list[tuple[list[Any], list[pa.DataType], pa.DataType]] = [
    (["a", None, "b"], [pa.string(), pa.string_view()], pa.string()),
    (["a", None, "b"], [pa.string(), pa.large_string(), pa.string_view()], pa.large_string()),
    (["a", None, "b"], [pa.dictionary(pa.int8(), pa.string()), pa.string()], pa.string()),
    (["a", "b"], [pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.string())], pa.string()),
    ([b"a", None], [pa.binary(), pa.large_binary()], pa.large_binary()),
    ([b"ab", None], [pa.binary(2), pa.binary()], pa.binary()),
    ([1, None, 100], [pa.int8(), pa.int32(), pa.uint8()], pa.int32()),
    ([1, 100], [pa.uint8(), pa.int8()], pa.int16()),
    ([1, 2**31], [pa.uint32(), pa.int64()], pa.int64()),
    ([0.5, None], [pa.float32(), pa.float64()], pa.float64()),
    ([decimal.Decimal("1.50")], [pa.decimal128(5, 2), pa.decimal128(6, 3)], pa.decimal128(6, 3)),
    ([DAY, None], [pa.timestamp("ms"), pa.timestamp("ns"), pa.timestamp("us")], pa.timestamp("ns")),
    ([[1, 2], []], [pa.list_(pa.int32()), pa.large_list(pa.int64())], pa.large_list(pa.int64())),
    ([[1, 2]], [pa.list_(pa.int32(), 2), pa.list_(pa.int32())], pa.list_(pa.int32())),
    ([{"a": 1, "b": "x"}, None],
     [pa.struct([("a", pa.int32()), ("b", pa.string())]), pa.struct([("b", pa.large_string()), ("a", pa.int64())])],
     pa.struct([("a", pa.int64()), ("b", pa.large_string())])),
    ([None, None], [pa.null(), pa.string()], pa.string()),
]  # fmt: skip


@pytest.mark.parametrize(("made", "kinds", "wanted"), ENCODED)
def test_encodings_of_the_same_values_are_read_as_one_type(
    tmp_path: Path, made: list[Any], kinds: list[pa.DataType], wanted: pa.DataType
) -> None:
    for order in itertools.permutations(kinds):
        listing = listed(tmp_path / "in", *(column(made, kind) for kind in order))
        found = listing.schema.field("x").type
        if pa.types.is_struct(wanted):
            assert {f.name: f.type for f in found} == {f.name: f.type for f in wanted}
        else:
            assert found == wanted
        read = [pd.to_pydatetime() if hasattr(pd, "to_pydatetime") else pd for pd in values(listing)]
        assert read == made * len(kinds)
        assert {b.schema.field("x").type for u in listing.units for b in listing.reader.read(u, ["x"], 0, u.rows)} == {
            found
        }


VIEWS: list[tuple[list[Any], pa.DataType, pa.DataType]] = [
    (["a", None, "ä"], pa.string_view(), pa.string()),
    ([b"a", None], pa.binary_view(), pa.binary()),
    ([["a", None], None, []], pa.list_(pa.string_view()), pa.list_(pa.string())),
    ([[1, 2], None], pa.list_view(pa.int32()), pa.list_(pa.int32())),
    ([[1, 2], None], pa.large_list_view(pa.int32()), pa.large_list(pa.int32())),
    ([["a", "b"]], pa.list_(pa.string_view(), 2), pa.list_(pa.string(), 2)),
    ([{"b": [b"x"]}], pa.struct([("b", pa.list_(pa.binary_view()))]), pa.struct([("b", pa.list_(pa.binary()))])),
]


@pytest.mark.parametrize(("made", "kind", "wanted"), VIEWS)
def test_views_are_read_as_what_they_view(
    tmp_path: Path, made: list[Any], kind: pa.DataType, wanted: pa.DataType
) -> None:
    listing = listed(tmp_path / "in", pa.table({"x": pa.array(made, kind)}))
    assert pq.read_schema(tmp_path / "in/w0.parquet").field("x").type.num_fields == kind.num_fields
    read = pa.chunked_array([b.column("x") for u in listing.units for b in listing.reader.read(u, ["x"], 0, u.rows)])
    # names of list items differ by the version of Arrow that wrote them
    assert read.cast(wanted).to_pylist() == made
    assert "view" not in f"{listing.schema.field('x').type} {read.type}"


def test_folders_that_hold_a_column_in_their_names_are_told(tmp_path: Path) -> None:
    for kind in ("owl", "tit"):
        put(tmp_path / f"in/species={kind}/year=2026/a.parquet", b"")
        pq.write_table(pa.table({"x": [words(1)], "year": [2026]}), tmp_path / f"in/species={kind}/year=2026/a.parquet")
    changes: dict[str, Any] = {"input__id": ..., "input__label": ..., "fields": {"x": {"type": "text"}}}
    (note,) = list_input(config_of(tmp_path / "in", "out", **changes)).notes
    assert note.startswith("folders are called species=…, which is no column here")


UNLIKE = [
    (["1"], pa.string(), [1], pa.int64()),
    ([1], pa.int64(), [0.5], pa.float64()),
    ([1], pa.uint64(), [1], pa.int64()),
    ([True], pa.bool_(), [1], pa.int64()),
    ([DAY], pa.timestamp("us"), [DAY], pa.timestamp("us", "UTC")),
    ([[1]], pa.list_(pa.int64()), [1], pa.int64()),
    ([{"a": 1}], pa.struct([("a", pa.int64())]), [{"b": 1}], pa.struct([("b", pa.int64())])),
    (["a"], pa.string(), [b"a"], pa.binary()),
]


@pytest.mark.parametrize(("one", "kind", "other", "other_kind"), UNLIKE)
def test_a_changed_meaning_is_refused(
    tmp_path: Path, one: list[Any], kind: pa.DataType, other: list[Any], other_kind: pa.DataType
) -> None:
    assert common_type(kind, other_kind) is None
    assert common_type(other_kind, kind) is None
    with pytest.raises(InputError) as caught:
        listed(tmp_path / "in", pa.table({"x": pa.array(one, kind)}), pa.table({"x": pa.array(other, other_kind)}))
    (problem,) = caught.value.problems
    assert problem.where == "w1.parquet"
    assert "column 'x' is" in problem.message
    assert "input.columns: {x: string}" in problem.suggestion


def test_a_changed_meaning_is_read_as_the_config_says(tmp_path: Path) -> None:
    tables = pa.table({"x": [1, 2]}), pa.table({"x": [0.5, None]})
    listing = listed(tmp_path / "in", *tables, input__columns={"x": "float"})
    assert values(listing) == [1.0, 2.0, 0.5, None]
    assert listing.schema.field("x").type == pa.float64()
    assert values(listed(tmp_path / "in", *tables, input__columns={"x": "string"})) == ["1", "2", "0.5", None]


def test_columns_of_nulls_alone_do_not_decide_a_type(tmp_path: Path) -> None:
    texts = pa.table({"x": ["a", "b"]})
    for nothing in (pa.nulls(2), pa.nulls(2, pa.float64()), pa.array([None, None], pa.int8())):
        for order in ((texts, pa.table({"x": nothing})), (pa.table({"x": nothing}), texts)):
            listing = listed(tmp_path / "in", *order)
            assert listing.schema.field("x").type == pa.string()
            assert sorted(map(str, values(listing))) == ["None", "None", "a", "b"]


def test_files_without_rows_do_not_count(tmp_path: Path) -> None:
    empty = pa.table({"y": pa.array([], pa.int8()), "x": pa.nulls(0)})
    for order in ((empty, pa.table({"x": ["a"]})), (pa.table({"x": ["a"]}), empty)):
        listing = listed(tmp_path / "in", *order)
        assert (listing.schema.names, listing.schema.types, values(listing)) == (["x"], [pa.string()], ["a"])
        assert len(listing.files) == 2
    assert listed(tmp_path / "in", empty, empty).schema.names == ["y", "x"]


def test_the_index_of_some_files_is_left_out(tmp_path: Path) -> None:
    with_index = pa.table({"x": ["a"], "__index_level_0__": [7]})
    listing = listed(tmp_path / "in", with_index, pa.table({"x": ["b"]}))
    assert (listing.schema.names, values(listing)) == (["x"], ["a", "b"])
    assert "'__index_level_0__'" in listing.notes[0]
    assert listed(tmp_path / "in", with_index, with_index).schema.names == ["x", "__index_level_0__"]


def test_a_new_column_is_null_where_it_lacks_if_that_is_asked_for(tmp_path: Path) -> None:
    tables = pa.table({"x": ["a"], "old": [1]}), pa.table({"x": ["b"], "new": [[0.5]]})
    with pytest.raises(InputError) as caught:
        listed(tmp_path / "in", *tables)
    assert [p.where for p in caught.value.problems] == ["w1.parquet", "w1.parquet"]
    assert all("input.schema: union" in p.suggestion for p in caught.value.problems)
    listing = listed(tmp_path / "in", *tables, input__schema="union")
    assert list(rows_of(listing.reader, listing.units)) == [
        {"x": "a", "old": 1, "new": None}, {"x": "b", "old": None, "new": [0.5]}
    ]  # fmt: skip
    assert all(field.nullable for field in listing.schema if field.name != "x")


def test_files_that_are_alike_are_read_as_they_are(tmp_path: Path) -> None:
    listing = listed(tmp_path / "in", pa.table({"x": ["a"], "y": [1]}), pa.table({"y": [2], "x": ["b"]}))
    assert listing.reader.schema is None  # type: ignore[attr-defined]
    assert values(listing) == ["a", "b"]


@pytest.mark.parametrize("kind", [pa.list_(pa.float32(), 2), pa.struct([("v", pa.list_(pa.float32(), 2))])])
def test_lists_of_a_fixed_size_may_hold_nulls(tmp_path: Path, kind: pa.DataType) -> None:
    made: list[Any] = [[0.5, 1.0], None, [2.0, 3.0]]
    if pa.types.is_struct(kind):
        made = [{"v": value} for value in made]
    rows = {"id": ["a", "b", "c"], "text": [words(n) for n in range(3)], "big": pa.array("xyz", pa.large_string())}
    path = tmp_path / "in" / "a.parquet"
    path.parent.mkdir()
    coded = pa.array(["k", "k", None]).dictionary_encode()
    table = pa.table({**rows, "v": pa.array(made, kind), "coded": coded})
    pq.write_table(table, path)
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(path)
    changes: dict[str, Any] = {"input__label": ..., "split": {}, "copies": 1}
    found = ran(config_of(path, tmp_path / "out", **changes))
    assert "become lists of any size" in found.listing.notes[0]
    written = {row["id"]: row["v"] for row in found.table().to_pylist()}
    assert written == dict(zip("abc", made, strict=True))
    for name in ("big", "coded"):
        assert found.table().schema.field(name).type == table.schema.field(name).type


def test_lists_of_a_fixed_size_without_nulls_keep_their_type(tmp_path: Path) -> None:
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.arange(6, dtype=np.float32)), 2)
    listing = listed(tmp_path / "in", pa.table({"x": vectors}))
    assert listing.schema.field("x").type == pa.list_(pa.float32(), 2)
    assert values(listing) == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert listing.notes == ()


def test_weeks_that_were_written_by_other_libraries_make_one_dataset(tmp_path: Path) -> None:
    """Every sample has its values, whichever file it came from; the file itself is read again for `verify`."""
    for week, kind in enumerate((pa.string(), pa.large_string(), pa.dictionary(pa.int16(), pa.string()))):
        names = [f"w{week}r{n}" for n in range(4)]
        columns = {"id": names, "text": [words(10 * week + n) for n in range(4)]}
        typed = {name: pa.array(column).cast(kind) for name, column in columns.items()}
        path = put(tmp_path / "in" / f"{week}.parquet", b"")
        pq.write_table(pa.table({**typed, "n": pa.array(range(4), (pa.int8(), pa.int64(), pa.int32())[week])}), path)
    found = ran(config_of(tmp_path / "in", tmp_path / "out", input__label=..., split={}, copies=1))
    rows = {row["sample_id"]: row for row in found.table().to_pylist()}
    assert len(rows) == 24
    for week in range(3):
        for n in range(4):
            row = rows[f"w{week}r{n}/0"]
            assert (row["text"], row["n"]) == (words(10 * week + n), n)
