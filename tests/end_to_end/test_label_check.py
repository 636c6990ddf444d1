"""`quality.label_check`: a library that moves content and forgets its labels is found out, whatever it claims."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from workdata import dropped

import pipeline
from pipeline.config.schema import JobConfig
from scripts import example_data
from transforms import registry

BOUND: dict[str, dict[str, Any]] = {
    "boxes": {"column": "boxes", "format": "coco"},
    "keypoints": {"column": "centres"},
    "masks": {"column": "mask"},
    "quads": {"column": "quads", "format": "quad"},
    "polygons": {"column": "outlines"},
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    example_data.write_labeled(folder)
    table = pq.read_table(folder / "labeled.parquet")
    rings = [[_around(box) for box in boxes] for boxes in table["boxes"].to_pylist()]
    table = table.append_column("outlines", pa.array([[[ring] for ring in row] for row in rings]))
    pq.write_table(table.append_column("quads", pa.array(rings)), folder / "labeled.parquet")
    example_data.write_events(folder)
    return folder


def _around(box: list[float]) -> list[float]:
    """The square that stands on a corner within a box: x, y, x, y…"""
    x, y, side, _ = box
    return [x + side / 2, y, x + side, y + side / 2, x + side / 2, y + side, x, y + side / 2]


def bound(kind: str) -> dict[str, Any]:
    return {"boxes" if kind == "quads" else kind: BOUND[kind]}


@pytest.fixture(autouse=True)
def forgetful(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the library for this process and its workers."""
    folder = tmp_path / "third_party"
    info = folder / "fanbeam_forgetful-1.0.dist-info"
    info.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("fanbeam_forgetful.py"), folder)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fanbeam-forgetful\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[fanbeam.transforms]\nforgetful = fanbeam_forgetful\n")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    registry._entry_points.cache_clear()
    yield
    registry._entry_points.cache_clear()
    registry.adapter.cache_clear()


def job(tmp_path: Path, source: Path, field: dict[str, Any], name: str = "image") -> JobConfig:
    return JobConfig.model_validate(
        {
            "input": {"path": str(source), "id": "id"},
            "split": {},
            "copies": 2,
            "fields": {name: field},
            "output": {"path": str(tmp_path / "out")},
            "limits": {"rejected": 1.0},
        }
    )


def rejected(config: JobConfig) -> tuple[int, dict[str, int]]:
    """How many copies were planned, and the manifest's count of rejected ones."""
    result = pipeline.run(config)
    counted: dict[str, int] = result.manifest["dropped"]["rejected"]
    assert sum(counted.values()) == len(dropped(Path(result.path), "rejected"))
    return 2 * result.manifest["input"]["records"], counted


@pytest.mark.parametrize("kind", BOUND)
def test_moved_pixels_with_forgotten_labels_are_rejected(kind: str, data: Path, tmp_path: Path) -> None:
    field = {"type": "image", "augment": ["forgetful.Sideways"], **bound(kind), "quality": {"label_check": 1.0}}
    planned, counted = rejected(job(tmp_path, data / "labeled.parquet", field))
    assert counted == {"labels_disagree": planned}


def test_a_reversed_sound_with_forgotten_segments_is_rejected(data: Path, tmp_path: Path) -> None:
    field = {
        "type": "audio", "augment": ["forgetful.Backwards"], "segments": {"column": "events"},
        "quality": {"label_check": 1.0},
    }  # fmt: skip
    planned, counted = rejected(job(tmp_path, data / "events.parquet", field, "audio"))
    assert counted == {"labels_disagree": planned}


def test_without_the_check_nobody_notices(data: Path, tmp_path: Path) -> None:
    field = {"type": "image", "augment": ["forgetful.Sideways"], "boxes": BOUND["boxes"]}
    config = job(tmp_path, data / "labeled.parquet", field)
    assert rejected(config)[1] == {}
    assert pq.read_metadata(data / "labeled.parquet").num_rows == 8


def test_a_share_of_the_copies_is_looked_at(data: Path, tmp_path: Path) -> None:
    quality = {"label_check": 0.5, "retries": 0}
    field = {"type": "image", "augment": ["forgetful.Sideways"], "boxes": BOUND["boxes"], "quality": quality}
    planned, counted = rejected(job(tmp_path, data / "labeled.parquet", field))
    assert 0 < counted["labels_disagree"] < planned


def test_what_follows_is_kept(data: Path, tmp_path: Path) -> None:
    steps = ["albumentations.HorizontalFlip", {"albumentations.Rotate": {"limit": 30, "p": 1}}]
    quality = {"label_check": 1.0, "retries": 0}
    upright = {kind: binding for kind, binding in BOUND.items() if kind != "quads"}
    for number, labels in enumerate((upright, {**upright, **bound("quads")})):
        field = {"type": "image", "augment": steps, **labels, "quality": quality}
        assert rejected(job(tmp_path / str(number), data / "labeled.parquet", field))[1] == {}


MIRRORED: list[Any] = [
    {"albumentations.PadIfNeeded": {"min_height": 300, "min_width": 300, "border_mode": 4, "p": 1}},
    {"albumentations.Affine": {"scale": [0.5, 0.6], "border_mode": "cv2.BORDER_WRAP", "p": 1}},
    {"torchvision.Pad": {"padding": 50, "padding_mode": "symmetric"}},
    {"one_of": [{"albumentations.Rotate": {"limit": [30, 40], "border_mode": 2, "p": 1}}]},
]


@pytest.mark.parametrize("step", MIRRORED, ids=lambda step: next(iter(step)))
def test_what_mirrored_borders_show_again_is_no_disagreement(step: Any, data: Path, tmp_path: Path) -> None:
    upright = {kind: binding for kind, binding in BOUND.items() if kind != "quads"}
    quality = {"label_check": 1.0, "retries": 0}
    field = {"type": "image", "augment": [step], **upright, "quality": quality}
    assert rejected(job(tmp_path, data / "labeled.parquet", field))[1] == {}
    forgetful = {**field, "augment": [step, "forgetful.Sideways"]}
    planned, counted = rejected(job(tmp_path / "2", data / "labeled.parquet", forgetful))
    assert counted.get("labels_disagree", 0) > 0.8 * planned
