import datetime
import decimal
import os
import pickle
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_inputs import config_of, parquet, put, rows_of

from pipeline.errors import InputError, RunFailed
from pipeline.records import Block, InputFile
from pipeline.sources.interface import BATCH_BYTES, Listing
from pipeline.sources.listing import list_input
from pipeline.sources.snapshot import refuse_changed


def listed(path: Path) -> Listing:
    return list_input(config_of(path, "out"))


def read(listing: Listing) -> pa.Table:
    batches = [b for u in listing.units for b in listing.reader.read(u, None, 0, u.rows)]
    return pa.Table.from_batches(batches, listing.schema.remove_metadata())


def complaint(path: Path) -> list[str]:
    with pytest.raises(InputError) as caught:
        listed(path)
    return [str(p) for p in caught.value.problems]


INDEX = pa.array([1, 0, None, 1], pa.int8())
COLUMNS: dict[str, pa.Array] = {
    "nanoseconds": pa.array([1, 2, None, 3], pa.timestamp("ns", "Europe/Berlin")),
    "decimal": pa.array([decimal.Decimal("1.23"), None, decimal.Decimal("-99.99"), decimal.Decimal(0)]),
    "big decimal": pa.array([decimal.Decimal(10) ** 60, None, None, None], pa.decimal256(70, 2)),
    "map": pa.array([[("a", 1)], [], None, [("b", None), ("a", 2)]], pa.map_(pa.string(), pa.int32())),
    "large string": pa.array(["a", None, "", "ü"], pa.large_string()),
    "string view": pa.array(["a", None, "", "a text that is longer than twelve"], pa.string_view()),
    "binary view": pa.array([b"a", None, b"", b"x" * 50], pa.binary_view()),
    "large binary": pa.array([b"a", None, b"", b"x"], pa.large_binary()),
    "dictionary": pa.DictionaryArray.from_arrays(INDEX, pa.array(["x", "y"])),
    "ordered": pa.DictionaryArray.from_arrays(INDEX, pa.array(["x", "y"]), ordered=True),
    "nested dictionary": pa.StructArray.from_arrays(
        [pa.DictionaryArray.from_arrays(INDEX, pa.array(["x", "y"]))], names=["inner"]
    ),
    "numbers dictionary": pa.array([5, None, 5, 7]).dictionary_encode(),
    "struct": pa.array([{"a": 1, "b": [{"c": "x"}]}, None, {"a": None, "b": []}, {"a": 2, "b": None}]),
    "fixed list": pa.array([[1, 2], [3, 4], [5, None], [6, 7]], pa.list_(pa.int16(), 2)),
    "large list": pa.array([[1], None, [], [None]], pa.large_list(pa.int64())),
    "list view": pa.array([[1], None, [], [None]], pa.list_view(pa.int64())),
    "fixed binary": pa.array([b"1234", None, b"abcd", b"\0\0\0\0"], pa.binary(4)),
    "uuid": pa.array([bytes(range(16)), None, bytes(16), bytes(16)], pa.uuid()),
    "tensor": pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.float32(), [2]),
        pa.FixedSizeListArray.from_arrays(pa.array(np.arange(8, dtype=np.float32)), 2),
    ),
    "date": pa.array([datetime.date(1, 1, 1), None, datetime.date(9999, 12, 31), datetime.date(1970, 1, 1)]),
    "time": pa.array([1, None, 2, 3], pa.time64("ns")),
    "duration": pa.array([1, None, 2, 3], pa.duration("ns")),
    "float16": pa.array(np.array([1, 2, np.nan, np.inf], np.float16)),
    "nan": pa.array([float("nan"), -0.0, None, 1e308]),
    "uint64": pa.array([2**64 - 1, 0, None, 1], pa.uint64()),
    "boolean": pa.array([True, None, False, True]),
    "null": pa.nulls(4),
    "": pa.array(["no", "name", "at", "all"]),
    "a.b": pa.array([1, 2, 3, 4]),
    "a": pa.array([{"b": "x"}, None, {"b": None}, {"b": "y"}]),
    "ünïcödé \U0001f426 \t": pa.array([1, 2, 3, 4]),
}


