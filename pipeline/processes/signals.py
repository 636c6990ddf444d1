"""Signals that end a command: what a scheduler or a closing terminal sends ends it as Ctrl-C does."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

ENDINGS = ("SIGINT", "SIGTERM", "SIGHUP")
_CLEANING_SECONDS = 30.0
_commands: list[bool] = []
"""One entry for each command that this process carries out now."""


def somebody_waits() -> bool:
    """Whether this process carries out a command, so that what is wrong should be told in seconds."""
    return bool(_commands)


@contextmanager
def heard() -> Iterator[list[str]]:
    """Let SIGTERM and SIGHUP raise KeyboardInterrupt in the main thread; yields the names of those that came.

    What is ignored already, as SIGHUP under nohup, stays so, and so do handlers of others. Schedulers repeat
    themselves: for 30 s after the first one no other disturbs the clean end.
    """
    came: list[str] = []
    last = [float("-inf")]

    def interrupt(number: int, frame: FrameType | None) -> None:
        came.append(signal.Signals(number).name)
        if time.monotonic() - last[0] > _CLEANING_SECONDS:
            last[0] = time.monotonic()
            raise KeyboardInterrupt

    before: dict[signal.Signals, Any] = {}
    _commands.append(True)
    try:
        if threading.current_thread() is threading.main_thread():
            for ending in _known() - {signal.SIGINT}:
                if signal.getsignal(ending) is signal.SIG_DFL:
                    before[ending] = signal.signal(ending, interrupt)
        yield came
    finally:
        _commands.pop()
        for ending, handler in before.items():
            signal.signal(ending, handler)


@contextmanager
def deferred() -> Iterator[None]:
    """A process that is started now never sees these signals: this one ends it. Here they wait for the block's end."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _known())
    with _collected() as came:  # where another thread takes the signal, this one would still be told at once
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
    for number in came:
        signal.raise_signal(number)


@contextmanager
def _collected() -> Iterator[list[int]]:
    """Signals of this block, each once, instead of what is done about them; handlers are the main thread's own."""
    came: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield came
        return
    heard = [ending for ending in _known() if callable(signal.getsignal(ending))]
    before = {ending: signal.signal(ending, lambda number, _: came.append(number)) for ending in heard}
    try:
        yield came
    finally:
        for ending, handler in before.items():
            signal.signal(ending, handler)
        came[:] = dict.fromkeys(came)


def left_to_the_parent() -> None:
    """Ignore them in this process for good."""
    _commands.clear()
    for ending in _known():
        signal.signal(ending, signal.SIG_IGN)


def _known() -> set[signal.Signals]:
    return {signal.Signals[name] for name in ENDINGS if hasattr(signal, name)}
