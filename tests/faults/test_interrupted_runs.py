"""Ctrl-C: exit 130, one line, no process left; the same command goes on."""

import json
import os
import signal
from pathlib import Path

import material
import pytest
from conftest import Slow, Trouble, receipts, run


@pytest.mark.parametrize("to", ["group", pytest.param("run", marks=pytest.mark.slow)])
@pytest.mark.parametrize("k", [3, pytest.param(0, marks=pytest.mark.slow), pytest.param(8, marks=pytest.mark.slow)])
def test_ctrl_c(
    k: int, to: str, slow: Slow, trouble: Trouble, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = slow.config(tmp_path)
    process = slow.start(config)
    material.until(lambda: (tmp_path / "out").exists() and receipts(tmp_path / "out") >= k)
    family = material.family(process.pid)
    (os.killpg if to == "group" else os.kill)(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in err.splitlines()[-1]
    assert "Traceback" not in err
    material.until(lambda: not material.alive(family), timeout=10)
    assert material.leftovers(tmp_path / "out") == []
    assert run(config) == 0
    slow.is_whole(tmp_path / "out")


@pytest.mark.slow
def test_ctrl_c_as_json(slow: Slow, trouble: Trouble, tmp_path: Path) -> None:
    process = slow.start(slow.config(tmp_path), "--json")
    material.until(lambda: receipts(tmp_path / "out") >= 1)
    os.killpg(process.pid, signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(out)["error"]["kind"] == "interrupted"


@pytest.mark.slow
def test_ctrl_c_while_it_starts(slow: Slow, trouble: Trouble, tmp_path: Path) -> None:
    """Before anything is written: no traceback, whatever was being imported."""
    for wanted in (2, 3, 4):  # processes: the run, the one that workers are forked from, workers
        process = slow.start(slow.config(tmp_path))
        material.until(lambda p=process, n=wanted: len(material.family(p.pid)) >= n)  # type: ignore[misc]
        family = material.family(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130, err
        assert "Traceback" not in err
        material.until(lambda f=family: not material.alive(f), timeout=10)  # type: ignore[misc]
