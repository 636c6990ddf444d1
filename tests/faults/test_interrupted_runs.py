"""Ctrl-C, and what schedulers and closing terminals send: exit 130, one line, no process; the same command goes on."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import workdata
from conftest import Slow, Trouble, receipts, run

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def send(process: Any, name: str, to: str = "group") -> None:
    """To the run alone, or to all that it started as well."""
    (os.killpg if to == "group" else os.kill)(process.pid, getattr(signal, name))


def cases() -> list[Any]:
    quick = {(3, "SIGINT", "group"), (3, "SIGTERM", "group"), (3, "SIGTERM", "run")}
    every = [(k, "SIGINT", to) for k in (0, 3, 8) for to in ("group", "run")]
    every += [(3, name, to) for name in SIGNALS[1:] for to in ("group", "run")]
    return [pytest.param(*case, marks=() if case in quick else pytest.mark.slow) for case in every]


@pytest.mark.parametrize(("k", "name", "to"), cases())
def test_interrupted(k: int, name: str, to: str, slow: Slow, trouble: Trouble, tmp_path: Path) -> None:
    config = slow.config(tmp_path)
    process = slow.start(config)
    workdata.until(lambda: (tmp_path / "out").exists() and receipts(tmp_path / "out") >= k)
    family = workdata.family(process.pid)
    send(process, name, to)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "interrupted" in err.splitlines()[-1]
    assert (name in err.splitlines()[-1]) == (name != "SIGINT")
    assert "Traceback" not in err
    workdata.until(lambda: not workdata.alive(family), timeout=10)
    assert workdata.leftovers(tmp_path / "out") == []
    assert run(config) == 0
    slow.is_whole(tmp_path / "out")


@pytest.mark.parametrize("name", ["SIGTERM", *(pytest.param(n, marks=pytest.mark.slow) for n in ("SIGINT", "SIGHUP"))])
def test_as_json(name: str, slow: Slow, trouble: Trouble, tmp_path: Path) -> None:
    """One object says where to go on; repeated signals do not disturb it."""
    config = slow.config(tmp_path)
    process = slow.start(config, "--json")
    workdata.until(lambda: receipts(tmp_path / "out") >= 1)
    send(process, name)
    if name != "SIGINT":
        send(process, "SIGTERM")
        send(process, "SIGHUP")
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert len(out.splitlines()) == 1
    answer = json.loads(out)
    assert (answer["exit_code"], answer["error"]["kind"]) == (130, "interrupted")
    assert "same command" in answer["error"]["hint"]
    assert (tmp_path / "out" / answer["version"]) == Path(answer["path"])
    assert Path(answer["path"]).is_dir()
    assert (answer["attempts"], answer["resumed_shards"], answer["warnings"]) == (1, 0, [])
    assert "Traceback" not in err


@pytest.mark.slow
@pytest.mark.parametrize("name", SIGNALS)
def test_while_it_starts(name: str, slow: Slow, trouble: Trouble, tmp_path: Path) -> None:
    """Before anything is written: no traceback, whatever was being imported."""
    for wanted in (2, 3, 4):  # processes: the run, the one that workers are forked from, workers
        process = slow.start(slow.config(tmp_path))
        workdata.until(lambda p=process, n=wanted: len(workdata.family(p.pid)) >= n)  # type: ignore[misc]
        family = workdata.family(process.pid)
        send(process, name)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130, err
        assert "Traceback" not in err
        workdata.until(lambda f=family: not workdata.alive(f), timeout=10)  # type: ignore[misc]
