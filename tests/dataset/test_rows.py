import datetime
import decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import FLIP, SWAP, Ran, config_of, jpeg, parquet, ran, words

from pipeline.dataset.rows import _array, digest, dropped_table
from pipeline.dataset.schema import DROPPED_SCHEMA
from pipeline.errors import LimitsExceeded
from pipeline.records import Dropped, Record, Refusal

COUNT = 12


def spread(values: list[Any]) -> list[Any]:
    return [values[n % len(values)] for n in range(COUNT)]


def dictionary(values: list[Any], ordered: bool = False) -> pa.Array:
    index = pa.array(spread([0, None, 1]), pa.int8())
    return pa.DictionaryArray.from_arrays(index, pa.array(values), ordered=ordered)


PASSING: dict[str, pa.Array] = {
    "nanoseconds": pa.array(spread([1, None, 10**18 + 1]), pa.timestamp("ns", "Asia/Kolkata")),
    "decimal": pa.array(spread([decimal.Decimal("1.23"), None, decimal.Decimal("-0.01")]), pa.decimal128(9, 2)),
    "big decimal": pa.array(spread([decimal.Decimal(10) ** 60, None]), pa.decimal256(70, 2)),
    "map": pa.array(spread([[("a", 1)], None, [], [("b", None), ("b", 2)]]), pa.map_(pa.string(), pa.int32())),
    "large string": pa.array(spread(["a", None, "ü"]), pa.large_string()),
    "string view": pa.array(spread(["a", None, "a text of more than twelve"]), pa.string_view()),
    "binary view": pa.array(spread([b"a", None, b"x" * 40]), pa.binary_view()),
    "large binary": pa.array(spread([b"a", None]), pa.large_binary()),
    "dictionary": dictionary(["x", "y"]),
    "ordered": dictionary(["x", "y"], ordered=True),
    "inside": pa.StructArray.from_arrays([dictionary(["x", "y"]), pa.array(range(COUNT))], names=["d", "n"]),
    "dictionaries": pa.ListArray.from_arrays(pa.array(range(COUNT + 1), pa.int32()), dictionary(["x", "y"])),
    "struct": pa.array(spread([{"a": 1, "b": [{"c": "x"}]}, None, {"a": None, "b": []}])),
    "fixed list": pa.array(spread([[1, 2], [3, None]]), pa.list_(pa.int16(), 2)),
    "large list": pa.array(spread([[1], None, [], [None]]), pa.large_list(pa.int64())),
    "list view": pa.array(spread([[1], None, [], [None]]), pa.list_view(pa.int64())),
    "fixed binary": pa.array(spread([b"1234", None]), pa.binary(4)),
    "uuid": pa.array(spread([bytes(range(16)), None]), pa.uuid()),
    "tensor": pa.ExtensionArray.from_storage(
        pa.fixed_shape_tensor(pa.float32(), [2]),
        pa.FixedSizeListArray.from_arrays(pa.array(np.arange(2 * COUNT, dtype=np.float32)), 2),
    ),
    "date": pa.array(spread([datetime.date(1, 1, 1), None])),
    "time": pa.array(spread([1, None]), pa.time64("ns")),
    "duration": pa.array(spread([1, None]), pa.duration("ns")),
    "nan": pa.array(spread([float("nan"), -0.0, None, 5e-324])),
    "uint64": pa.array(spread([2**64 - 1, None]), pa.uint64()),
    "boolean": pa.array(spread([True, None])),
    "null": pa.nulls(COUNT),
    "": pa.array(spread(["no name"])),
    "a.b": pa.array(range(COUNT)),
    "a": pa.array(spread([{"b": "x"}, None])),
    "text.more": pa.array(spread(["the name of the field is before the dot"])),
    "text ü \U0001f426\t": pa.array(spread([1])),
}


def made(home: Path, data: Any, per_group: int = 5, **changes: Any) -> tuple[pa.Table, Ran]:
    """The input as pyarrow reads it, and a run over all of it."""
    path = parquet(home / "in" / "a.parquet", data, per_group)
    done = ran(config_of(path, home / "out", **{"split": {}, "limits__failed": 1, **changes}))
    return pq.read_table(path), done


