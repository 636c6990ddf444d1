"""Classes that are unlike in number come out as asked for, the plan says so beforehand, and nothing else changes."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import workdata

Ask = Callable[..., tuple[int, dict[str, Any]]]
Say = Callable[..., tuple[int, str, str]]


def rows(counts: dict[str, int]) -> list[dict[str, Any]]:
    names = [name for name, count in counts.items() for _ in range(count)]
    return [
        {"id": f"r{n:04d}", "label": name, "site": f"s{n % 2}", "image": workdata.picture(n, 16)}
        for n, name in enumerate(names)
    ]


def config(home: Path, data: Path, copies: Any, **changes: Any) -> Path:
    tree = workdata.image_config(data, home / "out", copies=copies, split={"validation": 0.2}, **changes)
    return workdata.write_config(home / "c.yaml", tree)


def trained(home: Path, column: str = "label") -> Counter[str]:
    version = workdata.version_folder(home / "out")
    return Counter(
        value
        for path in sorted((version / "train").glob("*.parquet"))
        for value in pq.read_table(path, columns=[column]).column(0).to_pylist()
    )


def test_all_classes_reach_the_largest(tmp_path: Path, ask: Ask, say: Say) -> None:
    data = workdata.write_parquet(tmp_path / "data.parquet", rows({"cat": 60, "dog": 20, "emu": 6}))
    job = config(tmp_path, data, {"balance": {"target": "max", "max_copies": 40}})
    code, planned = ask("plan", job)
    assert code == 0
    code, told, _ = say("plan", job)
    assert code == 0
    assert "emu" in told
    code, made = ask("run", job, "--workers", "2")
    assert code == 0
    found = trained(tmp_path)
    assert len(set(found.values())) == 1
    assert planned["splits"]["train"]["samples"] == made["splits"]["train"]["samples"] == sum(found.values())
    measured = made["splits"]["train"]["balance"]
    assert {name: n["samples"] for name, n in measured.items()} == dict(found)
    card = (workdata.version_folder(tmp_path / "out") / "README.md").read_text()
    assert f"| emu | {measured['emu']['records']} | {measured['emu']['samples']} |" in card
    assert {n: c["samples"] for n, c in planned["balance"]["classes"].items()} == dict(found)
    assert ask("verify", tmp_path / "out", "--samples", "40")[0] == 0


def test_records_above_the_target_are_told_not_lost(tmp_path: Path, ask: Ask) -> None:
    data = workdata.write_parquet(tmp_path / "data.parquet", rows({"cat": 60, "dog": 20, "emu": 6}))
    job = config(tmp_path, data, {"balance": {"target": 12, "downsample": True}})
    code, made = ask("run", job, "--workers", "1")
    assert code == 0
    assert set(trained(tmp_path).values()) == {12}
    dropped = workdata.dropped(workdata.version_folder(tmp_path / "out"), "rejected")
    train = made["splits"]["train"]
    assert Counter(d["reason"] for d in dropped) == {"downsampled": made["dropped"]["rejected"]["downsampled"]}
    staying = sum(n["records"] for n in train["balance"].values())
    assert train["records"] == staying + len(dropped)
    assert made["splits"]["validation"]["samples"] == made["splits"]["validation"]["records"]


def test_per_class(tmp_path: Path, ask: Ask) -> None:
    data = workdata.write_parquet(tmp_path / "data.parquet", rows({"cat": 12, "dog": 12, "emu": 12}))
    job = config(tmp_path, data, {"per_class": {"cat": 3, "dog": 0}, "default": 1})
    assert ask("run", job, "--workers", "1")[0] == 0
    version = workdata.version_folder(tmp_path / "out")
    classes = workdata.manifest_of(tmp_path / "out")["splits"]["train"]["classes"]
    for name, copies in (("cat", 3), ("dog", 0), ("emu", 1)):
        assert classes[name]["samples"] == classes[name]["records"] * (1 + copies)
    assert version.is_dir()


def test_several_columns_together(tmp_path: Path, ask: Ask) -> None:
    data = workdata.write_parquet(tmp_path / "data.parquet", rows({"cat": 40, "dog": 14}))
    job = config(tmp_path, data, {"balance": {"target": "max", "per": ["label", "site"], "max_copies": 30}})
    code, made = ask("run", job, "--workers", "1")
    assert code == 0
    assert set(made["splits"]["train"]["balance"]) == {"cat / s0", "cat / s1", "dog / s0", "dog / s1"}
    assert len({n["samples"] for n in made["splits"]["train"]["balance"].values()}) == 1


def test_several_classes_of_one_record(tmp_path: Path, ask: Ask) -> None:
    both = enumerate(rows({"cat": 40, "dog": 14}))
    given = [{**row, "label": [row["label"], *(["wet"] if n % 5 == 0 else [])]} for n, row in both]
    data = workdata.write_parquet(tmp_path / "data.parquet", given)
    code, answer = ask("run", config(tmp_path, data, {"balance": {"target": "max"}}), "--workers", "1")
    assert code == 2
    assert "multi_label" in str(answer["error"])
    job = config(tmp_path, data, {"balance": {"target": 40, "multi_label": True, "max_copies": 30}})
    code, made = ask("run", job, "--workers", "1")
    assert code == 0
    assert {n["samples"] for n in made["splits"]["train"]["balance"].values()} == {40}


@pytest.mark.parametrize(
    ("copies", "told"),
    [
        ({"balance": {"target": 0}}, "target"),
        ({"balance": {"target": "mean"}}, "target"),
        ({"balance": {"min_copies": 5, "max_copies": 4}}, "min_copies 5 is more than max_copies 4"),
        ({"balance": {"per": "lable"}}, "lable"),
        ({"per_class": {"cat": -1}}, "cat"),
        ({"per_class": {}}, "per_class"),
        ({"per_klass": {"cat": 1}}, "per_klass"),
        ({"balance": {"watch": ["sight"]}}, "sight"),
        (True, "number"),
    ],
)
def test_bad_settings_are_told(tmp_path: Path, ask: Ask, copies: Any, told: str) -> None:
    data = workdata.write_parquet(tmp_path / "data.parquet", rows({"cat": 6, "dog": 6}))
    code, answer = ask("check", config(tmp_path, data, copies))
    assert code == 2
    assert told in str(answer["error"])


def test_without_a_label_there_is_nothing_to_balance(tmp_path: Path, ask: Ask) -> None:
    data = workdata.write_parquet(tmp_path / "data.parquet", rows({"cat": 6}))
    job = config(tmp_path, data, {"balance": {"target": "max"}}, input={"path": str(data), "id": "id"})
    code, answer = ask("check", job)
    assert code == 2
    assert "input.label" in str(answer["error"])


def test_the_plan_warns_of_many_copies_of_few_parents_and_of_growing_shares(tmp_path: Path, ask: Ask, say: Say) -> None:
    given = [{**row, "hospital": "north" if row["label"] == "emu" else "south"} for row in rows({"cat": 100, "emu": 4})]
    data = workdata.write_parquet(tmp_path / "data.parquet", given)
    job = config(tmp_path, data, {"balance": {"target": "max", "max_copies": 100, "watch": ["hospital"]}})
    code, planned = ask("plan", job)
    assert code == 0
    told = " ".join(planned["warnings"])
    assert "emu" in told
    assert "hospital" in told
    assert "north" in told
    _, shown, _ = say("plan", job)
    assert "hospital" in shown
