"""Strings that are not UTF-8 in a Parquet file, as other writers leave them: the row fails, and no other."""

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from made_splits import decided, split_of
from small_inputs import config_of, jpeg, parquet, put, ran, values, words

from pipeline.cli.program import main
from pipeline.config.schema import JobConfig
from pipeline.sources.strings import torn_rows, values_of, without_torn

LATIN_1 = "café".encode("latin-1") + b" and more"


def strings(values: list[Any], large: bool = False) -> pa.Array:
    """Text that Arrow did not look at."""
    raw = pa.array(values, pa.large_binary() if large else pa.binary())
    return pa.Array.from_buffers(pa.large_string() if large else pa.string(), len(values), raw.buffers())


@pytest.mark.parametrize("large", [False, True])
def test_values_and_rows(large: bool) -> None:
    torn = strings([b"a", None, LATIN_1, "ü".encode()], large)
    assert values_of(torn) == ["a", None, None, "ü"]
    batch = pa.record_batch({"whole": ["x", "y", "z", None], "torn": torn, "n": [1, 2, 3, 4]})
    assert torn_rows(batch) == {2: "torn"}
    assert torn_rows(batch.slice(3)) == {}
    assert torn_rows(batch.slice(1, 2)) == {1: "torn"}
    nested = pa.StructArray.from_arrays([torn, pa.array([1, 2, 3, 4])], ["path", "n"])
    assert torn_rows(pa.record_batch({"nested": nested})) == {2: "nested"}
    lists = pa.ListArray.from_arrays(pa.array([0, 2, 4], pa.int32()), torn)
    assert torn_rows(pa.record_batch({"lists": lists})) == {1: "lists"}


def made_of(home: Path, columns: dict[str, Any], field: dict[str, Any], **more: Any) -> Any:
    count = 5
    data = {"id": [f"r{n}" for n in range(count)], "label": ["x"] * count, **columns}
    given = {"fields": field, "split": {}, "copies": 1, "limits__failed": 1, **more}
    return ran(config_of(parquet(home / "in" / "t.parquet", data), home / "out", **given))


def only_r2_failed(made: Any, field: str) -> None:
    ids = {str(name).rpartition("/")[0] for name in made.table().column("sample_id").to_pylist()}
    assert ids == {"r0", "r1", "r3", "r4"}
    (row,) = made.dropped()
    assert (row["source_id"], row["field"], row["stage"], row["reason"]) == ("r2", field, "read", "not_text")
    assert "not UTF-8" in row["message"]


TEXT = {"text": {"type": "text", "augment": [{"nlpaug.RandomWordAug": {"action": "swap"}}]}}


def test_a_text(tmp_path: Path) -> None:
    texts = strings([LATIN_1 if n == 2 else words(n).encode() for n in range(5)])
    only_r2_failed(made_of(tmp_path, {"text": texts}, TEXT), "text")


def test_a_path(tmp_path: Path) -> None:
    for n in range(5):
        put(tmp_path / "in" / f"{n}.jpg", jpeg(n))
    names = strings([LATIN_1 if n == 2 else f"{n}.jpg".encode() for n in range(5)])
    only_r2_failed(made_of(tmp_path, {"image": names}, {"image": {"type": "image", "uri": True}}), "image")


def test_the_path_beside_bytes(tmp_path: Path) -> None:
    names = strings([LATIN_1 if n == 2 else f"{n}.jpg".encode() for n in range(5)])
    pictures = pa.StructArray.from_arrays([pa.array([jpeg(n) for n in range(5)]), names], ["bytes", "path"])
    only_r2_failed(made_of(tmp_path, {"image": pictures}, {"image": {"type": "image"}}), "image")


def test_a_column_that_passes_through(tmp_path: Path) -> None:
    notes = strings([LATIN_1 if n == 2 else b"fine" for n in range(5)])
    only_r2_failed(made_of(tmp_path, {"text": [words(n) for n in range(5)], "note": notes}, TEXT), "")


def indexed(texts: pa.Array) -> pa.DictionaryArray:
    """The same as a dictionary column."""
    coded = pa.Array.from_buffers(pa.binary(), len(texts), texts.buffers()).dictionary_encode()
    names = pa.Array.from_buffers(pa.string(), len(coded.dictionary), coded.dictionary.buffers())
    return pa.DictionaryArray.from_arrays(coded.indices, names)


def test_rows_of_a_dictionary() -> None:
    """The dictionary is looked at whole, so every row of it used to count as torn."""
    torn = indexed(strings([b"a", None, LATIN_1, b"a"]))
    batch = pa.record_batch(
        {"torn": torn, "lists": pa.ListArray.from_arrays(pa.array([0, 1, 2, 3, 4], pa.int32()), torn)}
    )
    assert torn_rows(batch) == {2: "torn"}
    mended = without_torn(batch.slice(3))
    mended.validate(full=True)
    assert mended.to_pylist() == [{"torn": "a", "lists": ["a"]}]
    assert mended.schema == batch.schema