def base() -> dict[str, Any]:
    return {"id": [f"r{n}" for n in range(COUNT)], "label": ["x"] * COUNT, "text": [words(n) for n in range(COUNT)]}


def plain(kind: pa.DataType) -> pa.DataType:
    """A type as it comes out: views as what they are views of."""
    views = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}
    return pa.list_(kind.value_field) if pa.types.is_list_view(kind) else views.get(kind, kind)


def repeated(column: pa.ChunkedArray, times: int = 3) -> str:
    """Values of a column, each as often as its record has samples; as text, for which nan is nan."""
    return str([value for value in column.to_pylist() for _ in range(times)])


@pytest.mark.parametrize("order", ["input", "shuffled"])
@pytest.mark.parametrize("name", PASSING)
def test_a_passing_column_comes_out_as_it_went_in(tmp_path: Path, name: str, order: str) -> None:
    before, done = made(tmp_path, {**base(), name: PASSING[name]}, output__order=order)
    file = pq.ParquetFile(tmp_path / "out" / done.job.version / "train/part-00000.parquet")
    assert file.schema_arrow.field(name).type == plain(before.schema.field(name).type)
    assert done.table().column(name).type == plain(before.column(name).type)
    ids, found = done.table().column("sample_id").to_pylist(), done.table().column(name).to_pylist()
    places = sorted(range(len(ids)), key=lambda n: (int(ids[n][1:].split("/")[0]), ids[n]))
    assert (places == list(range(len(ids)))) == (order == "input")
    assert str([found[n] for n in places]) == repeated(before.column(name))


def test_all_columns_in_order_with_copies_repeated(tmp_path: Path) -> None:
    first = dict(list(PASSING.items())[:15])
    rest = {n: c for n, c in PASSING.items() if n not in first}
    before, done = made(tmp_path, {**first, **base(), **rest}, per_group=5)
    table = done.table()
    assert table.schema.names == [*before.schema.names, "sample_id", "lineage"]
    for field in before.schema:
        if field.name != "text":
            assert table.schema.field(field.name).type == plain(field.type)
            assert str(table.column(field.name).to_pylist()) == repeated(before.column(field.name)), field.name
    assert table.column("sample_id").to_pylist() == [f"r{n}/{c}" for n in range(COUNT) for c in range(3)]


def test_columns_pass_in_every_split(tmp_path: Path) -> None:
    before, done = made(tmp_path, {**base(), "n": list(range(COUNT))}, split={"validation": 0.3, "test": 0.3}, copies=0)
    rows = [row for split in done.dataset.splits for row in done.table(split).to_pylist()]
    for row in rows:
        row.pop("lineage")
        row.pop("sample_id")
    assert sorted(rows, key=lambda r: r["n"]) == before.to_pylist()


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=12), st.integers(1, 12))
def test_dropped_records_shift_no_column(
    tmp_path_factory: pytest.TempPathFactory, present: list[tuple[bool, bool]], per_group: int
) -> None:
    data = {
        "id": [f"r{n}" for n in range(len(present))],
        "label": pa.array(["x" if label else None for label, _ in present], pa.string()),
        "text": pa.array([words(n) if text else None for n, (_, text) in enumerate(present)], pa.string()),
        "n": list(range(len(present))),
    }
    kept = [n for n, both in enumerate(present) if all(both)]
    if not kept:
        with pytest.raises(LimitsExceeded, match="the dataset would be empty"):
            made(tmp_path_factory.mktemp("d"), data, per_group, copies=1)
        return
    _, done = made(tmp_path_factory.mktemp("d"), data, per_group, copies=1)
    table = done.table()
    assert table.column("n").to_pylist() == [n for n in kept for _ in range(2)]
    assert table.column("text").to_pylist()[::2] == [words(n) for n in kept]
    assert len(done.dropped()) == len(present) - len(kept)


