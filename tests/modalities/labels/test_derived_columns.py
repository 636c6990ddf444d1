"""Numbers that say how large something is: copies say how large it is in them."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import pipeline
from pipeline.config.labels import BoxBinding, MaskBinding
from pipeline.config.loader import parse_yaml
from pipeline.errors import ConfigError
from pipeline.modalities.labels.binding import bind
from pipeline.modalities.labels.writer import moved_labels
from pipeline.planning.checks.check import checked
from transforms.recipe import build_recipe
from transforms.values import ImageValue

CROP = {"albumentations.Crop": {"x_min": 10, "x_max": 60, "y_min": 0, "y_max": 40, "p": 1}}
BOXES = [[0.0, 5, 30, 20], [40, 10, 10, 10], [100, 10, 5, 5]]
PIXELS = np.zeros((40, 120, 3), np.uint8)


def after(row: dict[str, Any], bindings: Any) -> dict[str, Any]:
    batch = pa.RecordBatch.from_pylist([row])
    before = bind(bindings, batch, 0, ImageValue(PIXELS))
    value, _ = build_recipe([CROP], "image").apply(before, bytes(16))
    found, _ = moved_labels(bindings, (batch, 0), before, value)
    return {name: cell.to_pylist()[0] for name, cell in found.items()}


@pytest.mark.parametrize("layout", ["columns", "structs", "lists"])
def test_areas_are_those_of_the_boxes_that_are_left(layout: str) -> None:
    areas = [600, 100, 25]
    if layout == "columns":
        row: dict[str, Any] = {"boxes": BOXES, "area": areas}
    elif layout == "structs":
        row = {"boxes": [{"bbox": b, "area": a} for b, a in zip(BOXES, areas, strict=True)]}
    else:
        row = {"boxes": {"bbox": BOXES, "area": areas}}
    found = after(row, {"boxes": BoxBinding(column="boxes", format="coco", area="area")})
    if layout == "columns":
        assert found["area"] == [400, 100]
    elif layout == "structs":
        assert [entry["area"] for entry in found["boxes"]] == [400, 100]
    else:
        assert found["boxes"]["area"] == [400, 100]


def test_areas_are_those_of_masks_where_each_box_has_one() -> None:
    masks = []
    for x, y, w, h in ((0, 5, 30, 20), (40, 10, 10, 10), (100, 10, 5, 5)):
        mask = np.zeros((40, 120), np.uint8)
        mask[y : y + h, x : x + w : 2] = 1  # every other column
        sink = io.BytesIO()
        Image.fromarray(mask).save(sink, "PNG")
        masks.append(sink.getvalue())
    bindings = {"boxes": BoxBinding(column="boxes", format="coco", area="area"), "masks": MaskBinding(column="masks")}
    found = after({"boxes": BOXES, "area": [300.0, 50.0, 15.0], "masks": masks}, bindings)
    assert found["area"] == [200.0, 50.0]


def test_areas_of_corners() -> None:
    quad = [[20.0, 5, 40, 5, 40, 25, 20, 25]]
    found = after({"boxes": quad, "area": [400]}, {"boxes": BoxBinding(column="boxes", format="quad", area="area")})
    assert found["area"] == [400]


def config(tmp_path: Path, size: str) -> str:
    sink = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, PIXELS.shape, np.uint8)).save(sink, "PNG")
    rows = [{"id": f"r{n}", "image": sink.getvalue(), "width": 120, "height": 40, "name": "x"} for n in range(4)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    return f"""
input: {{path: {tmp_path}/in.parquet, id: id}}
split: {{keep_together: {{exact: false}}}}
copies: 1
certificate: facts
limits: {{leaks: 1}}
fields:
  image: {{type: image, size: {size}, augment: [{{albumentations.Crop: {CROP["albumentations.Crop"]}}}]}}
output: {{path: {tmp_path}/out}}
"""


def test_copies_say_their_own_size(tmp_path: Path) -> None:
    text = config(tmp_path, "{width: width, height: height}").replace("'", "")
    result = pipeline.run(checked(parse_yaml(text, "c.yaml"))[0])
    rows = pipeline.open_dataset(result.path).splits["train"].to_table().to_pylist()
    assert {(r["lineage"]["copy"], r["width"], r["height"]) for r in rows} == {(0, 120, 40), (1, 50, 40)}


def test_sizes_must_be_numbers_of_the_input(tmp_path: Path) -> None:
    text = config(tmp_path, "{width: name, height: hight}").replace("'", "")
    with pytest.raises(ConfigError) as caught:
        checked(parse_yaml(text, "c.yaml"))
    told = " ".join(map(str, caught.value.problems))
    assert "column 'name' is string; a size in pixels is a number" in told
    assert "the input has no column 'hight'" in told
