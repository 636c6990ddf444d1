from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from small_inputs import config_of, opened, parquet

from pipeline.errors import InputError
from pipeline.keys import Key, keys_of, texts


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
