"""Who watches a run: nobody, a terminal with a bar, or a log with a line every few seconds."""

import threading
import time
from collections.abc import Callable

from pipeline.engines.progress import Count
from pipeline.escaping.terminal import plain

_LINE_SECONDS = 5.0
_AUDITING = "looking for leaks in what was written"


class _Ticking:
    """Looks at the count from a thread of its own."""

    def __init__(self, every: float) -> None:
        self._every, self._stop = every, threading.Event()
        self._thread: threading.Thread | None = None

    def identify(self, version: str, path: str) -> None:
        """Nothing: the end names both."""

    def begin(self, samples: int, resumed: int, count: Count) -> None:
        """Start looking."""
        started = time.monotonic()
        self._stop.clear()

        def watch() -> None:
            while not self._stop.wait(self._every):
                self._show(count(), samples, time.monotonic() - started)

        self._thread = threading.Thread(target=watch, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop looking."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _show(self, done: int, total: int, seconds: float) -> None:
        raise NotImplementedError


class Lines(_Ticking):
    """A plain line every few seconds, for logs."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(_LINE_SECONDS)
        self._write, self._rendered = write, False

    def say(self, what: str) -> None:
        """One line per phase."""
        self._write(what)

    def warn(self, what: str) -> None:
        """A line of its own."""
        self._write(what)

    def begin(self, samples: int, resumed: int, count: Count) -> None:
        """One line, then one every few seconds."""
        there = f" ({resumed} shards are there already)" if resumed else ""
        self._write(f"rendering {samples} samples{there}")
        self._rendered = False
        super().begin(samples, resumed, count)

    def _show(self, done: int, total: int, seconds: float) -> None:
        if self._rendered:
            return
        self._rendered = done >= total
        rate = done / seconds if seconds else 0.0
        left = f", {(total - done) / rate:.0f} s left" if rate and total > done else ""
        self._write(f"{done} of {total} samples, {rate:.0f} samples/s{left}")
        if self._rendered:
            self._write(_AUDITING)


class Bar(_Ticking):
    """A progress bar on a terminal, with samples/s and time left."""

    def __init__(self) -> None:
        super().__init__(0.2)
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}", markup=False), TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False, markup=False, emoji=False), transient=True,
        )  # fmt: skip
        self._task = self._bar.add_task("starting", total=None, rate="")
        self._bar.start()

    def say(self, what: str) -> None:
        """The phase stands before the bar."""
        self._bar.update(self._task, description=what)

    def warn(self, what: str) -> None:
        """A line above the bar, which stays."""
        self._bar.console.print(plain(what), soft_wrap=True)

    def begin(self, samples: int, resumed: int, count: Count) -> None:
        """The bar gets its length."""
        self._bar.start()
        self._bar.update(self._task, description="rendering", total=samples)
        super().begin(samples, resumed, count)

    def end(self) -> None:
        """The bar goes."""
        super().end()
        self._bar.stop()

    def _show(self, done: int, total: int, seconds: float) -> None:
        if done >= total:
            self._bar.update(self._task, completed=done, description=_AUDITING, rate="")
        else:
            self._bar.update(self._task, completed=done, rate=f"{done / seconds:.0f} samples/s" if seconds else "")
