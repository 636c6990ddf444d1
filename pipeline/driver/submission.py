"""Submit what has no receipt yet, watch it, and submit again when the engine dies for no fault of the user's."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.dataset.commit import Expected, finished, receipted
from pipeline.dataset.manifest import read_manifest
from pipeline.engines.adapters.worker_checks import refuse_without_fanbeam
from pipeline.engines.beam.settings import settings_of
from pipeline.engines.local import pool
from pipeline.engines.options import Engine, Settings
from pipeline.engines.progress import Progress
from pipeline.engines.work_files import assign, dismiss
from pipeline.engines.worker_environment import Surroundings, other_cpus, told
from pipeline.errors import FanbeamError, RunFailed
from pipeline.planning.job import Job, Task
from pipeline.planning.plan import Plan

if TYPE_CHECKING:
    from pipeline.engines.beam.graph import Search, Work

_RECEIPTS_EVERY_SECONDS = 2.0
_RECEIPTS_SHARE = 20
_DONE = "DONE"
AUDITED_IN_ONE_PLACE = 2**30
"""Bytes of a dataset that one worker of an engine reads back sooner than a graph of many steps is set up."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What is to be made, on which engine, how often to try, who watches, whether Beam may chatter."""

    job: Job
    plan: Plan
    expected: Expected
    settings: Settings
    processes: int | None
    attempts: int
    progress: Progress
    debug: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """How many shards were there before; and the engine's name of a job that nobody waits for (None: it is over)."""

    there: int
    handed_over: str | None = None


_loading_beam = threading.Lock()


def load_beam(debug: bool) -> None:
    """Import Beam, quietly. One thread at a time: its modules import one another, and others would see halves."""
    with _loading_beam:
        before = logging.root.manager.disable
        logging.disable(logging.NOTSET if debug else logging.WARNING)
        try:
            import pipeline.engines.beam.graph  # noqa: F401
            from pipeline.engines.beam.process import hush
        finally:
            logging.disable(before)
        hush(debug)


def settings_for(engine: Engine, job: Job, beam: Sequence[str], debug: bool) -> Settings:
    """The engine's settings, with Beam loaded if it must read them. Raises UsageError with all that is missing."""
    if beam or not engine.local:
        load_beam(debug)
    return settings_of(engine, beam, job.output, job)


def submit(submission: Submission) -> Submitted:
    """Render what is missing and commit, or hand that over.

    Raises RunFailed if the engine died in every attempt, and at once what a worker found wrong with data or machine.
    """
    job, there = submission.job, 0
    for attempt in range(1, submission.attempts + 1):
        done = frozenset(submission.expected.shards) & finished(job.dataset)
        if attempt == 1:
            there = len(done)
        if submission.settings.detached:
            return Submitted(there, _handed_over(submission, done))
        cause = _attempt(submission, done)
        if not cause:
            return Submitted(there)
        if attempt < submission.attempts:
            submission.progress.warn(f"the job died ({cause}); attempt {attempt + 1} of {submission.attempts}")
    tries = "once" if submission.attempts == 1 else f"{submission.attempts} times"
    raise RunFailed(f"the engine gave up {tries}: {cause}. The same command again goes on from what is written")


def _attempt(submission: Submission, done: frozenset[str]) -> str:
    """One job on the engine. Returns why it died; empty if it ended. Raises what the user must know of."""
    job = submission.job
    name = _name(job)
    progress = submission.progress
    progress.begin(_samples_left(submission.plan, done), len(done), _count(submission, done))
    try:
        state = _run(submission, _assign(submission, done, name), name)
    except Exception as error:
        cause = death_of(job, submission.settings, name, error)
        if submission.settings.engine.local:
            raise RunFailed(f"the engine gave up: {last_line(error)}") from error
        return cause
    finally:
        progress.end()
        with suppress(FanbeamError, OSError):
            dismiss(job.dataset, name)
        for host in other_cpus(job, name):
            progress.warn(f"note: the CPU of {host} is of another class than this machine's; verify says what differs")
    if state == _DONE or read_manifest(job.dataset) is not None:
        return ""
    return end_of(submission.settings, name, state)