VIEWED = {
    "string view": pa.string(),
    "binary view": pa.binary(),
    "list view": pa.list_(pa.field("element", pa.int64())),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_every_type_comes_as_it_is_stored(tmp_path: Path, name: str) -> None:
    path = parquet(tmp_path / "a.parquet", {name: COLUMNS[name], "id": list("abcd")}, per_group=3)
    found = read(listed(path))
    stored = pq.read_table(path)
    if name in VIEWED:
        stored = stored.set_column(0, name, pa.array(stored.column(0).to_pylist(), VIEWED[name]))
    assert found.schema.types == stored.schema.types
    assert found.column(0).combine_chunks().equals(stored.column(0).combine_chunks()) or name in ("nan", "float16")
    assert str(found.column(0).to_pylist()) == str(stored.column(0).to_pylist())


def test_all_types_at_once(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", COLUMNS, per_group=3)
    listing = listed(path)
    assert listing.schema.names == list(COLUMNS)
    assert str(read(listing).to_pylist()) == str(pq.read_table(path).to_pylist())


def test_chosen_columns_in_the_order_asked_for(tmp_path: Path) -> None:
    listing = listed(parquet(tmp_path / "a.parquet", COLUMNS))
    for names in (["a"], ["a.b", "a"], ["a", "a.b"], [""], ["uint64", "map"]):
        (batch,) = listing.reader.read(listing.units[0], names, 0, 4)
        assert batch.schema.names == names
        assert str(batch.to_pylist()) == str([{n: COLUMNS[n][i].as_py() for n in names} for i in range(4)])


def test_units_are_row_groups(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", {"x": list(range(10))}, per_group=4)
    parquet(tmp_path / "b.parquet", {"x": list(range(10, 12))})
    listing = listed(tmp_path)
    assert [(u.file, u.part, u.rows, u.first_row) for u in listing.units] == [
        ("a.parquet", 0, 4, 0), ("a.parquet", 1, 4, 4), ("a.parquet", 2, 2, 8), ("b.parquet", 0, 2, 0),
    ]  # fmt: skip
    assert [r["x"] for r in rows_of(listing.reader, listing.units)] == list(range(12))
    assert listing.reader.locate(listing.units[2], 1) == ("a.parquet", 9)


@pytest.mark.parametrize(("start", "stop"), [(0, 10), (3, 7), (9, 10), (0, 1), (5, 5), (8, 99)])
def test_windows(tmp_path: Path, start: int, stop: int) -> None:
    listing = listed(parquet(tmp_path / "a.parquet", {"x": list(range(10))}))
    (unit,) = listing.units
    for columns in (None, ["x"]):
        found = [r["x"] for b in listing.reader.read(unit, columns, start, stop) for r in b.to_pylist()]
        assert found == list(range(10))[start:stop]


def test_the_end_of_a_huge_row_group_is_read_in_little_memory(tmp_path: Path) -> None:
    """pyarrow reads a whole row group ahead unless it is told not to."""
    noise = np.random.default_rng(0).bytes(100_000)
    path = tmp_path / "huge.parquet"
    with pq.ParquetWriter(path, pa.schema([("x", pa.binary())]), compression="none", use_dictionary=False) as writer:
        payload = pa.array([noise[n : n + 2_000] for n in range(30_000)])
        writer.write_table(pa.table({"x": payload}), row_group_size=30_000)
        del payload
    (unit,) = (listing := listed(path)).units
    assert unit.bytes > 60_000_000
    before, peak, rows = pa.total_allocated_bytes(), 0, []
    for batch in listing.reader.read(unit, None, 29_990, 30_000):
        peak = max(peak, pa.total_allocated_bytes() - before)
        rows += batch.column(0).to_pylist()
    assert rows == [noise[n : n + 2_000] for n in range(29_990, 30_000)]
    assert peak < 3 * BATCH_BYTES


def test_batches_are_bounded(tmp_path: Path) -> None:
    listing = listed(parquet(tmp_path / "a.parquet", {"x": [os.urandom(100_000) for _ in range(200)]}))
    (unit,) = listing.units
    batches = list(listing.reader.read(unit, None, 0, 200))
    assert sum(b.num_rows for b in batches) == 200
    assert max(b.nbytes for b in batches) < 1.5 * BATCH_BYTES


def test_a_file_that_changes_is_read_anew(tmp_path: Path) -> None:
    """In a notebook: the footer of the first listing was used to read the second file."""
    path = parquet(tmp_path / "a.parquet", {"x": [1, 2, 3]})
    assert read(listed(path)).to_pydict() == {"x": [1, 2, 3]}
    parquet(path, {"y": ["a longer text than before", "b"], "x": ["u", "v"]})
    assert read(listed(path)).to_pydict() == {"y": ["a longer text than before", "b"], "x": ["u", "v"]}


@pytest.mark.parametrize("groups", [0, 1])
def test_files_without_rows(tmp_path: Path, groups: int) -> None:
    schema = pa.schema([("x", pa.int64())])
    with pq.ParquetWriter(tmp_path / "a.parquet", schema) as writer:
        for _ in range(groups):
            writer.write_table(schema.empty_table())
    parquet(tmp_path / "b.parquet", {"x": [1]})
    listing = listed(tmp_path)
    assert len(listing.files) == 2, groups
    assert [u.file for u in listing.units] == ["b.parquet"]
    assert listing.schema == schema


def test_columns_in_another_order_are_put_in_the_first_files(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", {"x": [1], "y": ["a"]})
    parquet(tmp_path / "b.parquet", {"y": ["b"], "x": [2]})
    listing = listed(tmp_path)
    assert list(rows_of(listing.reader, listing.units)) == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]


MAY_LACK = "Say `input.schema: union` if columns may be missing: they are null there."


def test_files_that_are_unlike_are_all_named(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", {"x": [1], "y": ["a"]})
    parquet(tmp_path / "b.parquet", {"x": ["1"], "y": ["a"]})
    parquet(tmp_path / "c.parquet", {"x": [1]})
    parquet(tmp_path / "d.parquet", {"x": [1], "y": ["a"], "z": [1]})
    assert complaint(tmp_path) == [
        "b.parquet: column 'x' is string, in a.parquet it is int64. "
        "Write both with one schema, or say what it is: `input.columns: {x: string}`.",
        f"c.parquet: has no column 'y', which a.parquet has. {MAY_LACK}",
        f"d.parquet: has a column 'z', which a.parquet has not. {MAY_LACK}",
    ]


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_column_may_hold_nulls_if_it_may_in_any_file(tmp_path: Path, first: str) -> None:
    """The first file's NOT NULL was taken for all; writing the nulls of the second killed the run."""
    strict = pa.schema([pa.field("x", pa.int64(), nullable=False)])
    parquet(tmp_path / f"{first}1.parquet", pa.table({"x": [1]}, schema=strict))
    parquet(tmp_path / "ab.parquet", {"x": pa.array([None], pa.int64())})
    listing = listed(tmp_path)
    assert listing.schema.field("x").nullable
    assert sorted(map(str, rows_of(listing.reader, listing.units))) == ["{'x': 1}", "{'x': None}"]


def test_a_column_that_never_holds_nulls_stays_so(tmp_path: Path) -> None:
    strict = pa.schema([pa.field("x", pa.int64(), nullable=False)])
    for name in ("a", "b"):
        parquet(tmp_path / f"{name}.parquet", pa.table({"x": [1]}, schema=strict))
    assert not listed(tmp_path).schema.field("x").nullable


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", pa.table([[1], [2], [3]], names=["x", "x", "y"]))
    parquet(tmp_path / "b.parquet", pa.table([[1], [2], [3]], names=["x", "x", "y"]))
    found = complaint(tmp_path)
    assert len(found) == 2
    assert all("['x'] occur twice" in line for line in found)


def whole() -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table({"x": list(range(1000))}), sink)
    return bytes(sink.getvalue())


BROKEN: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "short": lambda _: b"PAR1",
    "text": lambda _: b"id,label\n" * 100,
    "cut": lambda data: data[: len(data) // 2],
    "cut a little": lambda data: data[:-1],
    "endless footer": lambda data: data[:-8] + b"\xff\xff\xff\xff" + data[-4:],
    "no footer": lambda data: data[:-8] + b"\0\0\0\0" + data[-4:],
    "garbage footer": lambda data: data[:-60] + b"\xff" * 52 + data[-8:],
    "encrypted": lambda data: data[:-4] + b"PARE",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_no_parquet_is_named_with_all_others(tmp_path: Path, kind: str) -> None:
    put(tmp_path / "b.parquet", BROKEN[kind](whole()))
    put(tmp_path / "c.parquet", b"neither")
    put(tmp_path / "a.parquet", whole())
    found = complaint(tmp_path)
    assert len(found) == 2
    assert str(tmp_path / "b.parquet") in found[0]
    assert all("\n" not in line for line in found)


def with_a_page_changed(path: Path, old: bytes, new: bytes) -> None:
    """Other bytes of the same length in the data; footer and modification time as they were."""
    data, before = path.read_bytes(), path.stat()
    assert data.count(old) == 1
    assert len(old) == len(new)
    path.write_bytes(data.replace(old, new))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def plain(path: Path, values: list[str]) -> Path:
    pq.write_table(pa.table({"x": values}), path, compression="none", use_dictionary=False, write_statistics=False)
    return path


def test_a_file_that_was_written_again_has_another_tag_though_its_footer_is_the_same(tmp_path: Path) -> None:
    path = plain(tmp_path / "a.parquet", ["owl", "tit"])
    os.utime(path, (1, 1))
    first = listed(path).files
    footer = pq.read_metadata(path).to_dict()
    plain(path, ["tit", "owl"])
    assert pq.read_metadata(path).to_dict() == footer
    assert listed(path).files != first


def test_the_content_is_the_tag_where_that_is_asked_for(tmp_path: Path) -> None:
    path = plain(tmp_path / "a.parquet", ["owl", "tit"])

    def tags() -> tuple[InputFile, ...]:
        return list_input(config_of(path, "out", input__fingerprint="content")).files

    first = tags()
    assert first[0].tag == f"content:{blake2b(path.read_bytes(), digest_size=16).hexdigest()}"
    os.utime(path, (1, 1))
    assert tags() == first
    with_a_page_changed(path, b"owl", b"owk")
    assert tags() != first


def test_a_change_while_a_run_is_going_on_is_seen_though_content_is_the_tag(tmp_path: Path) -> None:
    path = plain(tmp_path / "a.parquet", ["owl", "tit"])
    os.utime(path, (1, 1))
    listing = list_input(config_of(path, "out", input__fingerprint="content"))
    plain(path, ["tit", "owl"])
    with pytest.raises(RunFailed, match="changed during the run"):
        refuse_changed(listing.reader.root, [Block(listing.units[0], 0, 2)])


def test_the_reader_travels_small(tmp_path: Path) -> None:
    for number in range(30):
        parquet(tmp_path / f"{number}.parquet", {"x": [number]})
    listing = listed(tmp_path)
    packed = pickle.dumps(listing.reader)
    assert len(packed) < 1_000
    again: Any = pickle.loads(packed)
    assert list(rows_of(again, listing.units)) == list(rows_of(listing.reader, listing.units))
