from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from small_inputs import config_of, jpeg, opened, parquet, put, ran, words

from pipeline.sources.references.file_references import resolve
from pipeline.storage.folder import Folder

IMAGE = {"image": {"type": "image", "uri": True}}


@pytest.mark.parametrize(
    ("reference", "root", "file", "wanted"),
    [
        ("a.jpg", "/data", "t.csv", "/data/a.jpg"),
        ("a.jpg", "/data", "deep/t.csv", "/data/deep/a.jpg"),
        ("../x/a b.jpg", "/data", "deep/t.csv", "/data/x/a b.jpg"),
        ("./ü.jpg", "/data", "t.csv", "/data/ü.jpg"),
        ("/abs/a.jpg", "/data", "t.csv", "/abs/a.jpg"),
        ("file:///abs/a.jpg", "/data", "t.csv", "/abs/a.jpg"),
        ("s3://b/a.jpg", "/data", "t.csv", "s3://b/a.jpg"),
        ("a.jpg", "s3://b/data", "t.csv", "s3://b/data/a.jpg"),
        ("deep/a.jpg", "s3://b/data", "x/t.csv", "s3://b/data/x/deep/a.jpg"),
        ("../a.jpg", "s3://b/data", "x/t.csv", "s3://b/data/a.jpg"),
    ],
)
def test_resolving(reference: str, root: str, file: str, wanted: str) -> None:
    assert resolve(reference, Folder(root), file) == wanted


def table(home: Path, references: list[Any]) -> Path:
    ids = [f"r{n}" for n in range(len(references))]
    return parquet(
        home / "in" / "t.parquet",
        {"id": ids, "label": ["x"] * len(ids), "image": pa.array(references, pa.string())},
    )


def config(home: Path, path: Path, **changes: Any) -> Any:
    changes = {"fields": IMAGE, "split": {}, "limits__failed": 1, **changes}
    return config_of(path, home / "out", **changes)


def test_references_of_every_form(tmp_path: Path) -> None:
    put(tmp_path / "in" / "ü x.jpg", jpeg(1))
    put(tmp_path / "beside" / "b.jpg", jpeg(2))
    MemoryFileSystem.store.clear()
    Folder("memory://bucket").put("c.jpg", jpeg(3))
    beside = tmp_path / "beside" / "b.jpg"
    forms = ["ü x.jpg", "./ü x.jpg", "../beside/b.jpg", str(beside), f"file://{beside}", "memory://bucket/c.jpg"]
    named = {"image": {"type": "image", "uri": {"allow": [str(beside.parent), "memory://bucket"]}}}
    made = ran(config(tmp_path, table(tmp_path, forms), copies=0, fields=named))
    assert made.table().column("image").to_pylist() == [jpeg(1), jpeg(1), *[jpeg(2)] * 3, jpeg(3)]
    assert made.table().schema.field("image").type == pa.binary()


def test_references_that_lead_nowhere_fail_alone(tmp_path: Path) -> None:
    """`odd://x` used to end the whole job, at the listing."""
    put(tmp_path / "in" / "a.jpg", jpeg())
    (tmp_path / "in" / "folder").mkdir()
    references = ["a.jpg", "gone.jpg", "folder", "", None, "odd://x/y", "a\0b.jpg", "x" * 5_000, "memory://no/such"]
    made = ran(config(tmp_path, table(tmp_path, references), copies=0))
    assert made.table().column("sample_id").to_pylist() == ["r0/0"]
    found = {row["source_id"]: row for row in made.dropped()}
    assert {key: row["reason"] for key, row in found.items()} == {
        "r1": "missing_file", "r2": "unreadable_file", "r3": "unreadable_file", "r4": "null_payload",
        "r5": "outside_allowed", "r6": "unreadable_file", "r7": "unreadable_file", "r8": "outside_allowed",
    }  # fmt: skip
    assert all(row["stage"] == "read" and row["field"] == "image" for row in found.values())
    assert all(str(tmp_path) not in row["message"] for row in found.values())
    assert found["r1"]["message"] == "no such file: gone.jpg"


def test_a_picture_that_changes_changes_the_version(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.jpg", jpeg(1))
    path = table(tmp_path, ["a.jpg", "late.jpg"])
    before = opened(config(tmp_path, path))[0].version
    assert opened(config(tmp_path, path))[0].version == before
    put(tmp_path / "in" / "a.jpg", jpeg(2))
    changed = opened(config(tmp_path, path))[0].version
    put(tmp_path / "in" / "late.jpg", jpeg(2))
    assert len({before, changed, opened(config(tmp_path, path))[0].version}) == 3


def test_referenced_files_count_into_the_size_of_units(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.jpg", b"x" * 100_000)
    path = table(tmp_path, ["a.jpg", "a.jpg"])
    _, listing = opened(config(tmp_path, path))
    (unit,) = listing.units
    assert 200_000 < unit.bytes < 201_000


def test_references_in_csv_and_jsonl_to_text(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.txt", b"\xef\xbb\xbf" + words(1).encode())
    put(tmp_path / "in" / "bad.txt", b"\xff\xfe")
    put(tmp_path / "in" / "t.csv", "id,label,text\nr0,x,a.txt\nr1,x,bad.txt\n")
    put(tmp_path / "in" / "t.jsonl", '{"id":"r0","label":"x","text":"a.txt"}\n{"id":"r1","label":"x","text":"bad.txt"}')
    for name in ("t.csv", "t.jsonl"):
        made = ran(config(tmp_path, tmp_path / "in" / name, fields={"text": {"type": "text", "uri": True}}, copies=0))
        assert made.table().column("text").to_pylist() == [words(1)]
        assert [row["reason"] for row in made.dropped()] == ["not_text"]


def test_columns_of_paths_in_every_kind_of_string(tmp_path: Path) -> None:
    put(tmp_path / "in" / "a.jpg", jpeg(1))
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        data = {"id": ["r"], "label": ["x"], "image": pa.array(["a.jpg"], kind)}
        made = ran(config(tmp_path, parquet(tmp_path / "in" / f"{kind}.parquet", data), copies=0))
        assert made.table().column("image").to_pylist() == [jpeg(1)]
