"""Strings that are not UTF-8 in a Parquet file, as other writers leave them: the row fails, and no other."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from small_inputs import config_of, jpeg, parquet, put, ran, words

from pipeline.sources.strings import torn_rows, values_of

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