def test_a_dictionary_with_one_torn_value(tmp_path: Path) -> None:
    notes = indexed(strings([LATIN_1 if n == 2 else b"fine" for n in range(5)]))
    made = made_of(tmp_path / "passing", {"text": [words(n) for n in range(5)], "note": notes}, TEXT)
    only_r2_failed(made, "")
    file = next(Path(made.dataset.path).glob("train/*.parquet"))
    assert duckdb.sql(f"select distinct note from '{file}'").fetchall() == [("fine",)]
    assert LATIN_1 not in file.read_bytes()
    texts = indexed(strings([LATIN_1 if n == 2 else words(n).encode() for n in range(5)]))
    only_r2_failed(made_of(tmp_path / "field", {"text": texts}, TEXT), "text")


ALONE: list[tuple[str, dict[str, Any]]] = [
    ("id", {}),
    ("label", {}),
    ("label", {"copies": {"balance": {}}}),
    ("site", {"input__group": "site", "split": {"validation": 0.2, "keep_together": {"exact": False}}}),
    ("site", {"copies": {"balance": {"per": ["site", "label"]}}}),
    ("part", {"split": {"column": "part"}}),
]
TOGETHER: list[tuple[str, dict[str, Any]]] = [
    ("label", {"split": {"by": "stratified", "validation": 0.2}}),
    ("site", {"split": {"validation": 0.2, "keep_together": {"group": "site"}}}),
    ("taken", {"split": {"by": "time", "column": "taken", "validation": 0.2}}),
]


def torn_key(home: Path, column: str, kind: Any, more: dict[str, Any]) -> JobConfig:
    """A config for twenty records of which number 6 has a torn value in one column."""
    data: dict[str, Any] = {
        "id": [f"r{n}" for n in range(20)],
        "label": [f"x{n % 2}" for n in range(20)],
        "site": [f"s{n % 7}" for n in range(20)],
        "part": ["train" if n % 4 else "test" for n in range(20)],
        "taken": [f"2024-01-{n + 1:02d}" for n in range(20)],
        "text": [words(n) for n in range(20)],
    }
    data[column] = kind([LATIN_1 if n == 6 else value.encode() for n, value in enumerate(data[column])])
    given = {"split": {}, "copies": 1, "fields": TEXT, "limits__failed": 0.1, **more}
    return config_of(parquet(home / "in/t.parquet", data), home / "out", **given)


def test_commands_look_at_inputs_with_torn_values(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of every column another row is torn, and every command says of the others what it would say without them."""
    columns = {
        "id": [f"r{n}" for n in range(20)],
        "label": [f"k{n % 2}" for n in range(20)],
        "site": [f"s{n // 2}" for n in range(20)],
        "note": [f"n{n}" for n in range(20)],
        "text": [words(n) for n in range(20)],
    }
    raw = [[LATIN_1 if n == place else value.encode() for n, value in enumerate(cells)]
           for place, cells in enumerate(columns.values())]  # fmt: skip
    data = {name: indexed(strings(cells)) if name != "note" else strings(cells)
            for name, cells in zip(columns, raw, strict=True)}  # fmt: skip
    parquet(tmp_path / "in/t.parquet", data)
    given = {"fields": TEXT, "copies": 1, "input__group": "site", "limits__failed": 0.5, "split": {"validation": 0.3}}
    config = put(tmp_path / "c.yaml", yaml.safe_dump(values(tmp_path / "in", tmp_path / "out", **given)))
    commands = [
        ("init", tmp_path / "in", "-o", tmp_path / "i.yaml"),
        ("check", config),
        ("run", config, "--workers", "1"),
        ("audit", tmp_path / "in", tmp_path / "in", "--id", "id", "--group", "site"),
    ]
    codes = [main([*map(str, command), "--json"]) for command in commands]
    assert codes == [0, 0, 0, 1]
    version = next((tmp_path / "out").glob("*/manifest.json")).parent
    assert main(["verify", str(version)]) == 0
    assert main(["audit", str(version), "--no-near"]) == 0
    assert "defect" not in "".join(capsys.readouterr())
    failed = [row for file in version.glob("_failed/*.parquet") for row in pq.read_table(file).to_pylist()]
    assert {row["source_row"]: row["reason"] for row in failed} == dict.fromkeys(range(5), "not_text")


KINDS = pytest.mark.parametrize("kind", [strings, lambda values: indexed(strings(values))], ids=["plain", "dictionary"])


@KINDS
@pytest.mark.parametrize(("column", "more"), ALONE)
def test_a_torn_key_fails_its_record_and_no_other(tmp_path: Path, column: str, more: dict[str, Any], kind: Any) -> None:
    """It used to refuse the whole input."""
    made = ran(torn_key(tmp_path, column, kind, more))
    (row,) = made.dropped()
    assert (row["source_file"], row["source_row"], row["field"], row["reason"]) == ("t.parquet", 6, column, "not_text")
    written = [
        row["source_row"] for split in made.dataset.splits for row in made.table(split).column("lineage").to_pylist()
    ]
    assert set(written) == {*range(20)} - {6}
    assert made.plan.refused == 1


@KINDS
@pytest.mark.parametrize(("column", "more"), TOGETHER)
def test_a_torn_key_that_all_records_decide_by(tmp_path: Path, column: str, more: dict[str, Any], kind: Any) -> None:
    job, listing, _ = decided(torn_key(tmp_path, column, kind, more))
    splits = split_of(job, listing)
    assert [name for name, split in splits.items() if split == "not_text"] == ["r6"]
    assert {split for name, split in splits.items() if name != "r6"} == {"train", "validation"}
