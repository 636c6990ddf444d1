"""Steps that look at other records of the input: same bytes however it is run, few changes when a record is added."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.dataset as pads
import pytest
import workdata

from pipeline.cli.program import main

Answer = tuple[int, dict[str, Any]]
STEPS: list[Any] = [
    {"albumentations.HistogramMatching": {"reference": {"records": "same_class", "count": 4}, "p": 1}},
    {
        "albumentations.Mosaic": {
            "reference": {"records": "any", "count": 6},
            "target_size": [64, 64],
            "cell_shape": [48, 48],
            "p": 0.5,
        }
    },
]


def config(data: Path, output: Path, **changes: Any) -> dict[str, Any]:
    fields = {"image": {"type": "image", "augment": STEPS}}
    return workdata.image_config(data, output, fields=fields, limits={"failed": 1}, copies=2, **changes)


def run(home: Path, data: Path, *more: str, **changes: Any) -> Path:
    written = workdata.write_config(home / "c.yaml", config(data, home / "out", **changes))
    assert main(["run", str(written), "--json", *more]) == 0
    return workdata.version_folder(home / "out")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The data and the version made of it with one worker; one picture is damaged."""
    home = tmp_path_factory.mktemp("made")
    rows = workdata.image_rows(60)
    rows[7]["image"] = rows[7]["image"][:200]
    data = workdata.write_parquet(home / "birds" / "in.parquet", rows)
    return data, run(home, data, "--workers", "1")


def train_rows(version: Path) -> dict[str, dict[str, Any]]:
    rows = pads.dataset(sorted(map(str, (version / "train").glob("*.parquet")))).to_table().to_pylist()
    return {row["sample_id"]: row for row in rows}


def looked_at(row: dict[str, Any], name: str) -> list[str]:
    found = [json.loads(t["params"]) for t in row["lineage"]["transforms"] if t["name"] == f"albumentations.{name}"]
    references = [params["reference"] for params in found]
    return [key for entry in references for key in (entry if isinstance(entry, list) else [entry])]


def test_any_number_of_workers_makes_the_same_bytes(made: tuple[Path, Path], tmp_path: Path) -> None:
    data, version = made
    other = run(tmp_path, data, "--workers", "2")
    assert other.name == version.name
    assert workdata.contents(other) == workdata.contents(version)


def test_only_training_records_of_the_class_are_looked_at_and_never_the_record_itself(made: tuple[Path, Path]) -> None:
    rows = train_rows(made[1])
    labels = {row["lineage"]["source_id"]: row["label"] for row in rows.values()}
    copies = [row for row in rows.values() if row["lineage"]["copy"]]
    assert copies
    seen = set()
    for row in copies:
        own = row["lineage"]["source_id"]
        (same,) = looked_at(row, "HistogramMatching")
        assert labels[same] == row["label"]
        others = [same, *looked_at(row, "Mosaic")]
        assert own not in others
        assert "r007" not in others
        assert set(others) <= labels.keys()
        seen.update(others)
    assert len(seen) > 6


def test_samples_are_rendered_again_from_their_sources(
    made: tuple[Path, Path], tmp_path: Path, ask: Callable[..., Answer]
) -> None:
    _, version = made
    code, answer = ask("verify", version, "--samples", 12)
    assert (code, answer["ok"]) == (0, True)
    with_mosaic = next(i for i, row in train_rows(version).items() if looked_at(row, "Mosaic"))
    code, answer = ask("replay", version, with_mosaic)
    assert (code, answer["same"]) == (0, True)


def test_a_reference_that_is_gone_is_told(made: tuple[Path, Path], tmp_path: Path, ask: Callable[..., Answer]) -> None:
    root = workdata.write_folder(tmp_path / "photos", 15, lambda n: workdata.picture(n, kind="PNG"), ".png")
    version = run(tmp_path, root, "--workers", "2", input={"path": str(root)})
    sample, row = next((i, row) for i, row in train_rows(version).items() if row["lineage"]["copy"])
    code, answer = ask("replay", version, sample)
    assert (code, answer["same"]) == (0, True)
    for key in looked_at(row, "HistogramMatching"):
        (root / key).unlink()
    code, answer = ask("replay", version, sample)
    assert code == 1
    assert "no such file" in answer["difference"]


def test_adding_a_record_changes_few_others(tmp_path: Path) -> None:
    rows = workdata.image_rows(80)
    before = train_rows(run(tmp_path / "before", workdata.write_parquet(tmp_path / "b" / "in.parquet", rows[:79])))
    after = train_rows(run(tmp_path / "after", workdata.write_parquet(tmp_path / "a" / "in.parquet", rows)))
    shared = [i for i in before.keys() & after.keys() if before[i]["lineage"]["copy"]]
    changed = [i for i in shared if before[i]["image"] != after[i]["image"]]
    assert len(shared) > 100
    assert len(changed) < len(shared) / 3


def test_a_class_of_one_record_is_left_alone_and_that_is_recorded(tmp_path: Path) -> None:
    rows = workdata.image_rows(12)
    rows[0]["label"] = "lonely"
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", rows)
    version = run(tmp_path, data, split={})
    (copy,) = [row for i, row in train_rows(version).items() if i == "r000/1"]
    first = copy["lineage"]["transforms"][0]
    assert first["name"] == "albumentations.HistogramMatching"
    assert json.loads(first["params"]) == {"not_applied": "no other record to look at", "reference": None}


def test_plan_and_preview(made: tuple[Path, Path], tmp_path: Path, ask: Callable[..., Answer]) -> None:
    written = workdata.write_config(tmp_path / "c.yaml", config(made[0], tmp_path / "out"))
    code, answer = ask("plan", written)
    assert (code, answer["version"]) == (0, made[1].name)
    code, answer = ask("preview", written, "-o", tmp_path / "sheet.png", "--records", 2)
    assert (code, answer["records"]) == (0, 2)


def test_a_run_that_is_resumed_looks_at_the_same_records(made: tuple[Path, Path], tmp_path: Path) -> None:
    data, version = made
    again = run(tmp_path, data)
    (again / "manifest.json").unlink()
    gone = sorted((again / "_receipts").glob("train-*.json"))[:2]
    for receipt in gone:
        receipt.unlink()
    assert run(tmp_path, data) == again
    assert workdata.contents(again) == workdata.contents(version)


def test_what_check_says(tmp_path: Path, ask: Callable[..., Answer]) -> None:
    data = workdata.write_parquet(tmp_path / "in" / "in.parquet", workdata.image_rows(6))
    wrong = config(data, tmp_path / "out", input={"path": str(data), "id": "id"})
    wrong["fields"]["image"]["prepare"] = [{"albumentations.FDA": {"reference": {"records": "any"}, "p": 1}}]
    code, answer = ask("check", workdata.write_config(tmp_path / "c.yaml", wrong))
    messages = [problem["message"] for problem in answer["error"]["problems"]]
    assert code == 2
    assert messages == [
        "reference: records: same_class needs the class of each record.",
        "albumentations.FDA: reference: records: is for augment steps; prepare runs on every split.",
    ]
