"""Labels in columns of their own, from Parquet to Parquet: boxes, points, masks and segments stay on their content."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile
from PIL import Image
from workdata import dropped

import pipeline
from pipeline.config.schema import JobConfig
from pipeline.dataset.reader import Dataset
from pipeline.driver.replay import replay
from pipeline.driver.verification.verify import verify
from pipeline.errors import ConfigError

COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
STEPS: list[Any] = [
    "albumentations.HorizontalFlip",
    {"albumentations.RandomResizedCrop": {"size": [100, 100], "scale": [0.4, 1.0], "p": 1}},
    {"albumentations.Rotate": {"limit": 90, "p": 0.5, "interpolation": 0}},
    "albumentations.GaussNoise",
]
BOXES = {"column": "objects", "format": "coco", "labels": "names", "columns": ["number"], "min_area": 4}
SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("image", pa.binary()),
        ("objects", pa.list_(pa.list_(pa.int32()))),
        ("names", pa.list_(pa.dictionary(pa.int8(), pa.string()))),
        ("number", pa.large_list(pa.int64())),
        ("points", pa.list_(pa.list_(pa.float32()))),
        ("mask", pa.binary()),
    ]
)


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    sink = io.BytesIO()
    Image.fromarray(pixels).save(sink, "PNG")
    return sink.getvalue()


def pixels_of(payload: bytes) -> np.ndarray[Any, Any]:
    return np.array(Image.open(io.BytesIO(payload)))


def row(number: int) -> dict[str, Any]:
    """A picture with a rectangle of each colour; later ones may cover earlier ones."""
    draw = np.random.default_rng(number)
    pixels, mask = np.full((120, 160, 3), 40, np.uint8), np.zeros((120, 160), np.uint8)
    boxes, points = [], []
    for place, colour in enumerate(COLOURS.values(), 1):
        x, y, w, h = (int(draw.integers(low, high)) for low, high in ((0, 120), (0, 90), (10, 40), (10, 30)))
        pixels[y : y + h, x : x + w] = colour
        mask[y : y + h, x : x + w] = place
        boxes.append([x, y, w, h])
        points.append([x + w / 2, y + h / 2, float(place)])
    return {
        "id": f"r{number}", "image": png(pixels), "objects": boxes, "names": list(COLOURS),
        "number": [place + 10 * number for place in (1, 2, 3)], "points": points, "mask": png(mask),
    }  # fmt: skip


def config(tmp_path: Path, table: pa.Table, field: dict[str, Any], name: str = "image", **more: Any) -> Any:
    pq.write_table(table, tmp_path / "in.parquet")
    return JobConfig.model_validate(
        {
            "seed": 3,
            "input": {"path": str(tmp_path / "in.parquet"), "id": "id"},
            "split": {},
            "copies": 3,
            "fields": {name: field},
            "output": {"path": str(tmp_path / "out")},
            **more,
        }
    )


def train(dataset: Dataset) -> pa.Table:
    return dataset.splits["train"].to_table()


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    field = {
        "type": "image", "augment": STEPS, "boxes": BOXES, "keypoints": {"column": "points"},
        "masks": {"column": "mask"}, "quality": {"label_check": 1.0},
    }  # fmt: skip
    table = pa.Table.from_pylist([row(n) for n in range(12)], SCHEMA)
    return pipeline.open_dataset(pipeline.run(config(tmp_path_factory.mktemp("boxes"), table, field)).path)


def test_types_names_and_order_are_those_of_the_input(followed: Dataset) -> None:
    table = train(followed)
    assert table.schema.names == [*SCHEMA.names, "sample_id", "lineage"]
    assert [table.schema.field(n).type for n in SCHEMA.names] == [SCHEMA.field(n).type for n in SCHEMA.names]


def test_originals_are_untouched(followed: Dataset) -> None:
    first = {r["id"]: r for r in train(followed).to_pylist() if r["lineage"]["copy"] == 0}
    assert len(first) == 12
    assert all(first[f"r{n}"][name] == value for n in range(12) for name, value in row(n).items())


def test_every_box_is_around_its_own_rectangle_with_its_own_labels(followed: Dataset) -> None:
    seen = dropped_boxes = 0
    for sample in train(followed).to_pylist():
        number, mask = int(sample["id"][1:]), pixels_of(sample["mask"])
        assert mask.shape == pixels_of(sample["image"]).shape[:2]
        assert len(sample["objects"]) == len(sample["names"]) == len(sample["number"])
        dropped_boxes += 3 - len(sample["objects"])
        for (x, y, w, h), name, tag in zip(sample["objects"], sample["names"], sample["number"], strict=True):
            place = list(COLOURS).index(name) + 1
            assert tag == place + 10 * number
            assert w > 0
            assert h > 0
            ys, xs = np.nonzero(mask == place)
            outside = (xs < x - 1) | (xs > x + w) | (ys < y - 1) | (ys > y + h)
            assert outside.sum() <= 0.02 * len(xs)
            seen += len(xs) > 0
    assert seen > 60
    assert dropped_boxes > 0


def test_every_keypoint_is_in_its_own_rectangle(followed: Dataset) -> None:
    hits = total = 0
    for sample in train(followed).to_pylist():
        mask = pixels_of(sample["mask"])
        for x, y, place in sample["points"]:
            total += 1
            hits += mask[min(int(y), mask.shape[0] - 1), min(int(x), mask.shape[1] - 1)] >= place
    assert hits > 0.97 * total


def test_verify_renders_labels_again(followed: Dataset) -> None:
    report = verify(followed, samples=6)
    assert report.ok
    assert report.rendered == 6


def test_replay_compares_labels(followed: Dataset) -> None:
    rows = [row for row in train(followed).to_pylist() if row["lineage"]["copy"] == 1][:2]
    rows[1]["points"][0][0] += 1.0
    sound, changed = replay(followed, rows)
    assert sound.difference == ""
    assert changed.difference == "the labels in points differ"


@pytest.mark.parametrize("layout", ["structs", "lists"])
def test_boxes_as_detection_data_sets_write_them(layout: str, tmp_path: Path) -> None:
    each = [("bbox", pa.list_(pa.float32(), 4)), ("category", pa.int64())]
    kind = pa.list_(pa.struct(each)) if layout == "structs" else pa.struct([(n, pa.list_(t)) for n, t in each])
    rows = []
    for number in range(4):
        made = row(number)
        entries = [{"bbox": b, "category": c} for b, c in zip(made["objects"], made["number"], strict=True)]
        cell: Any = entries if layout == "structs" else {n: [e[n] for e in entries] for n, _ in each}
        rows.append({"id": made["id"], "image": {"bytes": made["image"], "path": None}, "objects": cell})
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    schema = pa.schema([("id", pa.string()), ("image", picture), ("objects", kind)])
    field = {
        "type": "image", "augment": ["albumentations.Transpose"],
        "boxes": {"column": "objects", "format": "coco", "labels": "category"},
    }  # fmt: skip
    result = pipeline.run(config(tmp_path, pa.Table.from_pylist(rows, schema), field))
    made_dataset = pipeline.open_dataset(result.path)
    assert verify(made_dataset, 8).ok
    table = train(made_dataset)
    assert table.schema.field("objects").type == kind
    for sample in table.to_pylist():
        cell = sample["objects"]
        found = (
            cell if layout == "structs" else [dict(zip(cell, e, strict=True)) for e in zip(*cell.values(), strict=True)]
        )
        made = row(int(sample["id"][1:]))
        turned = bool(sample["lineage"]["transforms"])
        expected = [[y, x, h, w] if turned else [x, y, w, h] for x, y, w, h in made["objects"]]
        assert [e["category"] for e in found] == made["number"]
        assert [e["bbox"] for e in found] == [pytest.approx(box, abs=1e-3) for box in expected]


def test_segments_follow_the_sound(tmp_path: Path) -> None:
    samples = np.zeros(16_000, np.float32)
    samples[4000:8000] = 0.5 * np.sin(np.arange(4000) * 0.3)
    sink = io.BytesIO()
    soundfile.write(sink, samples, 8000, format="FLAC")
    events = [{"start": 0.5, "end": 1.0, "label": "tone"}, {"start": 1.9, "end": 2.0, "label": "end"}]
    rows = [{"id": f"r{n}", "audio": sink.getvalue(), "events": events} for n in range(3)]
    field = {
        "type": "audio", "segments": {"column": "events", "labels": "label"}, "quality": {"label_check": 1.0},
        "augment": [{"audiomentations.Shift": {"p": 1, "rollover": False, "min_shift": 0.1, "max_shift": 0.3}}],
    }  # fmt: skip
    dataset = pipeline.open_dataset(pipeline.run(config(tmp_path, pa.Table.from_pylist(rows), field, "audio")).path)
    assert verify(dataset, samples=3).ok  # their labels are members of the structs, no column
    for sample in train(dataset).to_pylist():
        heard, rate = soundfile.read(io.BytesIO(sample["audio"]))
        loud = np.flatnonzero(np.abs(heard) > 0.1) / rate
        tone = sample["events"][0]
        assert tone["label"] == "tone"
        assert (tone["start"], tone["end"]) == pytest.approx((loud[0], loud[-1]), abs=0.02)
        assert len(sample["events"]) == (2 if sample["lineage"]["copy"] == 0 else 1)


def test_labels_that_cannot_be_used_fail_their_record_alone(tmp_path: Path) -> None:
    rows = [row(n) for n in range(4)]
    rows[1]["names"] = ["red"]
    rows[2]["objects"] = [[1, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4]]
    field = {"type": "image", "augment": STEPS, "boxes": BOXES}
    given = config(tmp_path, pa.Table.from_pylist(rows, SCHEMA), field, limits={"failed": 0.5})
    result = pipeline.run(given)
    failed = dropped(Path(result.path))
    assert [(f["source_id"], f["stage"], f["reason"]) for f in failed] == [
        ("r1", "bind", "bad_labels"), ("r2", "bind", "bad_labels"),
    ]  # fmt: skip
    assert failed[0]["message"] == "objects has 3 entries, names has 1"
    assert result.samples == 8


def test_what_cannot_be_bound_is_told_before_anything_runs(tmp_path: Path) -> None:
    field = {
        "type": "image", "augment": ["albumentations.MaskDropout"],
        "boxes": {"column": "mask", "format": "coco", "labels": "nams", "columns": ["id"]},
        "keypoints": {"column": "poinst"},
    }  # fmt: skip
    given = config(tmp_path, pa.Table.from_pylist([row(0)], SCHEMA), field)
    with pytest.raises(ConfigError) as caught:
        pipeline.run(given)
    told = "\n".join(map(str, caught.value.problems))
    assert "column 'mask' is binary; it must be a list of lists of 4 numbers" in told.replace(
        " is binary;", " is binary;"
    )
    assert "the input has no column 'nams', and 'mask' no such member" in told
    assert "column 'id' is already used by the input's keys" in told
    assert "the input has no column 'poinst'. Did you mean 'points'?" in told
    assert "albumentations.MaskDropout needs masks: bind them to the field" in told
    assert not (tmp_path / "out").exists()


def test_words_for_sides_follow_a_mirrored_picture(tmp_path: Path) -> None:
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[:, :10] = 255
    rows = [{"id": f"r{n}", "image": png(pixels), "caption": f"{n} bars on the left"} for n in range(30)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "in.parquet")
    tree = {
        "input": {"path": str(tmp_path / "in.parquet"), "id": "id"},
        "copies": 3,
        "split": {"validation": 0.2},
        "fields": {
            "image": {"type": "image", "augment": ["albumentations.HorizontalFlip", "albumentations.D4"]},
            "caption": {"type": "text", "augment": [{"nlpaug.RandomWordAug": {"action": "swap", "aug_max": 1}}]},
        },
        "mirror_words": {"left": "right"},
        "output": {"path": str(tmp_path / "out")},
        "limits": {"leaks": 1},  # all pictures are one
    }
    made = pipeline.open_dataset(pipeline.run(JobConfig.model_validate(tree)).path)
    sides = {"left": 0, "right": 0}
    for part in made.splits.values():
        for found in part.to_table().to_pylist():
            shown = pixels_of(found["image"])
            if shown[20, 0].all() != shown[20, -1].all():  # not lying on its side
                side = "left" if shown[20, 0].all() else "right"
                assert side in found["caption"].lower(), found["lineage"]
                sides[side] += 1
                noted = any(s["name"] == "fanbeam.MirrorWords" for s in found["lineage"]["transforms"])
                assert noted == (side == "right")
    assert min(sides.values()) > 5
    assert verify(made, 20).ok
    del tree["fields"]["image"]  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="1 problem"):
        pipeline.run(JobConfig.model_validate(tree))
