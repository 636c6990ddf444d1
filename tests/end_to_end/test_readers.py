"""The output opens with what people train with."""

from pathlib import Path
from typing import Any

import duckdb
import pandas
import pyarrow.dataset as pads
import pyarrow.parquet as pq
import pytest
import workdata

import pipeline
from pipeline.cli.program import main

Birds = tuple[Path, Path]


@pytest.fixture
def version(birds: Birds) -> Path:
    return workdata.version_folder(birds[1])


def counts(version: Path) -> dict[str, int]:
    splits: dict[str, Any] = workdata.manifest_of(version.parent)["splits"]
    return {split: totals["samples"] for split, totals in splits.items()}


def test_pyarrow(version: Path) -> None:
    for split, rows in counts(version).items():
        assert pads.dataset(version / split).count_rows() == rows
        assert pq.read_table(version / split).num_rows == rows


def test_pandas(version: Path) -> None:
    for split, rows in counts(version).items():
        frame = pandas.read_parquet(version / split)
        assert len(frame) == rows
        assert frame["image"][0].startswith(b"\xff\xd8")
        assert set(frame["label"]) <= set(workdata.LABELS)


def test_duckdb(version: Path) -> None:
    connection = duckdb.connect()
    for split, rows in counts(version).items():
        query = f"select count(*), count(distinct sample_id), min(lineage.split) from '{version}/{split}/*.parquet'"
        assert connection.execute(query).fetchone() == (rows, rows, split)
    connection.close()


def test_open_dataset(birds: Birds, version: Path) -> None:
    opened = pipeline.open_dataset(str(birds[1]))
    assert opened.path == str(version)
    assert {s: d.count_rows() for s, d in opened.splits.items()} == counts(version)
    sample_id = sorted(workdata.samples(version))[1]
    assert opened.sample(sample_id)["lineage"]["copy"] == int(sample_id.split("/")[-1])


@pytest.mark.slow
def test_hugging_face_datasets(version: Path, tmp_path: Path) -> None:
    import datasets

    loaded = datasets.load_dataset("parquet", data_dir=str(version), cache_dir=str(tmp_path))
    assert {str(s): d.num_rows for s, d in loaded.items()} == counts(version)
    assert loaded["train"][0]["lineage"]["split"] == "train"


@pytest.mark.slow
def test_hugging_face_images_stay_images(tmp_path: Path) -> None:
    import datasets

    rows = workdata.image_rows(20)
    features = datasets.Features(
        {
            "id": datasets.Value("string"),
            "label": datasets.ClassLabel(names=list(workdata.LABELS)),
            "image": datasets.Image(),
        }
    )
    made = datasets.Dataset.from_dict(
        {
            "id": [r["id"] for r in rows],
            "label": [workdata.LABELS.index(r["label"]) for r in rows],
            "image": [{"bytes": r["image"], "path": None} for r in rows],
        },
        features=features,
    )
    made.to_parquet(str(tmp_path / "in.parquet"))
    tree = workdata.image_config(tmp_path / "in.parquet", tmp_path / "out")
    assert main(["run", str(workdata.write_config(tmp_path / "c.yaml", tree)), "--json", "--workers", "1"]) == 0
    version = workdata.version_folder(tmp_path / "out")
    loaded = datasets.load_dataset("parquet", data_dir=str(version), cache_dir=str(tmp_path / "cache"))
    assert set(map(str, loaded)) == {"train", "validation", "test"}
    first = loaded["train"][1]
    assert first["image"].size == (64, 64)
    assert loaded["train"].features["label"].names == list(workdata.LABELS)
    assert first["sample_id"].split("/")[0] == first["id"]
