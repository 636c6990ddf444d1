"""Volumes from folders and tables: init, run, verify, replay; the same bytes for any number of workers; labels."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tifffile
import workdata

import pipeline
from pipeline.config.schema import JobConfig
from pipeline.dataset.reader import Dataset
from pipeline.driver.replay import replay
from pipeline.driver.verification.verify import verify
from scripts import example_data

Ask = Callable[..., tuple[int, dict[str, Any]]]


def stack(number: int) -> bytes:
    slices = np.random.default_rng(number).integers(0, 4096, (6, 20, 24)).astype(np.uint16)
    file = io.BytesIO()
    tifffile.imwrite(file, slices, photometric="minisblack", metadata=None, software=False)
    return file.getvalue()


def test_a_folder_of_stacks_from_init_to_replay(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    workdata.write_folder(tmp_path / "scans", 18, stack, ".tif")
    assert ask("init", "scans", "-o", "scans.yaml")[0] == 0
    code, answer = ask("run", "scans.yaml", "--workers", "1")
    assert code == 0, answer
    version = workdata.version_folder(tmp_path / "out" / "scans")
    assert ask("verify", version)[0] == 0
    found = workdata.samples(version, ["volume"])
    assert {split for split, *_ in found.values()} >= {"train"}
    for name, (_, (payload,), *_) in found.items():
        voxels = tifffile.imread(io.BytesIO(payload))
        assert (voxels.shape, voxels.dtype) == ((6, 20, 24), np.uint16)
        if name.endswith("/0"):
            assert payload == (tmp_path / "scans" / name.removesuffix("/0")).read_bytes()
    copy = next(name for name in found if name.endswith("/2"))
    assert ask("replay", version, copy)[0] == 0
    before = workdata.contents(version)
    shutil.rmtree(tmp_path / "out")
    assert ask("run", "scans.yaml", "--workers", "2")[0] == 0
    assert workdata.contents(version) == before


def test_the_example_runs(tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    example_data.write_volumes(tmp_path / "data")
    code, answer = ask("run", workdata.ROOT / "configs" / "volumes.yaml", "--workers", "1")
    assert code == 0, answer
    version = workdata.version_folder(tmp_path / "out" / "volumes")
    sizes = {
        tifffile.imread(io.BytesIO(payload)).shape
        for name, (_, (payload,), *_) in workdata.samples(version, ["volume"]).items()
        if not name.endswith("/0")
    }
    assert sizes == {(20, 40, 40), (40, 20, 40), (40, 40, 20)}


def npy(array: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def labeled_row(number: int) -> dict[str, Any]:
    """A volume with three bright blocks, each marked by a class number, a point and a name."""
    draw = np.random.default_rng(number)
    voxels, mask = np.full((16, 20, 24), 30, np.uint8), np.zeros((16, 20, 24), np.uint8)
    points = []
    for place in (1, 2, 3):
        z, y, x = (int(draw.integers(1, side - 4)) for side in voxels.shape)
        voxels[z : z + 3, y : y + 3, x : x + 3] = 60 * place
        mask[z : z + 3, y : y + 3, x : x + 3] = place
        points.append({"x": x + 1.0, "y": y + 1.0, "z": z + 1.0, "place": place})
    return {"id": f"r{number}", "scan": npy(voxels), "mask": npy(mask), "points": points, "names": ["a", "b", "c"]}


STEPS: list[Any] = [
    "albumentations.CubicSymmetry",
    {"albumentations.RandomCrop3D": {"size": [14, 14, 14], "p": 0.6}},
    {"albumentations.Pad3D": {"padding": [1, 2, 3], "p": 0.5}},
    {"albumentations.Rotate": {"limit": 45, "interpolation": 0, "p": 0.5}},
    {"albumentations.GaussNoise": {"std_range": [0.01, 0.02]}},
]


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    home = tmp_path_factory.mktemp("labels")
    pq.write_table(pa.Table.from_pylist([labeled_row(n) for n in range(8)]), home / "in.parquet")
    labels = {"masks": {"column": "mask"}, "keypoints": {"column": "points", "columns": ["names"]}}
    config = JobConfig.model_validate(
        {
            "seed": 4,
            "input": {"path": str(home / "in.parquet"), "id": "id"},
            "split": {},
            "copies": 6,
            "fields": {"scan": {"type": "volume", "augment": STEPS, **labels}},
            "output": {"path": str(home / "out")},
        }
    )
    return pipeline.open_dataset(pipeline.run(config).path)


def test_masks_and_points_stay_on_what_they_mark(followed: Dataset) -> None:
    hits = total = lost = 0
    for row in followed.splits["train"].to_table().to_pylist():
        voxels, mask = (np.load(io.BytesIO(row[name]), allow_pickle=False) for name in ("scan", "mask"))
        assert voxels.shape == mask.shape
        for place in (1, 2, 3):
            inside = voxels[mask == place].astype(int)
            assert np.abs(inside - 60 * place).max(initial=0) < 25
        assert len(row["points"]) == len(row["names"])
        lost += 3 - len(row["points"])
        for point, name in zip(row["points"], row["names"], strict=True):
            assert "abc"[point["place"] - 1] == name
            z, y, x = (round(point[axis]) for axis in "zyx")
            z, y, x = (min(n, side - 1) for n, side in zip((z, y, x), mask.shape, strict=True))
            total += 1
            hits += mask[z, y, x] >= point["place"]
    assert hits > 0.95 * total > 50
    assert lost > 0


def test_labeled_volumes_verify_and_replay(followed: Dataset) -> None:
    report = verify(followed, samples=6)
    assert (report.ok, report.rendered) == (True, 6)
    rows = [r for r in followed.splits["train"].to_table().to_pylist() if r["sample_id"] in ("r3/5", "r0/1")]
    assert [result.difference for result in replay(followed, rows)] == ["", ""]