def _handed_over(submission: Submission, done: frozenset[str]) -> str:
    """Start the job and leave it. Returns the engine's name of it. Raises RunFailed if it was not accepted."""
    name = _name(submission.job)
    try:
        return _run(submission, _assign(submission, done, name), name)
    except Exception as error:
        known = known_of(error)
        raise (known or RunFailed(f"the engine did not take the job: {last_line(error)}")) from error


def _name(job: Job) -> str:
    return f"fanbeam-{job.version}-{time.time_ns():x}"


def _assign(submission: Submission, done: frozenset[str], name: str) -> int:
    """Write the tasks down. The pool of this machine begins with them while Beam is loading."""
    files = assign(submission.job, name, _tasks(submission, done), submission.expected)
    if submission.settings.engine.local:
        pool.current().begin(_tasks(submission, done))
    return files


def _tasks(submission: Submission, done: frozenset[str]) -> Iterator[Task]:
    return (Task(shard) for shard in submission.plan.shards if shard.name not in done)


def _run(submission: Submission, files: int, name: str) -> str:
    load_beam(submission.debug)
    from pipeline.engines.beam.graph import Work

    settings, job = submission.settings, submission.job
    around = Surroundings.here(job.config, name)
    small = sum(totals.bytes for totals in submission.plan.splits.values()) <= AUDITED_IN_ONE_PLACE
    work = Work(job, files, around, settings.engine.local, submission.processes, settings.detached, small)
    return carried_out(settings, work, name)


def carried_out(settings: Settings, work: "Work | Search", name: str) -> str:
    """Run a graph as a job of that name. Returns and raises what `run_graph` does."""
    from pipeline.engines.beam.graph import run_graph

    def cancel() -> None:
        if settings.module is not None:
            with suppress(OSError):
                settings.module.cancel(settings.options, name)

    return run_graph(settings.beam_arguments(name), work, cancel)


def death_of(job: Job, settings: Settings, name: str, error: Exception) -> str:
    """Why a job died that raised. Raises what the user must know of."""
    known = known_of(error) or told(job, name)
    if known is not None:
        raise known from error
    refuse_without_fanbeam(str(error))
    return cause_of(settings, name) or last_line(error)


def end_of(settings: Settings, name: str, state: str) -> str:
    """Why a job that ended in a state did not do its work; empty if it did."""
    return "" if state == _DONE else cause_of(settings, name) or f"the engine ended it as {state}"


def known_of(error: BaseException) -> BaseException | None:
    """The error that was meant for the user, dug out of what the engine made of it: the first one of the chain."""
    found: BaseException | None = None
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, FanbeamError | KeyboardInterrupt):
            found = seen
        seen = seen.__cause__ or seen.__context__
    return found


def cause_of(settings: Settings, name: str) -> str:
    """Why the engine says that a job died; empty if it does not say."""
    if settings.module is None:
        return ""
    with suppress(OSError):
        return settings.module.cause(settings.options, name)
    return ""


def last_line(error: BaseException) -> str:
    """What an engine's error comes to."""
    details = getattr(error, "details", None)
    if callable(details):  # gRPC's, which prints as many lines that say nothing
        return f"the engine does not answer any more: {details()}".rstrip(".")
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else type(error).__name__


def _count(submission: Submission, done: frozenset[str]) -> Callable[[], int]:
    """How many samples are made so far: the pool knows; elsewhere receipts are counted against the plan.

    They are listed again when twenty times as long has gone by as that took.
    """
    if submission.settings.engine.local:
        return pool.current().samples
    plan, dataset = submission.plan, submission.job.dataset
    before, found, due = _samples_left(plan, done), 0, 0.0

    def count() -> int:
        nonlocal found, due
        began = time.monotonic()
        if began > due:
            with suppress(OSError, RunFailed):
                found = before - _samples_left(plan, done | receipted(dataset))
            ended = time.monotonic()
            due = ended + max(_RECEIPTS_EVERY_SECONDS, _RECEIPTS_SHARE * (ended - began))
        return found

    return count


def _samples_left(plan: Plan, done: frozenset[str]) -> int:
    """Samples that the shards without those will make, in proportion to their number."""
    there = Counter(name.rpartition("-")[0] for name in done)
    total = 0.0
    for split, totals in plan.splits.items():
        total += totals.samples * (totals.shards - there[split]) / max(1, totals.shards)
    return round(total)
