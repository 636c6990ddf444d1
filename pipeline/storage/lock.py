"""Stores that cannot put if absent: found by trying, and guarded by a plain lock object, so that one run has a version.

Where a store can, nothing is locked: runs of the same version write the same bytes, and the manifest has one winner.
"""

import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass

import orjson

from pipeline.errors import RunFailed
from pipeline.storage.folder import Folder
from pipeline.storage.layout import LOCK

STALE_SECONDS = 600.0
RENEW_SECONDS = 30.0
SETTLE_SECONDS = 1.0
"""How long a lock must stand unchanged after it is written: longer than a competitor takes to read, then write."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a version: times are seconds since 1970."""

    host: str
    pid: int
    started: float
    renewed: float

    def same(self, other: "Holder | None") -> bool:
        """Whether both are one run, whenever it last renewed."""
        return other is not None and (self.host, self.pid, self.started) == (other.host, other.pid, other.started)


def probe_put_if_absent(folder: Folder) -> bool:
    """Whether the folder's store honours put-if-absent: one key is created twice, and removed. Raises RunFailed."""
    if folder.local:
        return True
    name = f"_probe-{platform.node()}-{os.getpid()}-{time.time_ns()}"
    try:
        folder.put_if_absent(name, b"1")  # whose answer may be lost, so that it is tried again and finds itself there
        return not folder.put_if_absent(name, b"2") and folder.read(name) == b"1"
    finally:
        with suppress(RunFailed):
            folder.remove(name)


@contextmanager
def guarded(dataset: Folder) -> Iterator[list[str]]:
    """Hold a version folder for one run if its store needs that; yields what the user must be warned of.

    Raises RunFailed if another run holds it, or took it meanwhile.
    """
    if probe_put_if_absent(dataset):
        yield []
        return
    with held(dataset) as taken_over:
        yield [
            f"{dataset.url}: this store ignores put-if-absent, so nothing but {LOCK} keeps two runs of one version "
            "apart; do not remove it while a run lives",
            *([f"took over the lock of {taken_over}"] if taken_over else []),
        ]


@contextmanager
def held(dataset: Folder, stale: float = STALE_SECONDS, renew: float = RENEW_SECONDS) -> Iterator[str]:
    """Hold the lock of a folder and renew it; yields who had left one behind, or nothing. Raises RunFailed."""
    now = time.time()
    mine = Holder(platform.node(), os.getpid(), now, now)
    left = _take(dataset, mine, stale)
    over, lost = threading.Event(), threading.Event()
    heart = threading.Thread(target=_renew, args=(dataset, mine, renew, over, lost), daemon=True, name="fanbeam-lock")
    heart.start()
    try:
        yield left
        if lost.is_set():
            raise _refused(dataset, _holder(dataset), stale)
    finally:
        over.set()
        heart.join()
        with suppress(RunFailed, FileNotFoundError):
            if mine.same(_holder(dataset)):
                dataset.remove(LOCK)


def _take(dataset: Folder, mine: Holder, stale: float) -> str:
    """Write the lock, wait, and see whether it is still this run's. Returns whose stale lock stood there."""
    there = _holder(dataset)
    if there is not None and not _abandoned(there, stale):
        raise _refused(dataset, there, stale)
    _write(dataset, mine)
    time.sleep(SETTLE_SECONDS)
    now = _holder(dataset)
    if not mine.same(now):
        raise _refused(dataset, now, stale)
    return "" if there is None else f"process {there.pid} on {there.host}, which no longer runs"


def _abandoned(holder: Holder, stale: float) -> bool:
    """Not renewed for long, or of a process of this machine that is gone."""
    if time.time() - holder.renewed > stale:
        return True
    if holder.host != platform.node():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _renew(dataset: Folder, mine: Holder, renew: float, over: threading.Event, lost: threading.Event) -> None:
    """Until the run is over. A store that fails for a while is no reason to stop: the lock lives longer than that."""
    while not over.wait(renew):
        with suppress(RunFailed):
            if not mine.same(_holder(dataset)):
                lost.set()
                return
            _write(dataset, Holder(mine.host, mine.pid, mine.started, time.time()))


def _holder(dataset: Folder) -> Holder | None:
    """Who holds the lock; None if nobody does, or if what lies there is no lock."""
    try:
        return Holder(**orjson.loads(dataset.read(LOCK)))
    except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return None


def _write(dataset: Folder, holder: Holder) -> None:
    dataset.put(LOCK, orjson.dumps(asdict(holder), option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))


def _refused(dataset: Folder, holder: Holder | None, stale: float) -> RunFailed:
    """Who holds it, and how to go on."""
    if holder is None:
        return RunFailed(f"{dataset.full(LOCK)} was removed while this run held it. Run the same command again.")
    ago = max(0.0, time.time() - holder.renewed)
    return RunFailed(
        f"another run makes this version: process {holder.pid} on {holder.host} renewed {dataset.full(LOCK)} "
        f"{ago:.0f} seconds ago. Wait for it. If it is gone, remove that object, or run the same command again "
        f"{max(1, round((stale - ago) / 60))} minutes from now."
    )
