"""Outlines from Parquet to Parquet: beside boxes in the same structs, cut at edges, replayed, or refused."""

import io
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw

import pipeline
from pipeline.config.schema import JobConfig
from pipeline.dataset.reader import open_dataset
from pipeline.driver.verification.verify import verify
from pipeline.errors import ConfigError

HEIGHT, WIDTH = 120, 160
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0)}
NUMBERS = pa.list_(pa.list_(pa.list_(pa.float32())))
OBJECTS = pa.struct(
    [("bbox", pa.list_(pa.list_(pa.float32()))), ("segmentation", NUMBERS), ("name", pa.list_(pa.string()))]
)
SCHEMA = pa.schema([("id", pa.string()), ("image", pa.binary()), ("objects", OBJECTS)])
STEPS: list[Any] = [
    "albumentations.HorizontalFlip",
    {"albumentations.Rotate": {"limit": 45, "p": 1}},
    {"albumentations.RandomResizedCrop": {"size": [100, 100], "scale": [0.4, 0.9], "p": 1}},
]


def star(number: int, place: int) -> list[float]:
    """Ten corners around a middle, every second one farther out."""
    middle = np.array([45 + 70 * place + number % 5, 50 + 3 * (number % 7)])
    angles = np.arange(10) * np.pi / 5 + number
    radii = np.where(np.arange(10) % 2, 24, 32)[:, np.newaxis]
    return (middle + radii * np.stack([np.cos(angles), np.sin(angles)], axis=1)).ravel().tolist()


def painted(ring: list[float], height: int, width: int) -> np.ndarray[Any, Any]:
    """Pixels whose centres lie within a ring, by another library: eight times as fine, then thinned out."""
    ground = Image.new("1", (width * 8, height * 8))
    ImageDraw.Draw(ground).polygon([n * 8 - 0.5 for n in ring], fill=1)
    return np.asarray(ground)[4::8, 4::8]


def row(number: int) -> dict[str, Any]:
    """A picture with two stars, and what is said of them."""
    pixels = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
    rings = [star(number, place) for place in range(2)]
    for ring, colour in zip(rings, COLOURS.values(), strict=True):
        pixels[painted(ring, HEIGHT, WIDTH)] = colour
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "PNG")
    points = [np.array(ring).reshape(-1, 2) for ring in rings]
    boxes = [[*p.min(axis=0).tolist(), *(p.max(axis=0) - p.min(axis=0)).tolist()] for p in points]
    objects = {"bbox": boxes, "segmentation": [[ring] for ring in rings], "name": list(COLOURS)}
    return {"id": f"r{number:02}", "image": sink.getvalue(), "objects": objects}


def _strays(one: np.ndarray[Any, Any], other: np.ndarray[Any, Any]) -> int:
    """Pixels of one that lie farther than one beside the other."""
    return int((one & (cv2.dilate(other.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)).sum())


def config(folder: Path, steps: list[Any], **more: Any) -> JobConfig:
    pq.write_table(pa.Table.from_pylist([row(n) for n in range(12)], SCHEMA), folder / "in.parquet")
    field = {
        "type": "image",
        "boxes": {"column": "objects", "format": "coco", "labels": "name"},
        "polygons": {"column": "objects", "labels": "name"},
        "augment": steps,
        "quality": {"label_check": 1.0},
        **more,
    }
    return JobConfig.model_validate(
        {
            "input": {"path": str(folder / "in.parquet"), "id": "id"},
            "split": {"validation": 0.2},
            "copies": 3,
            "fields": {"image": field},
            "output": {"path": str(folder / "out")},
        }
    )


def test_outlines_lie_on_their_colour_in_every_copy(tmp_path: Path) -> None:
    result = pipeline.run(config(tmp_path, STEPS))
    table = pa.concat_tables(pq.read_table(p) for p in sorted(Path(result.path, "train").glob("*.parquet")))
    assert table.schema.field("objects").type == OBJECTS
    seen = 0
    for sample in table.to_pylist():
        pixels, objects = np.array(Image.open(io.BytesIO(sample["image"])).convert("RGB")), sample["objects"]
        assert len(objects["bbox"]) == len(objects["segmentation"]) == len(objects["name"])
        for rings, name in zip(objects["segmentation"], objects["name"], strict=True):
            channel = COLOURS[name].index(255)
            colour = pixels[..., channel].astype(int) - pixels[..., 1 - channel] > 107  # half of it, or more
            outline = painted(rings[0], *pixels.shape[:2])
            assert max(_strays(colour, outline), _strays(outline, colour)) <= 3
            assert outline.sum() > 10 or colour.sum() < 30
            seen += 1
    assert seen > 40
    assert result.manifest["labels"]["image.polygons"]["in"] == result.manifest["labels"]["image.boxes"]["in"]
    assert result.manifest["labels"]["image.polygons"]["clipped"] > 0
    dataset = open_dataset(result.path)
    assert verify(dataset, samples=6).ok


def test_steps_that_bend_straight_edges_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        pipeline.run(config(tmp_path, ["albumentations.ElasticTransform", "albumentations.RandomGridShuffle"]))
    told = [problem.message for problem in caught.value.problems]
    assert told == [
        f"albumentations.{name} does not move polygons along; it bends straight edges: masks follow it."
        for name in ("ElasticTransform", "RandomGridShuffle")
    ]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (pa.struct([("counts", pa.string()), ("size", pa.list_(pa.int32()))]), "run lengths are bound as masks"),
        (pa.list_(pa.list_(pa.float32(), 8)), "lists of a fixed size cannot hold"),
        (pa.string(), "it must be a list with an entry for each object"),
    ],
)
def test_columns_that_hold_no_outlines_are_refused(kind: pa.DataType, message: str, tmp_path: Path) -> None:
    made = config(tmp_path, [], boxes=None, polygons={"column": "rings"})
    table = pq.read_table(tmp_path / "in.parquet")
    cell = [[1.0] * 8] if pa.types.is_list(kind) else None
    pq.write_table(table.append_column("rings", pa.array([cell] * len(table), kind)), tmp_path / "in.parquet")
    with pytest.raises(ConfigError) as caught:
        pipeline.run(made)
    assert message in " ".join(map(str, caught.value.problems))


def test_records_with_broken_outlines_are_named(tmp_path: Path) -> None:
    made = config(tmp_path, STEPS, boxes=None)
    rows = [row(n) for n in range(12)]
    rows[3]["objects"]["segmentation"][1] = [[1.0, 2.0, 3.0]]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), tmp_path / "in.parquet")
    result = pipeline.run(made.model_copy(update={"limits": made.limits.model_copy(update={"failed": 0.5})}))
    assert result.manifest["dropped"]["failed"] == {"bad_labels": 1}
