"""One worker process: takes tasks from a pipe, answers with receipts, and shows which record it is at."""

import ctypes
import gc
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, MutableSequence
from contextlib import suppress
from multiprocessing import connection, parent_process
from typing import Any

from pipeline.audit.row_digests import Portion
from pipeline.audit.signatures import Candidate
from pipeline.config.loader import ConfigText
from pipeline.errors import FanbeamError, RunFailed
from pipeline.planning.job import Job, Task
from pipeline.planning.plan import Probe
from pipeline.planning.probe import probe_job, weigh
from pipeline.processes.signals import left_to_the_parent
from pipeline.records import Record, Reference
from pipeline.storage.folder import is_url
from pipeline.storage.stores.locations import is_web
from transforms.isolation.blocked_imports import left_out

RECORD, STARTED, SAMPLES = 0, 1, 2
IDLE = -1.0
_STORE_SECONDS = 600.0
"""More than a store's own retries take, which end the run: see `stores.credentials`."""
_YOUNG_OBJECTS = 100_000
_KEPT_BYTES = 128 * 2**20


def main(pipe: connection.Connection, beat: MutableSequence[float], job: Job, debug: bool) -> None:
    """Serve tasks until the pipe closes. `beat` is shared: ordinal of the record at work, since when, samples done."""
    left_to_the_parent()
    _die_with_parent()
    settle_process(debug)
    while True:
        try:
            order = pipe.recv()
        except (EOFError, OSError):
            return
        if order is None:
            return
        kind, task = order
        if kind == "adopt":
            job = task
            continue
        try:
            answer: tuple[str, Any] = ("done", served(kind, job, task, beat))
        except FanbeamError as error:
            answer = ("error", error)
        beat[RECORD] = IDLE
        pipe.send(answer)


def served(kind: str, job: Job, task: Any, beat: MutableSequence[float]) -> object:
    """What an order of that kind comes to. Raises FanbeamError, whatever went wrong: the parent must hear of it."""
    serve: dict[str, Callable[[Job, Any, _Watch], object]] = {
        "check": _check, "render": _render, "trial": _trial, "probe": _probe, "collect": _collect,
        "replay": _replay, "donor": _donor, "look": _look, "compare": _compare, "survey": _survey,
        "sign": _survey,
    }  # fmt: skip
    watch = _Watch(beat, _samples(job, task) if kind == "render" else lambda _: 0, job.reader.root.url)
    try:
        return serve[kind](job, task, watch)
    except (FanbeamError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise _unexpected(error, watch.at) from error


def settle_process(debug: bool) -> None:
    """One thread per process, for speed and for sums that come out alike everywhere; libraries' chatter away."""
    import numpy as np
    import pyarrow as pa
    from threadpoolctl import threadpool_limits

    pa.set_cpu_count(1)
    threadpool_limits(1)
    _keep_memory()
    with left_out("pandas"):
        pa.array([0])  # Arrow imports pandas (0.4 s) at its first array, to know its Series; workers have none
    gc.freeze()  # what is loaded stays: no collection need look at it again
    gc.set_threshold(_YOUNG_OBJECTS)
    output, errors = 1, 2
    if debug:
        os.dup2(errors, output)  # standard output is the command's own
        return
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, output)
    os.dup2(nowhere, errors)
    os.close(nowhere)


