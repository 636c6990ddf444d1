"""Data that is corrected between two runs: nothing of the old state is taken for the new one."""

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_inputs import config_of, jpeg, planned, put, ran, words

from pipeline.config.schema import JobConfig
from pipeline.dataset.commit import finished
from pipeline.planning.job import Task
from pipeline.rendering.stages import render

LABELS = ["owl", "tit", "wren", "jay", "rook"]


def written(path: Path, labels: list[str]) -> Path:
    """Texts with these labels; footer and size do not tell which label stands where."""
    count = len(labels)
    columns = {"id": [f"r{n:04d}" for n in range(count)], "label": labels, "text": [words(n) for n in range(count)]}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, compression="none", use_dictionary=False, row_group_size=500)
    return path


def swapped(labels: list[str]) -> list[str]:
    """The first and the third change places: the same bytes in another order."""
    return [labels[2], labels[1], labels[0], *labels[3:]]


@pytest.fixture
def labels() -> list[str]:
    return ["owl", "tit", "jay", *("wren" for _ in range(60))]


@pytest.mark.parametrize("told", ["tag", "content"])
def test_two_labels_that_change_places_make_another_version(tmp_path: Path, labels: list[str], told: str) -> None:
    path = written(tmp_path / "in" / "a.parquet", labels)
    os.utime(path, (1, 1))
    config = config_of(path, tmp_path / "out", split={}, copies=0, input__fingerprint=told)
    before = ran(config)
    size = path.stat().st_size
    written(path, swapped(labels))
    assert path.stat().st_size == size
    after = ran(config)
    assert after.job.version != before.job.version
    assert after.table().column("label").to_pylist() == swapped(labels)


def small_shards(path: Path, output: Path) -> JobConfig:
    return config_of(path, output, split={}, copies=3, output__shard_size=4096)


def test_a_run_that_was_interrupted_goes_on_with_nothing_of_the_data_before(tmp_path: Path, labels: list[str]) -> None:
    path = written(tmp_path / "in" / "a.parquet", labels)
    os.utime(path, (1, 1))
    config = small_shards(path, tmp_path / "out")
    job, _, plan = planned(config)
    assert len(plan.shards) > 3
    for shard in (plan.shards[0], plan.shards[1]):
        render(job, Task(shard))
    written(path, swapped(labels))
    again = planned(config)[0]
    assert len(finished(job.dataset)) == 2
    assert not finished(again.dataset)
    rows = ran(config).table().select(["id", "label"]).to_pylist()
    assert {row["id"]: row["label"] for row in rows} == {f"r{n:04d}": v for n, v in enumerate(swapped(labels))}


@pytest.mark.parametrize("layout", ["pictures", "table", "table of files"])
def test_a_folder_that_is_copied_makes_the_same_version_where_content_is_the_tag(tmp_path: Path, layout: str) -> None:
    changes: dict[str, Any] = {"input__fingerprint": "content", "copies": 0}
    if layout == "table":
        changes |= {"fields": {"text": {"type": "text"}}}
    else:
        changes |= {"fields": {"image": {"type": "image", "uri": layout != "pictures"}}}
    if layout == "pictures":
        changes |= {"input__id": ..., "input__label": ...}
    versions = []
    for home in (tmp_path / "one", tmp_path / "other" / "place"):
        for n in range(4):
            put(home / "p" / f"{n}.jpg", jpeg(n))
            os.utime(home / "p" / f"{n}.jpg", (n, len(versions)))
        if layout == "table":
            written(home / "a.parquet", LABELS)
        if layout == "table of files":
            put(home / "a.csv", "id,label,image\n" + "".join(f"{n},x,p/{n}.jpg\n" for n in range(4)))
        where = home if layout == "pictures" else next(home.glob("a.*"))
        versions.append(planned(config_of(where, tmp_path / "out", **changes))[0].version)
    assert versions[0] == versions[1]
    changed = tmp_path / "one" / ("a.parquet" if layout == "table" else "p/2.jpg")
    data = bytearray(changed.read_bytes())
    data[len(data) // 2 if layout != "table" else data.index(b"owl")] ^= 1
    changed.write_bytes(data)
    where = tmp_path / "one"
    assert (
        planned(config_of(where if layout == "pictures" else next(where.glob("a.*")), tmp_path / "out", **changes))[
            0
        ].version
        not in versions
    )
