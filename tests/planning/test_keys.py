from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import config_of, opened, parquet, split_by_definition
from totals_and_keys import keys_of

from pipeline.errors import InputError
from pipeline.planning.keys import Key, digests, key_block, keys_at
from pipeline.records import SPLITS, InputFile, Unit
from pipeline.sources.folder import FolderReader
from pipeline.sources.key_columns import texts
from pipeline.sources.parquet.reader import ParquetReader
from pipeline.storage.folder import Folder

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
MAYBE = st.none() | TEXT
LABELS = st.lists(MAYBE, max_size=3)
ROWS = st.lists(st.tuples(MAYBE, MAYBE, MAYBE, st.none() | LABELS), min_size=1, max_size=20)
READER = ParquetReader(Folder("/in"), ())
UNIT = Unit("a/ü.parquet", 100, 1_000, first_row=7)


def keys(home: Path, columns: dict[str, Any], **changes: Any) -> list[Key]:
    count = len(next(iter(columns.values())))
    path = parquet(home / "a.parquet", {"text": ["x"] * count, **columns})
    job, listing = opened(config_of(path, home / "out", input__label=..., **changes))
    (unit,) = listing.units
    (batch,) = job.reader.read(unit, None, 0, count)
    return keys_of(job.config, job.reader, unit, batch, 0)


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (pa.array(["a", "ü/x#1", ""]), ["a", "ü/x#1", ""]),
        (pa.array(["a", "b", "c"], pa.large_string()), ["a", "b", "c"]),
        (pa.array(["a", "b", "c"], pa.string_view()), ["a", "b", "c"]),
        (pa.array(["a", "b", "c"]).dictionary_encode(), ["a", "b", "c"]),
        (pa.array([7, -7, 0], pa.int8()), ["7", "-7", "0"]),
        (pa.array([2**64 - 1, 1, 2], pa.uint64()), ["18446744073709551615", "1", "2"]),
        (pa.array([7, 8, 9]).dictionary_encode(), ["7", "8", "9"]),
    ],
)
def test_ids_are_text(tmp_path: Path, column: pa.Array, wanted: list[str]) -> None:
    found = keys(tmp_path, {"id": column})
    assert [k.key for k in found] == wanted
    assert all(k.identified and k.refusal is None for k in found)
    assert [(k.file, k.row) for k in found] == [("a.parquet", n) for n in range(3)]


def test_without_an_id_file_and_row_are_the_key(tmp_path: Path) -> None:
    found = keys(tmp_path, {"n": [1, 2]}, input__id=...)
    assert [k.key for k in found] == ["a.parquet#0", "a.parquet#1"]
    assert not any(k.identified for k in found)


def test_null_ids_fail_alone(tmp_path: Path) -> None:
    found = keys(tmp_path, {"id": ["a", None, None]})
    assert [k.refusal and k.refusal.reason for k in found] == [None, "null_id", "null_id"]
    assert [k.key for k in found] == ["a", "a.parquet#1", "a.parquet#2"]


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (pa.array(["owl", None, ""]), [("owl",), (), ("",)]),
        (pa.array(["owl", None, "tit"]).dictionary_encode(), [("owl",), (), ("tit",)]),
        (pa.array([3, None, 0]), [("3",), (), ("0",)]),
        (pa.array([True, None, False]), [("true",), (), ("false",)]),
        (pa.array([["a", "b"], None, []]), [("a", "b"), (), ()]),
        (pa.array([[1, 2], None, []], pa.large_list(pa.int64())), [("1", "2"), (), ()]),
        (pa.array([[True], None, [False]]), [("true",), (), ("false",)]),
        (pa.array([["a", None], None, [None]]), [("a",), (), ()]),
        (pa.array([["a"], None, ["b"]], pa.list_(pa.dictionary(pa.int8(), pa.string()))), [("a",), (), ("b",)]),
    ],
)
def test_labels(tmp_path: Path, column: pa.Array, wanted: list[tuple[str, ...]]) -> None:
    path = parquet(tmp_path / "a.parquet", {"id": list("abc"), "text": list("xyz"), "label": column})
    job, listing = opened(config_of(path, tmp_path / "out"))
    (batch,) = job.reader.read(listing.units[0], job.config.key_columns(), 0, 3)
    found = keys_of(job.config, job.reader, listing.units[0], batch, 0)
    assert [k.labels for k in found] == wanted
    assert [k.refusal and k.refusal.reason for k in found] == [None, "null_label", None]


def test_groups_share_a_split_and_null_groups_do_not(tmp_path: Path) -> None:
    count = 60
    groups = [f"g{n % 10}" if n < 30 else None for n in range(count)]
    columns = {"id": [f"r{n}" for n in range(count)], "who": groups}
    found = keys(tmp_path, columns, input__group="who", split={"test": 0.5})
    for group in {g for g in groups if g}:
        assert len({k.split for k, g in zip(found, groups, strict=True) if g == group}) == 1
    assert len({k.split for k in found[30:]}) == 2


def test_a_column_names_the_split(tmp_path: Path) -> None:
    found = keys(
        tmp_path, {"id": list("abcde"), "fold": ["train", "VAL", " dev", "test", "valid"]}, split={"column": "fold"}
    )
    assert [k.split for k in found] == ["train", "validation", "validation", "test", "validation"]


def test_every_odd_split_is_told_once(tmp_path: Path) -> None:
    columns = {"id": list("abcde"), "fold": ["train", "trian", None, "trian", "5"]}
    with pytest.raises(InputError) as caught:
        keys(tmp_path, columns, split={"column": "fold"})
    lines = [str(p) for p in caught.value.problems]
    assert [line.split(": ")[0] for line in lines] == ["a.parquet row 1", "a.parquet row 2", "a.parquet row 4"]
    assert "'trian'" in lines[0]
    assert "None" in lines[1]
    assert all("validation" in line for line in lines)


