"""Splits that hold: relatives on one side, shares met, known records in place, whatever the number of workers."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import workdata

Ask = Callable[..., tuple[int, dict[str, Any]]]
Say = Callable[..., tuple[int, str, str]]
TOGETHER = {"group": "patient", "near_duplicates": True}


def rows(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Pictures, three of each patient; every tenth stands there once more as a smaller PNG under another patient."""
    found = [
        {"id": f"r{n:03d}", "label": "owl" if n % 4 else "tit", "patient": f"p{n // 3}", "image": workdata.picture(n)}
        for n in range(first, first + count)
    ]
    again = [
        {**row, "id": f"{row['id']}-small", "patient": None, "image": smaller(n)}
        for n, row in enumerate(found, first)
        if n % 10 == 0
    ]
    return found + again


def smaller(number: int) -> bytes:
    return workdata.picture(number, 48, "PNG")


def run(
    home: Path, data: Path, ask: Ask, workers: int = 2, code: int = 0, **changes: Any
) -> tuple[Path, dict[str, Any]]:
    config = workdata.write_config(home / "c.yaml", workdata.image_config(data, home / "out", **changes))
    got, answer = ask("run", config, "--workers", workers)
    assert got == code, answer
    return workdata.version_folder(home / "out"), answer


def placed(version: Path) -> dict[str, str]:
    """Source id -> the folder that it lies in."""
    return {
        lineage["source_id"]: path.parent.name
        for path in sorted(version.glob("*/part-*.parquet"))
        for lineage in pq.read_table(path, columns=["lineage"]).column(0).to_pylist()
    }


@pytest.mark.parametrize("by", ["hash", "stratified"])
def test_relatives_lie_on_one_side_whatever_the_workers_and_the_order(by: str, tmp_path: Path, ask: Ask) -> None:
    split = {"by": by, "validation": 0.3, "test": 0.1, "keep_together": TOGETHER}
    made = rows(60)
    data = workdata.write_parquet(tmp_path / "in.parquet", made, 16)
    version, answer = run(tmp_path / "one", data, ask, 1, split=split)
    found = placed(version)
    assert len(found) == 66
    for n in range(60):
        assert found[f"r{n:03d}"] == found[f"r{n // 3 * 3:03d}"]
        assert found.get(f"r{n:03d}-small", found[f"r{n:03d}"]) == found[f"r{n:03d}"]
    assert set(found.values()) == {"train", "validation", "test"}
    again, _ = run(tmp_path / "two", data, ask, 2, split=split)
    assert workdata.contents(again) == workdata.contents(version)
    random.Random(5).shuffle(made)
    shuffled = workdata.write_parquet(tmp_path / "shuffled.parquet", made, 9)
    assert placed(run(tmp_path / "three", shuffled, ask, 2, split=split)[0]) == found
    assert ask("verify", tmp_path / "one/out", "--samples", 20)[0] == 0
    assert answer["splits"]["train"]["records"] == list(found.values()).count("train")


def test_every_week_more_data_and_no_record_moves(tmp_path: Path, ask: Ask, say: Say) -> None:
    split = {"by": "stratified", "validation": 0.3, "keep_together": TOGETHER}
    folder = tmp_path / "in"
    known: dict[str, str] = {}
    for week in range(3):
        workdata.write_parquet(folder / f"{week}.parquet", rows(30, 30 * week), 16)
        version, answer = run(tmp_path, folder, ask, split=split)
        found = placed(version)
        assert {key: found[key] for key in known} == known
        assert not answer["already_there"]
        held = list(found.values()).count("validation")
        assert abs(held - 0.3 * len(found)) < 4
        known = found
        assert run(tmp_path, folder, ask, split=split)[1]["already_there"]
    assert ask("verify", tmp_path / "out", "--samples", 10)[0] == 0
    patients = {split: next(k for k, v in known.items() if v == split and len(k) == 4) for split in set(known.values())}
    bridge = {
        "id": "bridge",
        "label": "owl",
        "patient": f"p{int(patients['train'][1:]) // 3}",
        "image": workdata.picture(int(patients["validation"][1:])),
    }
    workdata.write_parquet(folder / "3.parquet", [bridge], 16)
    version, answer = run(tmp_path, folder, ask, split=split, limits={"failed": 0.1})
    assert answer["dropped"]["failed"] == {"bridges_splits": 1}
    assert any("relatives in several splits" in warning for warning in answer["warnings"])
    assert placed(version) == known
    code, shown, _ = say("plan", tmp_path / "c.yaml")
    assert code == 0
    assert "bridges_splits" in shown


def test_a_run_that_is_killed_ends_with_the_same_bytes(tmp_path: Path, ask: Ask) -> None:
    split = {"by": {"kfold": {"k": 3, "fold": 1, "stratified": True}}, "keep_together": TOGETHER}
    data = workdata.write_parquet(tmp_path / "in.parquet", rows(60), 16)
    whole, _ = run(tmp_path / "whole", data, ask, split=split)
    home = tmp_path / "hurt"
    config = workdata.write_config(home / "c.yaml", workdata.image_config(data, home / "out", split=split))
    process = workdata.start("run", config, "--workers", "2")
    workdata.until(lambda: list((home / "out").glob("*/_receipts/*.json")), 60)
    for member in workdata.family(process.pid):
        member.kill()
    process.communicate()
    version, answer = run(home, data, ask, split=split)
    assert not answer["already_there"]
    assert workdata.contents(version) == workdata.contents(whole)


