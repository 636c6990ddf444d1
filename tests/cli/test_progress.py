import itertools
from collections.abc import Callable

import pytest

from pipeline.cli import progress
from pipeline.cli.progress import Bar, Lines


def counting(*numbers: int) -> Callable[[], int]:
    """Counts that go on, and stay at the last one."""
    return itertools.chain(numbers, itertools.repeat(numbers[-1])).__next__


def test_what_comes_after_the_last_sample_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "_LINE_SECONDS", 0.01)
    lines: list[str] = []
    shown = Lines(lines.append)
    for resumed in (0, 2):
        lines.clear()
        shown.begin(10, resumed, counting(4, 10))
        while lines[-1] != "looking for leaks in what was written":
            pass
        shown.end()
        assert lines[0] == "rendering 10 samples" + " (2 shards are there already)" * (resumed > 0)
        assert lines[1].startswith("4 of 10 samples, ") and lines[1].endswith(" s left")
        assert lines[2].startswith("10 of 10 samples, ") and "left" not in lines[2]
        assert len(lines) == 4


def test_the_bar_says_it_too() -> None:
    bar = Bar()
    bar.begin(10, 0, counting(4, 10))
    while bar._bar.tasks[0].description == "rendering":
        pass
    bar.end()
    assert (bar._bar.tasks[0].completed, bar._bar.tasks[0].description) == (10, "looking for leaks in what was written")