def test_odd_splits_are_not_listed_without_end(tmp_path: Path) -> None:
    columns = {"id": [str(n) for n in range(500)], "fold": [f"odd{n}" for n in range(500)]}
    with pytest.raises(InputError) as caught:
        keys(tmp_path, columns, split={"column": "fold"})
    assert len(caught.value.problems) <= 20


def test_texts_of_an_empty_column() -> None:
    assert texts(pa.array([], pa.int32())) == []
    assert texts(pa.array([None, None], pa.string())) == [None, None]


def encoded(values: list[str | None], kind: str) -> pa.Array:
    """One of the ways in which a column may hold text."""
    if kind == "dictionary":
        return pa.array(values, pa.string()).dictionary_encode()
    return pa.array(values, {"large": pa.large_string(), "view": pa.string_view()}.get(kind, pa.string()))


@given(ROWS, st.data(), st.sampled_from(["plain", "large", "view", "dictionary"]), st.booleans())
def test_columns_say_what_rows_do(rows: list[tuple[Any, ...]], data: st.DataObject, kind: str, several: bool) -> None:
    """Nulls, Unicode, empty text, repeated groups, slices, lists with nulls: key by key the definition."""
    shares = data.draw(st.sampled_from([(0.0, 0.0), (0.3, 0.3), (0.5, 0.5), (0.0, 1.0)]))
    seed = data.draw(st.integers(-3, 3))
    split = {"test": shares[0], "validation": shares[1], "seed": seed}
    config = config_of("x", "y", input__group="who", split=split)
    ids, groups, labels = (encoded([row[n] for row in rows], kind) for n in (0, 1, 2))
    if several:
        labels = pa.array([row[3] for row in rows], pa.list_(pa.string()))
    skipped = data.draw(st.integers(0, len(rows) - 1))
    batch = pa.record_batch({"id": ids, "who": groups, "label": labels}).slice(skipped)
    found = keys_of(config, READER, UNIT, batch, 5)
    for n, (key, (identity, group, label, many)) in enumerate(zip(found, rows[skipped:], strict=True)):
        name = identity if identity is not None else f"a/ü.parquet#{7 + 5 + n}"
        mine = many if several else None if label is None else [label]
        assert (key.key, key.file, key.row) == (name, "a/ü.parquet", 7 + 5 + n)
        assert key.identified is (identity is not None)
        assert key.labels == tuple(value for value in mine or () if value is not None)
        assert key.split == split_by_definition(name, group, {"test": shares[0], "validation": shares[1]}, seed)
        wanted = "null_id" if identity is None else "null_label" if mine is None else None
        assert (key.refusal and key.refusal.reason) == wanted
    block = key_block(config, READER, UNIT, batch, 5)
    assert block.refused.tolist() == [key.refusal is not None for key in found]
    some = data.draw(st.sets(st.sampled_from(range(len(found))))) if found else set()
    assert keys_at(config, READER, block, sorted(some)) == [found[n] for n in sorted(some)]


@given(st.lists(st.sampled_from(["train", "VAL", " dev", "test"]), max_size=9))
def test_named_splits_column_by_column(names: list[str]) -> None:
    config = config_of("x", "y", input__label=..., split={"column": "fold"})
    batch = pa.record_batch({"id": [str(n) for n in range(len(names))], "fold": pa.array(names, pa.string())})
    short = {"train": "train", "VAL": "validation", " dev": "validation", "test": "test"}
    assert [SPLITS[code] for code in key_block(config, READER, UNIT, batch, 0).splits] == [short[n] for n in names]


def test_keys_of_a_folders_files_without_ids() -> None:
    members = tuple(InputFile(f"x/{n}é.png", 1, "t") for n in range(9))
    unit = Unit(members[0].path, 9, 9, members=members)
    config = config_of("x", "y", input__id=..., input__label=...)
    rows = pa.record_batch([pa.nulls(4)], names=[""])
    found = keys_of(config, FolderReader(Folder("/in"), "image"), unit, rows, 3)
    assert [(k.key, k.file, k.row) for k in found] == [(f"x/{n}é.png#0", f"x/{n}é.png", 0) for n in range(3, 7)]


def test_file_names_that_are_no_utf8_have_keys() -> None:
    config = config_of("x", "y", input__id=..., input__label=...)
    found = keys_of(config, READER, Unit("\udcff", 2, 2), pa.record_batch([pa.nulls(2)], names=[""]), 0)
    assert [k.key for k in found] == ["\udcff#0", "\udcff#1"]


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_digests(keys: list[bytes]) -> None:
    wanted = [int.from_bytes(blake2b(key, digest_size=8).digest(), "little") for key in keys]
    assert digests(keys).tolist() == wanted


@pytest.mark.parametrize("kind", [pa.string(), pa.binary()])
def test_a_key_that_is_no_text_fails_its_record(kind: pa.DataType) -> None:
    """Bytes that are not UTF-8 used to end the survey with a traceback, and later to refuse the whole input."""
    offsets = pa.array([0, 2, 3], pa.int32()).buffers()[1]
    column = pa.Array.from_buffers(kind, 2, [None, offsets, pa.py_buffer(b"\xff\xfea")])
    torn, whole = keys_of(config_of("x", "y"), READER, UNIT, pa.record_batch({"id": column, "label": ["x", "y"]}), 0)
    assert torn.refusal is not None
    assert (torn.refusal.field, torn.refusal.reason, torn.identified) == ("id", "not_text", False)
    assert (whole.key, whole.refusal) == ("a", None)