def test_what_is_wrong_with_a_split_is_told_before_anything_is_written(tmp_path: Path, ask: Ask) -> None:
    data = workdata.write_parquet(tmp_path / "in.parquet", rows(10), 16)
    for split, told in (
        ({"by": "time", "validation": 0.1, "column": "taken"}, "no column 'taken'"),
        ({"by": {"kfold": {"k": 40, "fold": 0}}}, "40 folds, and only"),
        ({"by": "stratified", "validation": 0.1, "keep_together": {"group": "site"}}, "no column 'site'"),
        ({"validation": 0.1, "keep_together": {"near_duplicates": {"picture": {}}}}, "no field 'picture'"),
        ({"by": "random"}, "'hash', 'stratified', 'column' or 'time'"),
    ):
        config = workdata.write_config(tmp_path / "c.yaml", workdata.image_config(data, tmp_path / "out", split=split))
        code, answer = ask("run", config)
        assert code == 2
        assert told in str(answer["error"])
    assert not (tmp_path / "out").exists()


WAYS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "shares of a hash": ({"validation": 0.3, "test": 0.2}, {"validation": 0.1, "test": 0.05}),
    "shares with a ledger": (
        {"validation": 0.3, "test": 0.2, "keep_together": {"exact": True}},
        {"validation": 0.1, "test": 0.05, "keep_together": {"exact": True}},
    ),
    "from a hash to classes": ({"validation": 0.3, "test": 0.2}, {"by": "stratified", "validation": 0.2}),
    "from classes to a hash": ({"by": "stratified", "sticky": False, "validation": 0.4}, {"validation": 0.3}),
    "another seed": ({"validation": 0.3, "test": 0.2}, {"validation": 0.3, "test": 0.2, "seed": 5}),
}


@pytest.mark.parametrize("way", WAYS)
def test_held_out_records_that_would_be_trained_on_are_said_before_anything_is_written(
    way: str, tmp_path: Path, ask: Ask
) -> None:
    rows = [{"id": f"r{n:03d}", "label": "ab"[n % 2], "text": workdata.sentence(n)} for n in range(60)]
    data = workdata.write_parquet(tmp_path / "in.parquet", rows[:50])
    one, other = ({"keep_together": {"exact": False}, **split} for split in WAYS[way])
    tree = workdata.image_config(
        data, tmp_path / "out", copies=1, split=one, fields={"text": {"type": "text", "augment": workdata.TEXT_STEPS}}
    )
    first = workdata.write_config(tmp_path / "one.yaml", tree | {"certificate": "facts"})
    code, made = ask("run", first, "--workers", "1")
    assert (code, [w for w in made["warnings"] if "would be trained on" in w]) == (0, [])
    before = placed(Path(made["path"]))
    workdata.write_parquet(data, rows)  # ten records more
    second = workdata.write_config(tmp_path / "two.yaml", tree | {"certificate": "facts", "split": other})
    files = sorted(str(path) for path in (tmp_path / "out").rglob("*"))
    code, planned = ask("plan", second)
    assert (code, sorted(str(path) for path in (tmp_path / "out").rglob("*"))) == (0, files)
    code, again = ask("run", second, "--workers", "1")
    assert code == 0
    after = placed(Path(again["path"]))
    moved = Counter(before[key] for key in before if before[key] != "train" and after[key] == "train")
    told = " and ".join(f"{moved[split]} of {split}" for split in ("validation", "test") if moved[split])
    assert told
    (note,) = [line for line in planned["warnings"] if "would be trained on" in line]
    assert note.startswith(f"{told} in version {made['version']} would be trained on now")
    assert note in again["warnings"]
    assert ask("run", second, "--workers", "1")[1]["warnings"] == []


@pytest.mark.parametrize("exact", [True, False])
def test_a_path_in_front_of_the_others_is_told_with_what_moves(exact: bool, tmp_path: Path, ask: Ask) -> None:
    old = workdata.write_folder(tmp_path / "old", 40)
    new = workdata.write_folder(tmp_path / "new", 6, lambda n: workdata.picture(100 + n))
    split = {"validation": 0.3, "test": 0.2, "keep_together": {"exact": exact}}
    given = {"path": [str(old)], "label": "label"}
    tree = workdata.image_config("", tmp_path / "out", copies=1, split=split, input=given, certificate="facts")
    code, made = ask("run", workdata.write_config(tmp_path / "one.yaml", tree), "--workers", "1")
    assert code == 0
    before = placed(Path(made["path"]))
    behind = workdata.write_config(tmp_path / "two.yaml", tree | {"input": {**given, "path": [str(old), str(new)]}})
    assert not [line for line in ask("plan", behind)[1]["warnings"] if made["version"] in line]
    front = workdata.write_config(tmp_path / "three.yaml", tree | {"input": {**given, "path": [str(new), str(old)]}})
    told = [line for line in ask("plan", front)[1]["warnings"] if made["version"] in line]
    assert told[0].startswith(f"40 of 40 files of version {made['version']} are called otherwise now (")
    assert "put new ones behind it" in told[0]
    code, again = ask("run", front, "--workers", "1")
    assert (code, [line for line in again["warnings"] if made["version"] in line]) == (0, told)
    after = placed(Path(again["path"]))
    moved = Counter(before[key] for key in before if before[key] != "train" and after[f"old/{key}"] == "train")
    counts = " and ".join(f"{moved[name]} of {name}" for name in ("validation", "test") if moved[name])
    assert bool(counts) is not exact  # contents of local files are known
    assert told[1:] == [] if exact else told[1].startswith(f"{counts} in version {made['version']} would be trained on")
