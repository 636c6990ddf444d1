"""Masks in files of their own, named by a column: read under the rules of payload, written as bytes, replayed."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

import pipeline
from pipeline.config.schema import JobConfig
from pipeline.dataset.reader import open_dataset
from pipeline.driver.verification.verify import verify
from pipeline.errors import ConfigError, InputError

HEIGHT, WIDTH = 60, 80
STEPS: list[Any] = [
    {"albumentations.HorizontalFlip": {"p": 0.5}},
    {"albumentations.Rotate": {"limit": 40, "p": 1, "interpolation": 0}},
]


def save(path: Path, pixels: np.ndarray[Any, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def table(folder: Path, listed: bool = False) -> None:
    """Pictures with a bright rectangle, their masks in a folder beside the table."""
    rows = []
    for n in range(10):
        pixels, mask = np.full((HEIGHT, WIDTH, 3), 30, np.uint8), np.zeros((HEIGHT, WIDTH), np.uint8)
        pixels[10 + n : 40, 20 : 50 + n], mask[10 + n : 40, 20 : 50 + n] = (250, 20, 20), 1
        save(folder / "pictures" / f"{n}.png", pixels)
        save(folder / "masks" / f"{n}.png", mask)
        names: Any = [f"masks/{n}.png", f"masks/{n}.png"] if listed else f"masks/{n}.png"
        rows.append({"id": f"r{n}", "image": f"pictures/{n}.png", "mask": names, "kinds": ["a", "b"]})
    pq.write_table(pa.Table.from_pylist(rows), folder / "in.parquet")


def config(folder: Path, **masks: Any) -> JobConfig:
    field = {"type": "image", "uri": True, "masks": {"column": "mask", "uri": True, **masks}, "augment": STEPS}
    return JobConfig.model_validate(
        {
            "input": {"path": str(folder / "in.parquet"), "id": "id"},
            "split": {"validation": 0.2},
            "copies": 2,
            "fields": {"image": field},
            "output": {"path": str(folder.parent / "out")},
            "limits": {"failed": 0.5},
        }
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table(tmp_path / "data")
    return tmp_path / "data"


def pixels_of(payload: bytes) -> np.ndarray[Any, Any]:
    return np.array(Image.open(io.BytesIO(payload)))


def samples(path: str) -> pa.Table:
    return pa.concat_tables(pq.read_table(p) for p in sorted(Path(path).glob("[tv]*/*.parquet")))


@pytest.mark.parametrize("listed", [False, True])
def test_masks_come_out_as_bytes_and_lie_on_their_objects(listed: bool, tmp_path: Path) -> None:
    table(tmp_path / "data", listed)
    result = pipeline.run(config(tmp_path / "data", **({"labels": "kinds"} if listed else {})))
    found = samples(result.path)
    assert found.schema.field("mask").type == (pa.list_(pa.binary()) if listed else pa.binary())
    assert found.num_rows > 20
    for sample in found.to_pylist():
        masks = sample["mask"] if listed else [sample["mask"]]
        assert len(masks) == (2 if listed else 1)
        for mask in masks:
            red = pixels_of(sample["image"])[..., 0] > 140
            assert (red & (pixels_of(mask) == 1)).sum() > 0.97 * red.sum()
        if sample["lineage"]["copy"] == 0:
            number = sample["sample_id"].split("/")[0][1:]
            assert masks[0] == (tmp_path / "data" / "masks" / f"{number}.png").read_bytes()
    assert verify(open_dataset(result.path), samples=8).ok


def test_a_mask_that_changes_makes_another_version(folder: Path) -> None:
    first = pipeline.run(config(folder))
    save(folder / "masks" / "3.png", np.ones((HEIGHT, WIDTH), np.uint8))
    assert pipeline.run(config(folder)).path != first.path
    assert not verify(open_dataset(first.path), samples=40).ok


def test_missing_masks_fail_their_record_by_name(folder: Path) -> None:
    (folder / "masks" / "3.png").unlink()
    result = pipeline.run(config(folder))
    assert result.manifest["dropped"]["failed"] == {"missing_file": 1}
    assert "r3" not in {s["lineage"]["source_id"] for s in samples(result.path).to_pylist()}


def test_masks_outside_of_the_folder_are_not_opened(folder: Path, tmp_path: Path) -> None:
    rows = pq.read_table(folder / "in.parquet").to_pylist()
    save(tmp_path / "other" / "5.png", np.ones((HEIGHT, WIDTH), np.uint8))
    rows[5]["mask"] = "../other/5.png"
    pq.write_table(pa.Table.from_pylist(rows), folder / "in.parquet")
    assert pipeline.run(config(folder)).manifest["dropped"]["failed"] == {"outside_allowed": 1}
    allowed = config(folder, uri={"allow": [str(tmp_path / "other")]})
    assert pipeline.run(allowed).manifest["dropped"]["failed"] == {}


def test_a_column_none_of_whose_masks_can_be_read_is_refused(folder: Path) -> None:
    for path in (folder / "masks").iterdir():
        path.unlink()
    with pytest.raises(InputError) as caught:
        pipeline.run(config(folder))
    (problem,) = caught.value.problems
    assert "fields.image.masks" in problem.where
    assert "column 'mask': 10 of 10 files are not there" in problem.message


def test_paths_without_uri_are_told_what_to_add(folder: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        pipeline.run(config(folder, uri=False))
    assert "if it holds paths or URLs, add: uri: true" in " ".join(map(str, caught.value.problems))


def test_masks_of_volumes_can_lie_in_files_too(tmp_path: Path) -> None:
    rows, folder = [], tmp_path / "data"
    folder.mkdir()
    for n in range(6):
        voxels = np.full((6, 20, 24), 10, np.uint8)
        voxels[2:4, 5 : 10 + n, 4:12] = 200
        np.save(folder / f"v{n}.npy", voxels)
        np.save(folder / f"m{n}.npy", (voxels > 100).astype(np.uint8))
        rows.append({"id": f"r{n}", "scan": f"v{n}.npy", "mask": f"m{n}.npy"})
    pq.write_table(pa.Table.from_pylist(rows), folder / "in.parquet")
    steps = [{"albumentations.CubicSymmetry": {"p": 1}}]
    field = {"type": "volume", "uri": True, "masks": {"column": "mask", "uri": True}, "augment": steps}
    base = config(folder).model_dump(exclude={"fields"}, exclude_none=True)
    result = pipeline.run(JobConfig.model_validate({**base, "fields": {"scan": field}}))
    for sample in samples(result.path).to_pylist():
        scan, mask = (np.load(io.BytesIO(sample[name])) for name in ("scan", "mask"))
        assert ((scan > 100) == (mask == 1)).all()