def test_lineage(tmp_path: Path) -> None:
    _, done = made(tmp_path, {**base(), "image": [jpeg(n) for n in range(COUNT)]}, per_group=5, fields={
        "text": {"type": "text", "augment": [SWAP]},
        "image": {"type": "image", "augment": [{FLIP: {"p": 1}}]},
    })  # fmt: skip
    rows = done.table().to_pylist()
    for number, row in enumerate(rows):
        lineage = row["lineage"]
        source, copy = divmod(number, 3)
        assert (lineage["source_id"], lineage["source_file"], lineage["source_row"]) == (
            f"r{source}",
            "a.parquet",
            source,
        )
        assert (lineage["split"], lineage["copy"], lineage["parents"]) == ("train", copy, [])
        assert len(lineage["seed"]) == (32 if copy else 0)
        both = sha256(words(source).encode()).digest() + sha256(jpeg(source)).digest()
        assert lineage["source_sha256"] == sha256(both).hexdigest()
        ours = sha256(row["text"].encode()).digest() + sha256(row["image"]).digest()
        assert lineage["sha256"] == sha256(ours).hexdigest()
        steps = [(t["field"], t["name"]) for t in lineage["transforms"]]
        assert steps == ([("text", "nlpaug.RandomWordAug"), ("image", FLIP)] if copy else [])
        if not copy:
            assert lineage["sha256"] == lineage["source_sha256"]
    assert len({row["lineage"]["recipe"] for row in rows}) == 1
    assert len({row["lineage"]["seed"] for row in rows}) == 2 * COUNT + 1


@pytest.mark.parametrize("kind", [pa.binary(), pa.large_binary(), pa.binary_view()])
def test_payload_keeps_its_type(tmp_path: Path, kind: pa.DataType) -> None:
    images = pa.array([jpeg(n) for n in range(3)], kind)
    data = {"id": ["a", "b", "c"], "label": ["x"] * 3, "image": images}
    _, done = made(tmp_path, data, fields={"image": {"type": "image", "augment": [{FLIP: {"p": 1}}]}})
    column = done.table().column("image")
    assert column.type == plain(kind)
    assert column.to_pylist()[::3] == images.to_pylist()
    assert column.to_pylist()[1] != images[0].as_py()


@pytest.mark.parametrize("order", [("bytes", "path"), ("path", "bytes"), ("a", "bytes", "z"), ("bytes",)])
def test_the_other_members_of_a_struct_pass(tmp_path: Path, order: tuple[str, ...]) -> None:
    rows = [{m: jpeg(n) if m == "bytes" else f"{m}{n}" for m in order} for n in range(3)]
    kind = pa.struct([(m, pa.binary() if m == "bytes" else pa.string()) for m in order])
    data = {"id": ["a", "b", "c"], "label": ["x"] * 3, "image": pa.array(rows, kind)}
    _, done = made(tmp_path, data, 2, fields={"image": {"type": "image", "augment": [{FLIP: {"p": 1}}]}}, copies=1)
    column = done.table().column("image")
    assert column.type == kind
    assert column.to_pylist()[::2] == rows
    for number, row in enumerate(column.to_pylist()[1::2]):
        assert {m: v for m, v in row.items() if m != "bytes"} == {m: v for m, v in rows[number].items() if m != "bytes"}
        assert row["bytes"] != rows[number]["bytes"]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())]
)
def test_text_keeps_its_type(tmp_path: Path, kind: pa.DataType) -> None:
    data = {**base(), "text": pa.array([words(n) for n in range(COUNT)]).cast(kind)}
    before, done = made(tmp_path, data)
    assert done.table().column("text").type == plain(before.schema.field("text").type)
    assert done.table().column("text").to_pylist()[::3] == [words(n) for n in range(COUNT)]


def test_a_small_dictionary_takes_any_number_of_new_texts(tmp_path: Path) -> None:
    """An int8 index holds 128 values; copies bring more of them."""
    texts = [words(n) for n in range(100)]
    column = pa.array(texts).cast(pa.dictionary(pa.int8(), pa.string()))
    data = {"id": list(range(100)), "label": ["x"] * 100, "text": column}
    before, done = made(tmp_path, data, 100, copies=4)
    table = done.table()
    assert table.num_rows == 500
    assert table.column("text").type == before.schema.field("text").type
    assert table.column("text").to_pylist()[::5] == texts
    assert len(pc.unique(table.column("text").cast(pa.string()))) > 256


