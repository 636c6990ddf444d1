"""Work is processor time and waiting; standing in line for a processor is neither."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pipeline.processes import work_clock
from pipeline.processes.work_clock import WorkClock

DRIPPING = "import time\nwhile True: time.sleep(0.01); sum(range(20_000))"
BUSY = "while True: pass"
ASLEEP = "import time; time.sleep(60)"


@contextmanager
def process(code: str) -> Iterator[Any]:
    """A process that runs some code after it has said so."""
    started = subprocess.Popen(
        [sys.executable, "-c", f"print(1, flush=True)\n{code}"], stdout=subprocess.PIPE, text=True
    )
    assert started.stdout is not None
    started.stdout.readline()
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def watched(clock: WorkClock, seconds: float) -> tuple[float, float]:
    """Work and wall time, looked at as often as a pool does."""
    began = time.monotonic()
    clock.seconds(1.0)
    while time.monotonic() - began < seconds:
        time.sleep(0.02)
        clock.seconds(1.0)
    return clock.seconds(1.0), time.monotonic() - began


def test_sleep_counts() -> None:
    with process(ASLEEP) as started:
        worked, wall = watched(WorkClock(started.pid), 0.5)
    assert 0.6 * wall < worked <= wall + 0.05


def test_many_short_waits_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a server that sends a byte now and then: some processor time between any two looks."""
    monkeypatch.setattr(work_clock, "_is_runnable", lambda _: False)  # on a busy machine it often stands in line
    monkeypatch.setattr(work_clock, "_standing_seconds", lambda _: 0.0)
    with process(DRIPPING) as started:
        worked, wall = watched(WorkClock(started.pid), 0.6)
    assert 0.6 * wall < worked <= wall + 0.05


def test_what_was_spent_in_line_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_clock, "_is_runnable", lambda _: False)
    monkeypatch.setattr(work_clock, "_standing_seconds", lambda _: time.monotonic() / 2)
    with process(ASLEEP) as started:
        worked, wall = watched(WorkClock(started.pid), 0.6)
    assert worked == pytest.approx(wall / 2, rel=0.2)


def test_processor_time_counts() -> None:
    with process(BUSY) as started:
        clock = WorkClock(started.pid)
        clock.seconds(1.0)
        while clock.seconds(1.0) < 0.2:
            time.sleep(0.02)
        worked = clock.seconds(1.0)
        assert clock.seconds(2.0) == pytest.approx(0.0, abs=0.05)  # another piece of work
    assert worked >= 0.2


def test_standing_in_line_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that could run and gets no processor, as the system tells it."""
    with process(BUSY) as started:
        os.kill(started.pid, signal.SIGSTOP)  # it uses none from now on
        monkeypatch.setattr(work_clock, "_is_runnable", lambda _: True)
        worked, wall = watched(WorkClock(started.pid), 0.4)
    assert worked < 0.1 < wall


def test_the_wall_clock_counts_where_the_system_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work_clock, "_processor_seconds", lambda _: None)
    assert WorkClock(1).seconds(time.monotonic() - 3) == pytest.approx(3, abs=0.5)
