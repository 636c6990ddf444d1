import io
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import config_of, opened, parquet, put, split_by_definition, text_columns
from totals_and_keys import keys_of

from pipeline.errors import InputError
from pipeline.planning import survey as module
from pipeline.planning.survey import Survey, block_rows, survey
from pipeline.records import SPLITS
from pipeline.sources.tables import reader
from pipeline.storage.folder import Folder
from pipeline.storage.stores.fsspec_store import FsspecStore


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
    monkeypatch.setattr(reader, "UNIT_BYTES", 64)
    path = put(tmp_path / "a.csv", "id,label,text\n" + "".join(f"r{n},x,word word\n" for n in range(50)))
    assert surveyed(path).records == 50


@pytest.mark.parametrize(("size", "copies"), [("1KiB", 10_000), ("4GiB", 0)])
def test_blocks_have_rows_at_both_extremes(tmp_path: Path, size: str, copies: int) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(5))
    job, listing = opened(config_of(path, tmp_path / "out", output__shard_size=size, copies=copies))
    assert 1 <= block_rows(job, listing.units[0]) <= 8192


NASTY = st.sampled_from(["", "a", "ü", "é", "x#1", "\0", "日本"])
CELLS = st.tuples(st.none() | NASTY, st.none() | NASTY, st.none() | st.lists(st.none() | NASTY, max_size=2))
TABLES = st.lists(st.lists(CELLS, max_size=12), min_size=1, max_size=5)


@given(TABLES, st.integers(1, 5), st.booleans())
def test_counts_are_those_of_a_loop_over_rows(
    tmp_path_factory: pytest.TempPathFactory, groups: list[list[Any]], size: int, with_groups: bool
) -> None:
    """Row groups may be empty, ids null, groups repeated, labels lists."""
    path = tmp_path_factory.mktemp("s") / "a.parquet"
    schema = pa.schema({"id": pa.string(), "who": pa.string(), "label": pa.list_(pa.string()), "text": pa.string()})
    rows: list[tuple[Any, ...]] = []
    with pq.ParquetWriter(path, schema) as writer:
        for part in groups:
            named = [(f"{i}{len(rows) + n}" if i is not None else None, w, ls) for n, (i, w, ls) in enumerate(part)]
            writer.write_table(
                pa.Table.from_pylist([dict(zip(schema.names, (*r, "t"), strict=True)) for r in named], schema)
            )
            rows += named
    if not rows:
        return
    changes = {"input__group": "who"} if with_groups else {}
    shares = {"test": 0.3, "validation": 0.3}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MAX_BLOCK_ROWS", size)
        found = surveyed(path, split=shares, **changes)
    splits = [
        split_by_definition(i if i is not None else f"a.parquet#{n}", w if with_groups else None, shares, 0)
        for n, (i, w, _) in enumerate(rows)
    ]
    assert found.classes == Counter(
        (split, label)
        for split, (_, _, labels) in zip(splits, rows, strict=True)
        for label in labels or ()
        if label is not None
    )
    assert found.unlabeled == sum(i is None or labels is None for i, _, labels in rows)
    at = 0
    for tally in found.blocks:
        assert tally.block.unit.first_row + tally.block.start == at
        length = tally.block.stop - tally.block.start
        assert tally.records == Counter(splits[at : at + length])
        at += length
    assert at == len(rows)


def test_rows_of_a_split_in_every_block_of_every_unit(tmp_path: Path) -> None:
    found = surveyed(parquet(tmp_path / "a.parquet", text_columns(50), 20), split={"test": 0.5})
    assert [found.blocks.of_split(s).tolist() for s in SPLITS] == [
        [b.records.get(s, 0) for b in found.blocks] for s in SPLITS
    ]
    assert found.blocks[-1].block == found.blocks[len(found.blocks) - 1].block == list(found.blocks)[-1].block


def test_so_many_duplicates_that_only_some_are_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MAX_EXAMINED", 3)
    data = {"id": [n // 2 for n in range(100)], "label": ["x"] * 100, "text": ["x"] * 100}
    with pytest.raises(InputError, match=r"50 ids .* \(10 of them are listed\)") as caught:
        surveyed(parquet(tmp_path / "a.parquet", data))
    assert len(caught.value.problems) == 4


def stored(name: str, files: int, groups: int) -> str:
    """Pictures of noise in a remote folder: 200 kB a record, ten a row group."""
    folder = Folder.at(f"memory://{name}")
    for number in range(files):
        sink = io.BytesIO()
        count = 10 * groups
        noise = np.random.default_rng(number).bytes(200_000 * count)
        table = pa.table({
            "id": [f"{number}-{n}" for n in range(count)], "label": ["x"] * count,
            "text": [noise[n * 200_000 : (n + 1) * 200_000] for n in range(count)],
        })  # fmt: skip
        pq.write_table(table, sink, row_group_size=10)
        folder.put(f"{number}.parquet", sink.getvalue())
    return folder.url


def test_only_footers_and_key_columns_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 8 MB a file: one request for its end, and one for the keys of each row group."""
    url, asked = stored("keys-only", 3, 4), []
    read, whole = FsspecStore.read_range, FsspecStore.read
    monkeypatch.setattr(FsspecStore, "read_range", lambda *a: asked.append(a[3] - a[2]) or read(*a))
    monkeypatch.setattr(FsspecStore, "read", lambda *a: asked.append(1 << 40) or whole(*a))
    job, listing = opened(config_of(url, "memory://out"))
    assert sum(asked) <= 3 * 64 * 2**10
    assert len(asked) == 3
    assert survey(job, listing.units).records == 3 * 40
    assert len(asked) == 3 + 3 * 4
    assert sum(asked) < 3 * 64 * 2**10 + 3 * 4 * 2_000


def test_remote_units_are_read_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    job, listing = opened(config_of(stored("side", 8, 1), "memory://out"))
    together, one = threading.Barrier(8, timeout=60), module.survey_unit

    def meeting(*given: Any) -> Any:
        together.wait()
        return one(*given)

    monkeypatch.setattr(module, "survey_unit", meeting)
    files = [b.block.unit.file for b in survey(job, listing.units).blocks]
    assert list(dict.fromkeys(files)) == [f"{n}.parquet" for n in range(8)]
    assert files == sorted(files)