def test_files_of_which_one_allows_nulls(tmp_path: Path) -> None:
    strict = pa.schema(
        [("id", pa.string()), ("label", pa.string()), ("text", pa.string()), pa.field("n", pa.int64(), False)]
    )
    parquet(tmp_path / "in/b.parquet", pa.table({"id": ["b"], "label": ["x"], "text": [words(1)], "n": [1]}, strict))
    made(tmp_path, {"id": ["a"], "label": ["x"], "text": [words(0)], "n": pa.array([None], pa.int64())})
    parquet(tmp_path / "in/0.parquet", pa.table({"id": ["0"], "label": ["x"], "text": [words(1)], "n": [1]}, strict))
    both = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, copies=0))
    assert both.table().column("n").to_pylist() == [1, None, 1]


def test_metadata_of_columns_stays_and_may_differ(tmp_path: Path) -> None:
    for name, note in (("a", b"1"), ("b", b"2")):
        field = pa.field("n", pa.int64(), metadata={b"unit": note})
        schema = pa.schema([("id", pa.string()), ("label", pa.string()), ("text", pa.string()), field], {b"who": note})
        parquet(
            tmp_path / f"in/{name}.parquet", pa.table({"id": [name], "label": ["x"], "text": [name], "n": [1]}, schema)
        )
    done = ran(config_of(tmp_path / "in", tmp_path / "out", split={}, copies=0))
    schema = pq.read_schema(next(Path(done.dataset.path).glob("train/*.parquet")))
    assert schema.field("n").metadata[b"unit"] == b"1"
    assert schema.metadata == {b"who": b"1"}


@pytest.mark.parametrize(
    ("payloads", "wanted"),
    [
        ([b"abc"], sha256(b"abc").hexdigest()),
        (["ü"], sha256("ü".encode()).hexdigest()),
        ([b""], sha256(b"").hexdigest()),
        ([None], sha256(b"").hexdigest()),
        ([b"a", "b"], sha256(sha256(b"a").digest() + sha256(b"b").digest()).hexdigest()),
    ],
)
def test_digests(payloads: list[Any], wanted: str) -> None:
    assert digest(payloads) == wanted


@given(st.lists(st.binary(max_size=40), max_size=8), st.sampled_from([pa.binary(), pa.large_binary()]))
def test_a_column_of_bytes_made_in_one_piece(values: list[bytes], kind: pa.DataType) -> None:
    column = _array(values, kind)
    column.validate(full=True)
    assert column.equals(pa.array(values, kind))


@pytest.mark.parametrize("values", [[b"a", None], [None], [bytearray(b"a"), b"b"], [memoryview(b"ab")]])
def test_what_is_not_all_bytes_is_a_column_as_well(values: list[Any]) -> None:
    assert _array(values, pa.binary()).equals(pa.array(values, pa.binary()))


def test_more_bytes_than_one_array_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.dataset.rows._MOST_BYTES", 3)
    assert _array([b"ab", b"cd"], pa.binary()).to_pylist() == [b"ab", b"cd"]


def test_rows_of_what_was_dropped() -> None:
    record = Record("k/1", "deep/f.csv", 7, (), {}, pa.record_batch({"x": [1]}), 0)
    failed = Refusal("failed", "image", "decode", "corrupt", "CodecError", "half\nof it ü")
    table = dropped_table([Dropped(record, None, failed), Dropped(record, 3, failed)], "train")
    assert table.schema == DROPPED_SCHEMA
    assert table.column("copy").to_pylist() == [None, 3]
    assert table.to_pylist()[0] == {
        "source_id": "k/1", "source_file": "deep/f.csv", "source_row": 7, "split": "train", "copy": None,
        "field": "image", "stage": "decode", "reason": "corrupt", "error": "CodecError", "message": "half\nof it ü",
    }  # fmt: skip
