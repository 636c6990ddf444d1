"""Labels that no sane tool writes: each fails its own record, with a reason, and the others are none the worse."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from workdata import dropped

import pipeline
from pipeline.config.schema import JobConfig

HEIGHT, WIDTH = 40, 100
RUNS = pa.struct([("size", pa.list_(pa.int64())), ("counts", pa.list_(pa.int64()))])
TEXT_RUNS = pa.struct([("size", pa.list_(pa.int64())), ("counts", pa.string())])
GOOD: dict[str, Any] = {"size": [HEIGHT, WIDTH], "counts": [100, 400, 3500]}


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "PNG")
    return sink.getvalue()


def picture(number: int, width: int = WIDTH) -> bytes:
    return png(np.random.default_rng(number).integers(0, 256, (HEIGHT, width, 3), np.uint8))


def run(tmp_path: Path, rows: list[dict[str, Any]], schema: pa.Schema, field: dict[str, Any]) -> Any:
    pq.write_table(pa.Table.from_pylist(rows, schema), tmp_path / "in.parquet")
    tree = {
        "input": {"path": str(tmp_path / "in.parquet"), "id": "id"},
        "split": {},
        "copies": 2,
        "fields": {"image": {"type": "image", "augment": [{"albumentations.HorizontalFlip": {"p": 1}}], **field}},
        "output": {"path": str(tmp_path / "out")},
        "limits": {"failed": 1.0, "rejected": 1.0},
    }
    return pipeline.run(JobConfig.model_validate(tree))


def schema(kind: pa.DataType) -> pa.Schema:
    return pa.schema([("id", pa.string()), ("image", pa.binary()), ("mask", kind)])


POISONS: list[tuple[pa.DataType, Any, Any]] = [
    (RUNS, {"size": [HEIGHT, WIDTH], "counts": [100, None, 3900]}, GOOD),
    (RUNS, {"size": [10**6, 10**6], "counts": [10**12]}, GOOD),
    (RUNS, {"size": [2**40, 1], "counts": [2**40]}, GOOD),
    (RUNS, {"size": [HEIGHT, WIDTH], "counts": [2**62, 2**62, 2**62, 2**62 + 4000]}, GOOD),
    (TEXT_RUNS, {"size": [HEIGHT, WIDTH], "counts": "o" * 50}, {"size": [HEIGHT, WIDTH], "counts": "Pm3"}),
    (pa.list_(RUNS), [GOOD, {"size": None, "counts": None}], [GOOD, GOOD]),
    (pa.binary(), b"qoif" + bytes(40), None),
    (pa.binary(), b"FTEX" + bytes(40), None),
    (pa.binary(), b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 40\n", None),
]


@pytest.mark.parametrize(("kind", "poison", "good"), POISONS)
def test_a_mask_that_cannot_be_used_fails_its_record_alone(
    kind: pa.DataType, poison: Any, good: Any, tmp_path: Path
) -> None:
    if good is None:
        good = png(np.eye(HEIGHT, WIDTH, dtype=np.uint8))
    rows = [{"id": f"r{n}", "image": picture(n), "mask": poison if n == 1 else good} for n in range(3)]
    result = run(tmp_path, rows, schema(kind), {"masks": {"column": "mask"}})
    (failed,) = dropped(Path(result.path))
    assert (failed["source_id"], failed["copy"], failed["stage"], failed["reason"]) == (
        "r1", None, "bind", "bad_labels",
    )  # fmt: skip
    assert failed["message"]
    assert result.samples == 6


def test_a_coordinate_that_its_column_cannot_hold_fails_the_copy_alone(tmp_path: Path) -> None:
    kind = pa.list_(pa.list_(pa.uint8()))
    rows = [{"id": f"r{n}", "image": picture(n, 400), "mask": [[5, 3, 10, 9]] if n == 1 else []} for n in range(3)]
    result = run(tmp_path, rows, schema(kind), {"boxes": {"column": "mask", "format": "coco"}})
    failed = dropped(Path(result.path))
    assert [(f["source_id"], f["copy"], f["reason"]) for f in failed] == [
        ("r1", 1, "bad_labels"), ("r1", 2, "bad_labels"),
    ]  # fmt: skip
    assert "a coordinate of 385 does not fit into uint8" in failed[0]["message"]
    assert result.samples == 7
