"""kill -9 of a run at any moment, then the same command: same bytes, finished shards are not rendered again."""

import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import workdata
from conftest import Slow, Trouble, receipts, run

from pipeline.cli.program import main

Hurt = "subprocess.Popen[str]"


def kill(process: Any, how: str) -> list[psutil.Process]:
    """Kill a run, alone or with all that it started; those that it had started."""
    family = workdata.family(process.pid)
    if how == "group":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        os.kill(process.pid, getattr(signal, how))
    process.communicate(timeout=30)
    return family


def all_gone(family: list[psutil.Process]) -> None:
    workdata.until(lambda: not workdata.alive(family), timeout=10)


def finishes(slow: Slow, home: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = receipts(home / "out")
    capsys.readouterr()
    assert run(config) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["already_there"] or answer["resumed_shards"] == done
    slow.is_whole(home / "out")
    assert run(config) == 0
    assert json.loads(capsys.readouterr().out)["already_there"]


MOMENTS = [
    pytest.param(k, how, marks=() if (k, how) in [(1, "SIGKILL"), (5, "group")] else pytest.mark.slow)
    for k in (0, 1, 5, 9)
    for how in ("group", "SIGKILL")
]


@pytest.mark.parametrize(("k", "how"), MOMENTS)
def test_killed_after_some_shards(
    k: int, how: str, slow: Slow, trouble: Trouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = slow.config(tmp_path)
    process = slow.start(config)
    workdata.until(lambda: list(tmp_path.glob("out/*/_plan.json")) and receipts(tmp_path / "out") >= k)
    family = kill(process, how)
    assert len(family) >= 4  # the run, the process that workers are forked from, two workers
    assert receipts(tmp_path / "out") < slow.shards
    assert not list((tmp_path / "out").rglob("manifest.json"))
    all_gone(family)
    finishes(slow, tmp_path, config, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["group", "SIGKILL"])
def test_killed_again_and_again_at_random_moments(
    how: str, slow: Slow, trouble: Trouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(11)
    config = slow.config(tmp_path)
    for _ in range(8):
        process = slow.start(config)
        try:
            process.wait(draw.uniform(0.1, 3.5))
        except subprocess.TimeoutExpired:
            all_gone(kill(process, how))
        else:
            assert process.communicate()[0]
    finishes(slow, tmp_path, config, capsys)


def test_a_hanging_worker_does_not_outlive_its_run(trouble: Trouble, tmp_path: Path) -> None:
    rows = [{"id": f"r{n}", "label": "x", "text": "HANG" if n == 39 else "calm"} for n in range(40)]
    config = trouble.config(tmp_path, rows, split={}, record_timeout=600)
    process = workdata.start("run", config, "--workers", "1", PYTHONPATH=trouble.path)

    workdata.until(lambda: list(tmp_path.glob("out/*/_plan.json")))  # the probe has survived
    workdata.until(lambda: len(workdata.family(process.pid)) >= 3)
    all_gone(kill(process, "SIGKILL"))


def test_finished_shards_that_were_damaged_are_made_again(
    slow: Slow, trouble: Trouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody removed or cut files of an unfinished version: what has no whole file is not finished."""
    config = slow.config(tmp_path)
    assert run(config) == 0
    version = workdata.version_folder(tmp_path / "out")
    for name in ("manifest.json", "../LATEST", "train/part-00001.parquet"):
        (version / name).unlink()
    (version / "train" / "part-00002.parquet").write_bytes(b"PAR1")
    (version / "_receipts" / "train-00003.json").write_text("{")
    (version / "_receipts" / "train-00004.json").write_text("{}")
    capsys.readouterr()
    assert run(config) == 0
    assert json.loads(capsys.readouterr().out)["resumed_shards"] == slow.shards - 4
    slow.is_whole(tmp_path / "out")


def test_a_committed_version_that_lost_files_is_not_called_complete(
    slow: Slow, trouble: Trouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = slow.config(tmp_path)
    assert run(config) == 0
    version = workdata.version_folder(tmp_path / "out")
    (version / "train" / "part-00001.parquet").unlink()
    (version / "train" / "part-00002.parquet").write_bytes(b"PAR1")
    capsys.readouterr()
    assert run(config) == 4
    told = json.loads(capsys.readouterr().out)["error"]
    assert "train/part-00001.parquet, train/part-00002.parquet" in told["message"]
    assert "manifest.json" in told["hint"]
    (version / "manifest.json").unlink()
    assert run(config) == 0
    assert json.loads(capsys.readouterr().out)["resumed_shards"] == slow.shards - 2
    slow.is_whole(tmp_path / "out")


def test_work_of_a_killed_submission_is_removed_by_the_next_run(
    slow: Slow, trouble: Trouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = slow.config(tmp_path)
    process = slow.start(config)
    workdata.until(lambda: receipts(tmp_path / "out") >= 1)
    all_gone(kill(process, "group"))
    (version,) = workdata.versions(tmp_path / "out")
    assert list((version / "_runs" / "work").iterdir())
    finishes(slow, tmp_path, config, capsys)
    assert not list((version / "_runs" / "work").iterdir())


def test_what_killed_surveys_left_goes_with_the_next_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the version itself, of committed ones and of long ago; one that may still go on is named by verify."""
    data = workdata.write_parquet(tmp_path / "in.parquet", workdata.image_rows(8))
    config = workdata.write_config(tmp_path / "c.yaml", workdata.image_config(data, tmp_path / "out", copies=1))
    assert main(["plan", str(config), "--json"]) == 0
    own = json.loads(capsys.readouterr().out)["version"]
    now, work = time.time_ns(), tmp_path / "out" / "_splits" / "work"
    work.mkdir(parents=True)
    stays = f"fanbeam-{'0' * 16}-{now:x}-pieces-00000.json"
    for name in (
        stays,
        f"fanbeam-{own}-{now:x}-pieces-00000.json",
        f"fanbeam-{'1' * 16}-{now - 10**16:x}-near-a.arrow",
    ):
        (work / name).write_text("[]")
    assert main(["run", str(config), "--json", "--workers", "1"]) == 0
    assert [path.name for path in work.iterdir()] == [stays]
    capsys.readouterr()
    assert main(["verify", str(tmp_path / "out"), "--json"]) == 0
    (note,) = [n for n in json.loads(capsys.readouterr().out)["notes"] if "surveys" in n]
    assert note.startswith("1 files of surveys beside this version")
    assert f"_splits/work/{stays}" in note
    (work / stays).rename(work / stays.replace("0" * 16, own))
    assert main(["run", str(config), "--json"]) == 0
    assert list(work.iterdir()) == []
