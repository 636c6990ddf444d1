from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import config_of, opened, parquet, put, text_columns

from pipeline import survey as module
from pipeline.errors import InputError
from pipeline.keys import keys_of
from pipeline.sources import tables
from pipeline.survey import Survey, block_rows, survey


def surveyed(path: Path, **changes: Any) -> Survey:
    job, listing = opened(config_of(path, path.parent / "out", **changes))
    return survey(job, listing.units)


def test_every_record_is_counted_in_one_split(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(300), per_group=70)
    job, listing = opened(config_of(path, tmp_path / "out", split={"validation": 0.2, "test": 0.2}))
    found = survey(job, listing.units)
    wanted: Counter[Any] = Counter()
    classes: Counter[Any] = Counter()
    for unit in listing.units:
        for batch in job.reader.read(unit, None, 0, unit.rows):
            for key in keys_of(job.config, job.reader, unit, batch, 0):
                wanted[key.split] += 1
                classes[key.split, key.labels[0]] += 1
    assert found.records == 300
    assert {s: found.of_split(s) for s in wanted} == wanted
    assert found.classes == classes
    assert list(found.classes) == sorted(found.classes)


@given(st.integers(1, 60), st.integers(1, 25), st.integers(1, 9))
def test_blocks_cover_every_row_once(
    tmp_path_factory: pytest.TempPathFactory, count: int, per_group: int, size: int
) -> None:
    path = parquet(tmp_path_factory.mktemp("s") / "a.parquet", text_columns(count), per_group)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MAX_BLOCK_ROWS", size)
        found = surveyed(path)
    rows = [b.block.unit.first_row + n for b in found.blocks for n in range(b.block.start, b.block.stop)]
    assert rows == list(range(count))
    assert all(sum(b.records.values()) == b.block.stop - b.block.start <= size for b in found.blocks)


def test_splits_do_not_move_with_rows(tmp_path: Path) -> None:
    """Added, removed, reordered and re-chunked rows of a keyed input move no other record."""
    columns = text_columns(200)
    order = list(range(200))[::-3] + [n for n in range(200) if (199 - n) % 3][::2]
    moved = {name: ["new", *(values[n] for n in order)] for name, values in columns.items()}

    def splits(path: Path) -> dict[str, str]:
        job, listing = opened(config_of(path, tmp_path / "out", split={"validation": 0.3, "test": 0.2}))
        return {
            key.key: key.split
            for unit in listing.units
            for batch in job.reader.read(unit, None, 0, unit.rows)
            for key in keys_of(job.config, job.reader, unit, batch, 0)
        }

    before = splits(parquet(tmp_path / "a.parquet", columns, per_group=50))
    after = splits(parquet(tmp_path / "b.parquet", moved, per_group=7))
    assert {key: before[key] for key in after if key != "new"} == {k: v for k, v in after.items() if k != "new"}
    assert len(after) > 100


def test_duplicate_ids_are_listed_with_their_places(tmp_path: Path) -> None:
    parquet(
        tmp_path / "in/a.parquet", {"id": ["a", "b", "a", None, None], "label": list("xxxxx"), "text": list("vwxyz")}
    )
    parquet(tmp_path / "in/b.parquet", {"id": ["a", "c", "b"], "label": list("xxx"), "text": list("xyz")})
    with pytest.raises(InputError, match="2 ids in column 'id' are not unique") as caught:
        surveyed(tmp_path / "in")
    lines = [str(p) for p in caught.value.problems]
    assert lines[:2] == [
        "input.id: 'a' occurs 3 times: a.parquet row 0, a.parquet row 2, b.parquet row 0.",
        "input.id: 'b' occurs 2 times: a.parquet row 1, b.parquet row 2.",
    ]


def test_many_duplicates_are_not_listed_without_end(tmp_path: Path) -> None:
    data = {"id": [n // 2 for n in range(100)], "label": ["x"] * 100, "text": ["x"] * 100}
    with pytest.raises(InputError, match="50 ids") as caught:
        surveyed(parquet(tmp_path / "a.parquet", data))
    assert len(caught.value.problems) == 11


def test_ids_that_only_share_a_digest_are_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "digests", lambda keys: np.zeros(len(keys), np.uint64))
    assert surveyed(parquet(tmp_path / "a.parquet", text_columns(5))).records == 5


def test_numbers_and_text_of_one_look_are_one_id(tmp_path: Path) -> None:
    path = put(tmp_path / "a.jsonl", '{"id":7,"label":"x","text":"a"}\n{"id":"7","label":"x","text":"b"}\n')
    with pytest.raises(InputError, match="not unique"):
        surveyed(path)


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet"])
def test_no_records(tmp_path: Path, name: str) -> None:
    if name == "a.parquet":
        parquet(tmp_path / name, pa.table({n: pa.array([], pa.string()) for n in ("id", "label", "text")}))
    else:
        put(tmp_path / name, "id,label,text\n" if name == "a.csv" else "")
    with pytest.raises(InputError, match="no records"):
        surveyed(tmp_path / name)


def test_nulls_are_counted_not_refused(tmp_path: Path) -> None:
    path = put(tmp_path / "a.csv", 'id,label,text\n,owl,x\nb,,y\nc,"",z\nd,owl,\n')
    found = surveyed(path, split={})
    assert (found.records, found.unlabeled) == (4, 2)
    assert found.classes == {("train", ""): 1, ("train", "owl"): 2}


def test_nothing_is_read_where_nothing_is_needed(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(5))
    job, listing = opened(config_of(path, tmp_path / "out", input__id=..., input__label=...))
    path.unlink()
    assert survey(job, listing.units).records == 5


def test_tables_of_several_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "UNIT_BYTES", 64)
    path = put(tmp_path / "a.csv", "id,label,text\n" + "".join(f"r{n},x,word word\n" for n in range(50)))
    assert surveyed(path).records == 50


@pytest.mark.parametrize(("size", "copies"), [("1KiB", 10_000), ("4GiB", 0)])
def test_blocks_have_rows_at_both_extremes(tmp_path: Path, size: str, copies: int) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(5))
    job, listing = opened(config_of(path, tmp_path / "out", output__shard_size=size, copies=copies))
    assert 1 <= block_rows(job, listing.units[0]) <= 8192
