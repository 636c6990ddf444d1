import os
import signal
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from pipeline.processes import signals
from pipeline.processes.signals import deferred, heard

MINE = (signal.SIGTERM, signal.SIGHUP)


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    before = [signal.getsignal(number) for number in MINE]
    for number in MINE:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number, handler in zip(MINE, before, strict=True):
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", MINE)
def test_like_ctrl_c(number: int) -> None:
    with pytest.raises(KeyboardInterrupt), heard() as came:
        send(number)
    assert came == [signal.Signals(number).name]
    assert [signal.getsignal(n) for n in MINE] == [signal.SIG_DFL] * 2


def test_repeated_while_it_cleans_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with heard() as came:
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGTERM)
        send(signal.SIGTERM)
        send(signal.SIGHUP)
        monkeypatch.setattr(signals, "_CLEANING_SECONDS", 0.0)
        with pytest.raises(KeyboardInterrupt):
            send(signal.SIGTERM)
    assert came == ["SIGTERM", "SIGTERM", "SIGHUP", "SIGTERM"]


def test_what_is_ignored_or_another_s_stays_so() -> None:
    heard_by: list[int] = []
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, frame: heard_by.append(number))
    with heard() as came:
        send(signal.SIGHUP)
        send(signal.SIGTERM)
    assert (came, heard_by) == ([], [signal.SIGTERM])


def test_another_thread_changes_nothing() -> None:
    found: list[object] = []

    def look() -> None:
        with heard():
            found.extend(signal.getsignal(number) for number in MINE)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.SIG_DFL] * 2


@pytest.mark.parametrize("number", [signal.SIGINT, *MINE])
def test_deferred_until_the_block_is_over(number: int) -> None:
    reached = False
    with suppress(KeyboardInterrupt), heard():
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with deferred():
            send(number)
            reached = True
        pytest.fail("it came")
    assert reached