def _keep_memory() -> None:
    """What is freed is used again, not given back: the first use of a page costs more than what is written on it."""
    import pyarrow as pa

    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux":
        trim_threshold, mmap_threshold = -1, -3  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h
        with suppress(AttributeError):  # a C library without them
            libc = ctypes.CDLL(None)
            libc.mallopt(trim_threshold, _KEPT_BYTES)
            libc.mallopt(mmap_threshold, _KEPT_BYTES // 4)


class _Watch:
    """Marks each record as it starts, so that the parent can tell which one killed or hangs the worker."""

    def __init__(self, beat: MutableSequence[float], samples: Callable[[Record], int], root: str = "") -> None:
        self._beat, self._samples, self._root = beat, samples, root
        self.at: Record | None = None
        beat[SAMPLES] = 0.0

    def seconds(self) -> float:
        """Seconds since the record at work started."""
        return time.monotonic() - self._beat[STARTED]

    def reading(self, records: Iterator[Record]) -> Iterator[Record]:
        """A file that never ends is one record's fault, too. A store that is down is nobody's: it tells by itself."""
        beat, clock = self._beat, time.monotonic
        for number, record in enumerate(records):
            references = [p for p in record.payloads.values() if isinstance(p, Reference)]
            if references and record.refusal is None:
                self.at = record
                beat[STARTED] = clock() + (_STORE_SECONDS if any(map(self._in_store, references)) else 0.0)
                beat[RECORD] = number
            yield record
            beat[RECORD] = IDLE

    def _in_store(self, reference: str) -> bool:
        place = reference if is_url(reference) else self._root
        return is_url(place) and not is_web(place)

    def __call__(self, records: Iterator[Record]) -> Iterator[Record]:
        beat, clock = self._beat, time.monotonic
        for number, record in enumerate(records):
            self.at = record
            beat[STARTED] = clock()
            beat[RECORD] = number
            yield record
            beat[RECORD] = IDLE
            beat[SAMPLES] += self._samples(record)
        self.at = None


def _samples(job: Job, task: Task) -> Callable[[Record], int]:
    """How many samples a record of the task becomes."""
    from pipeline.rendering.fan_out import copies_of

    table, split, original = job.copies, task.shard.split, job.config.keep_original
    return lambda record: len(copies_of(original, split, table.of(record.classes, record.key)))


def _check(job: Job, text: ConfigText, watch: _Watch) -> object:
    from pipeline.planning.checks.check import recipe_problems

    return recipe_problems(text)


def _render(job: Job, task: Task, watch: _Watch) -> object:
    from pipeline.rendering.stages import render

    return render(job, task, watch)


def _trial(job: Job, task: Task, watch: _Watch) -> object:
    from pipeline.rendering.stages import families

    return sum(1 for _ in families(job, task, watch))


def _collect(job: Job, task: Task, watch: _Watch) -> object:
    from pipeline.rendering.stages import families

    return list(families(job, task, watch))


def _donor(job: Job, task: Task, watch: _Watch) -> object:
    """A record that others may blend with, if it can be decoded and stays in train."""
    from pipeline.planning.copies.table import DROPPED
    from pipeline.rendering.augment import donor
    from pipeline.rendering.field_processor import tools_of
    from pipeline.rendering.read import rows_of_task
    from pipeline.sources.payloads import watched

    blended = next(tools for tools in tools_of(job.config) if tools.blends)
    staying = (r for r in rows_of_task(job, task) if job.copies.of(r.classes, r.key) != DROPPED)
    return donor(blended, job.config.seed, watched(job, staying, watch))


def _replay(_: Job, order: tuple[Job, Task], watch: _Watch) -> object:
    """Like `collect`, for a job of its own."""
    return _collect(*order, watch)


def _look(job: Job, portion: Portion, watch: _Watch) -> object:
    from pipeline.audit.shard_reading import look_at

    return look_at(job.dataset, portion, watch)


def _compare(job: Job, candidates: list[Candidate], _: _Watch) -> object:
    from pipeline.audit.pair_check import compared_rows

    return compared_rows(job.dataset, candidates)


def _survey(job: Job, task: Any, watch: _Watch) -> object:
    """Tasks of `pipeline.splitting` know what to do."""
    return task.run(job, watch)


def _probe(job: Job, task: Task, watch: _Watch) -> object:
    from pipeline.rendering.stages import families

    probe = Probe()
    light = probe_job(job)
    for _ in range(2):  # the second time without what is only paid once
        for gated in families(light, task, watch):
            probe = weigh(gated, watch.seconds())
    return probe


def _unexpected(error: BaseException, record: Record | None) -> RunFailed:
    """An error that no stage expected, as one line that names the record; the traceback for `--debug`."""
    where = f" at {record.file} row {record.row} ({record.key!r})" if record is not None else ""
    failure = RunFailed(f"{type(error).__name__}{where}: {error}")
    failure.add_note("".join(traceback.format_exception(error)))
    return failure


def _die_with_parent() -> None:
    """End this process when the parent is gone, even in the middle of a record that hangs."""
    parent = parent_process()
    if parent is None:
        return
    if sys.platform == "linux":
        death_signal = 1
        ctypes.CDLL(None).prctl(death_signal, signal.SIGKILL)
    sentinel = parent.sentinel

    def wait() -> None:
        connection.wait([sentinel])
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, daemon=True).start()
