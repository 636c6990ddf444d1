"""kill -9 of workers while a run goes on: same bytes, nobody is quarantined."""

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
import workdata
from conftest import Slow, Trouble, receipts


def fork_server(run: int) -> psutil.Process | None:
    """The process that workers are forked from."""
    with suppress(psutil.NoSuchProcess):
        return next((p for p in psutil.Process(run).children() if "forkserver" in " ".join(p.cmdline())), None)
    return None


def workers(run: int) -> list[psutil.Process]:
    server = fork_server(run)
    with suppress(psutil.NoSuchProcess):
        return workdata.alive(server.children()) if server else []
    return []


def hurt(process: Any, condition: Callable[[], bool], all_of_them: bool) -> None:
    """Kill one worker or all of them as soon as a condition holds."""
    if not workdata.until(lambda: process.poll() is not None or (condition() and workers(process.pid))):
        return
    for victim in workers(process.pid)[: None if all_of_them else 1]:
        with suppress(ProcessLookupError):
            os.kill(victim.pid, signal.SIGKILL)


def ends_well(slow: Slow, process: Any, output: Path) -> None:
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, out + err
    assert workdata.dropped(workdata.version_folder(output)) == []
    slow.is_whole(output)


@pytest.mark.parametrize("all_of_them", [pytest.param(False, marks=pytest.mark.slow), True])
def test_workers_killed_as_shards_come_in(slow: Slow, trouble: Trouble, tmp_path: Path, all_of_them: bool) -> None:
    process = slow.start(slow.config(tmp_path))
    for k in (0, 2, 4, 7):
        hurt(process, lambda k=k: receipts(tmp_path / "out") >= k, all_of_them)  # type: ignore[misc]
    ends_well(slow, process, tmp_path / "out")


@pytest.mark.slow
def test_workers_killed_as_soon_as_they_are_there(slow: Slow, trouble: Trouble, tmp_path: Path) -> None:
    """In the check of the recipes, in the survey, in the probe."""
    process = slow.start(slow.config(tmp_path))
    seen: set[int] = set()
    for _ in range(4):
        hurt(process, lambda old=seen: bool({p.pid for p in workers(process.pid)} - old), True)  # type: ignore[misc]
        seen = seen | {p.pid for p in workers(process.pid)}
    ends_well(slow, process, tmp_path / "out")


@pytest.mark.slow
def test_the_process_that_workers_are_forked_from_is_killed(slow: Slow, trouble: Trouble, tmp_path: Path) -> None:
    process = slow.start(slow.config(tmp_path))
    workdata.until(lambda: receipts(tmp_path / "out") >= 2)
    server = fork_server(process.pid)
    assert server is not None
    server.kill()
    ends_well(slow, process, tmp_path / "out")
