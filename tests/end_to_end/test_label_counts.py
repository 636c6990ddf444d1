"""Every run says how many of its labels are left: in its answer, the manifest and the card."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import pipeline
from pipeline.cli.program import main
from pipeline.driver.verification.verify import verify

HEIGHT, WIDTH = 60, 120


def picture(number: int) -> bytes:
    sink = io.BytesIO()
    pixels = np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    Image.fromarray(pixels).save(sink, "PNG")
    return sink.getvalue()


def config(tmp_path: Path, boxes: list[Any], form: str) -> Path:
    """Pictures with a large box in the middle and a small one at the right edge, which the crop cuts off."""
    rows = [{"id": f"r{n}", "image": picture(n), "boxes": boxes, "names": ["middle", "[/edge]"]} for n in range(10)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    path = tmp_path / "job.yaml"
    path.write_text(f"""
input: {{path: {tmp_path}/in.parquet, id: id}}
split: {{}}
copies: 3
fields:
  image:
    type: image
    boxes: {{column: boxes, format: {form}, labels: names}}
    augment: [{{albumentations.Crop: {{x_min: 0, y_min: 0, x_max: 60, y_max: 60, p: 1}}}}]
output: {{path: {tmp_path}/out}}
limits: {{failed: 1.0}}
""")
    return path


def test_a_class_that_the_steps_cut_off_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, [[20, 10, 60, 30], [110, 5, 8, 8]], "coco")
    assert main(["run", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    expected = {
        "in": 60, "kept": 30, "clipped": 30, "dropped": 30, "repeated": 0,
        "classes": {"[/edge]": {"in": 30, "kept": 0}, "middle": {"in": 30, "kept": 30}},
    }  # fmt: skip
    assert told["labels"] == {"image.boxes": expected}
    dataset = pipeline.open_dataset(told["path"])
    assert dataset.manifest["labels"] == {"image.boxes": expected}
    card = (Path(told["path"]) / "README.md").read_text()
    assert "| boxes of image | 60 | 30 | 30 | 30 |" in card
    assert r"of 30 boxes of image labeled '\[/edge\]' 0 are left" in card  # as Markdown writes brackets
    assert verify(dataset, samples=3).ok
    copies = [row for row in dataset.splits["train"].to_table().to_pylist() if row["lineage"]["copy"]]
    assert all(row["names"] == ["middle"] for row in copies)


def test_the_summary_for_people_has_the_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, [[20, 10, 60, 30], [110, 5, 8, 8]], "coco")
    assert main(["run", str(path)]) == 0
    said = capsys.readouterr()
    assert "boxes of image in changed samples: 30 of 60 kept, 30 clipped, 30 dropped" in said.out
    assert "warning: of 30 boxes of image labeled '[/edge]' 0 are left" in " ".join(said.err.split())


def test_pixels_that_are_read_as_shares_fail_with_the_format_that_fits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, [[20, 10, 60, 30], [110, 5, 8, 8]], "yolo")
    main(["run", str(path)])
    (failed,) = (tmp_path / "out").glob("*/_failed/*.parquet")
    rows = pq.read_table(failed).to_pylist()
    assert {row["reason"] for row in rows} == {"bad_labels"}
    assert len(rows) == 10
    assert "format: yolo may be wrong (by coco all of them would lie in it)" in rows[0]["message"]
    capsys.readouterr()
