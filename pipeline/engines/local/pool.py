"""The local process pool: a shard per task, crash isolation per record, progress. Dead workers are replaced.

A worker that dies or hangs at a record is replaced and the record is tried alone. Only if it hangs again, or kills
twice more, is it quarantined: its shard is rendered again without it, and the record goes to `_failed`. A death that
had another cause (the machine, a person) costs just the time of its shard. SIGKILL is what a system without memory
sends, or a person: it says nothing of a record that does not die of it alone, again and again; and a version that
lacks one for that says in its manifest that it is not reproducible.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import connection
from typing import Any

from pipeline.config.loader import ConfigText
from pipeline.engines.local import worker
from pipeline.engines.local.deaths import cause_of_death
from pipeline.engines.local.fork_server import ensure_running, start_for, without_main_module
from pipeline.engines.local.orders import Order
from pipeline.errors import ConfigError, Problem, RunFailed, headline
from pipeline.planning.job import Job, Task
from pipeline.planning.plan import Probe
from pipeline.processes.work_clock import WorkClock
from pipeline.records import Refusal

_POLL_SECONDS = 0.1
_MAX_DEATHS = 8
_GUILTY_DEATHS, _GUILTY_HANGS = 3, 2
_WITHOUT = frozenset({"survey", "look", "sign"})  # tasks that can leave out what their worker does not survive
_GIVEN_UP_DEATHS = 4  # more than chance: what the probe cannot weigh changes how shards are cut
_TRIAL_DEATHS, _TRIAL_KILLS = 2, 3
_START_ATTEMPTS = 5
_forking = threading.Lock()  # to fork, the process as a whole is changed for a moment
_GIVEN_UP: dict[str, Any] = {"probe": Probe(), "collect": [], "replay": [], "donor": None}


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: connection.Connection
    beat: Any
    clock: WorkClock
    order: Order | None = None
    hung: bool = False

    @property
    def killed(self) -> bool:
        """Whether somebody else ended it, or the system for want of memory."""
        return not self.hung and self.process.exitcode == -signal.SIGKILL


class Pool:
    """Worker processes for one job. Use as a context manager; `run` may be called several times."""

    def __init__(self, job: Job, count: int, debug: bool = False) -> None:
        self._job, self.size, self._debug = job, count, debug
        self._context = multiprocessing.get_context("forkserver")
        self._workers: list[_Worker] = []
        self._samples, self._calls = 0, 0

    def __enter__(self) -> "Pool":
        start_for({step.name for step in self._job.config.steps()})
        self._workers = [self._start() for _ in range(self.size)]
        return self

    def __exit__(self, *details: object) -> None:
        for member in self._workers:
            with suppress(OSError, ValueError):
                member.pipe.send(None)
        for member in self._workers:
            member.process.join(0.2 if member.order is None else 0)
            self._end(member)
        self._workers = []

    def adopt(self, job: Job) -> None:
        """Work for this job from now on: the same one, with what the survey found. Workers must be idle."""
        self._job = replace(job, decided=None)
        for member in self._workers:
            with suppress(OSError):  # a worker that died while idle is found by its sentinel
                member.pipe.send(("adopt", self._job))

    def samples(self) -> int:
        """Samples rendered so far, those of unfinished shards included."""
        busy = [m for m in self._workers if m.order is not None and m.order.kind == "render"]
        return self._samples + int(sum(m.beat[worker.SAMPLES] for m in busy))

    def recipe_problems(self, text: ConfigText) -> list[Problem]:
        """Everything that is wrong with a config's recipes, found where the libraries are loaded."""
        return [problem for found in self.run("check", [text]) for problem in found]

    def check_recipes(self, text: ConfigText) -> None:
        """Raise ConfigError with every problem of a config's recipes."""
        problems = self.recipe_problems(text)
        if problems:
            raise ConfigError(headline(text.name, problems), tuple(problems))

    def begin(self, tasks: Iterable[Task]) -> None:
        """Have idle workers render the first of these shards already; `run("render", …)` of all goes on from there."""
        for member, task in zip((m for m in self._workers if m.order is None), tasks, strict=False):
            self._give(member, Order("render", task))

    def run(self, kind: str, tasks: Iterable[Any]) -> Iterator[Any]:
        """Results of all tasks, in the order in which they finish. Raises RunFailed, or what a worker raised.

        Tasks are asked for when a worker has nothing to do.
        """
        self._calls += 1
        call, begun = self._calls, self._taken_over(kind)
        coming = (Order(kind, task, call=call) for task in tasks if kind != "render" or task.shard.name not in begun)
        waiting = deque[Order]()
        while call == self._calls:
            for member in self._workers:
                order = (waiting.popleft() if waiting else next(coming, None)) if member.order is None else None
                if order is not None:
                    self._give(member, order)
            ours = [m for m in self._workers if m.order is None or m.order.call == call]
            if not any(m.order for m in ours):
                return
            self._kill_hung()
            handles = [h for m in ours for h in (m.pipe, m.process.sentinel)]
            ready = connection.wait(handles, _POLL_SECONDS)
            for member in ours:
                if member.pipe in ready or member.process.sentinel in ready:
                    yield from self._answer(member, waiting)
        raise RuntimeError("the pool was asked for something else before it had answered")

    def _taken_over(self, kind: str) -> set[str]:
        """Shards that were begun for this call. Workers that are busy for a call that was given up are replaced."""
        begun = set()
        for place, member in enumerate(self._workers):
            order = member.order
            if order is not None and order.call == 0 and kind == "render":
                order.call = self._calls
                begun.add(order.task.shard.name)
            elif order is not None:
                self._workers[place] = self._start()
                self._end(member)
        return begun

    def _answer(self, member: _Worker, waiting: deque[Order]) -> Iterator[Any]:
        order = member.order
        try:
            if not member.pipe.poll():
                raise EOFError
            outcome, value = member.pipe.recv()
        except (EOFError, OSError):
            yield from self._bury(member, waiting)
            return
        member.order = None
        if order is None:
            return
        if outcome == "error":
            raise value
        if order.kind == "trial" and order.suspect_of is not None:
            waiting.appendleft(order.suspect_of)
            return
        if order.kind == "render":
            self._samples += int(member.beat[worker.SAMPLES])
        yield value

    def _bury(self, member: _Worker, waiting: deque[Order]) -> Iterator[Any]:
        """Replace a dead worker, and find out whether the record that it was at is to blame."""
        order, at = member.order, int(member.beat[worker.RECORD])
        member.process.join()
        cause = cause_of_death(member.hung, member.process.exitcode)
        self._workers[self._workers.index(member)] = self._start()
        self._end(member)
        if order is None:
            return
        order.deaths += 1
        order.at_work += at >= 0
        if order.kind == "trial" and order.suspect_of is not None:
            needed = 1 if member.hung else _TRIAL_KILLS if member.killed else _TRIAL_DEATHS
            alone, convinced = order.task.only or 0, order.at_work >= needed
            waiting.appendleft(order.suspect_of.without(alone, cause) if convinced else order)
            return
        if order.kind in _GIVEN_UP and order.at_work >= (2 if member.hung else _GIVEN_UP_DEATHS):
            yield _GIVEN_UP[order.kind]
            return
        if order.deaths >= _MAX_DEATHS:
            raise RunFailed(
                f"workers died {order.deaths} times at {order.described()} (the last one: {cause.message}). "
                "If memory ran out, use fewer --workers or a smaller output.shard_size."
            )
        waiting.appendleft(self._suspect(order, at, cause, member))

    def _suspect(self, order: Order, at: int, cause: Refusal, member: _Worker) -> Order:
        if at < 0 or order.kind not in {"render", *_WITHOUT}:
            return order
        if member.killed and order.kind != "sign":  # only a trial tells whether the record is to blame
            return Order("trial", replace(order.task, only=at), order, order.call) if order.kind == "render" else order
        order.culprits[at] += 1
        if order.kind in _WITHOUT:
            guilty = order.culprits[at] >= (_GUILTY_HANGS if member.hung else _GUILTY_DEATHS)
            return Order(order.kind, order.task.without(at), call=order.call) if guilty else order
        if order.culprits[at] >= _GUILTY_DEATHS:
            return order.without(at, cause)
        return Order("trial", replace(order.task, only=at), order, order.call)

    def _kill_hung(self) -> None:
        limit = self._job.config.record_timeout
        for member in self._workers:
            at_work = member.order is not None and member.beat[worker.RECORD] >= 0
            if at_work and not member.hung and member.clock.seconds(member.beat[worker.STARTED]) > limit:
                member.hung = True
                member.process.kill()

    def _give(self, member: _Worker, order: Order) -> None:
        member.order, member.hung = order, False
        member.beat[worker.RECORD] = worker.IDLE
        with suppress(OSError):  # a worker that died while idle is found by its sentinel
            member.pipe.send((order.kind, order.task))

    def _start(self) -> _Worker:
        """A new worker. The process that workers are forked from may have died with the last one: then again."""
        for _ in range(_START_ATTEMPTS):
            try:
                return self._forked()
            except (OSError, EOFError) as error:
                why = str(error) or type(error).__name__
                time.sleep(_POLL_SECONDS)
        raise RunFailed(f"no worker process can be started: {why}. Run with --debug to see more")

    def _forked(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        beat = self._context.RawArray("d", [worker.IDLE, 0.0, 0.0])
        process = self._context.Process(target=worker.main, args=(theirs, beat, self._job, self._debug), daemon=True)
        with _forking, without_main_module():
            ensure_running()
            process.start()
        theirs.close()
        return _Worker(process, ours, beat, WorkClock(process.pid or 0))

    def _end(self, member: _Worker) -> None:
        if member.process.is_alive():
            member.process.kill()
        member.process.join()
        member.pipe.close()


class _Alone(Pool):
    """No process but this one: only it sees what lies in its memory. Nothing here outlives a record that crashes."""

    def __enter__(self) -> "Pool":
        return self

    def adopt(self, job: Job) -> None:
        """See `Pool.adopt`."""
        self._job = job

    def run(self, kind: str, tasks: Iterable[Any]) -> Iterator[Any]:
        """See `Pool.run`."""
        for task in tasks:
            beat = [worker.IDLE, 0.0, 0.0]
            yield worker.served(kind, self._job, task, beat)
            self._samples += int(beat[worker.SAMPLES])


def pool_for(job: Job, count: int, debug: bool = False) -> Pool:
    """A pool of `count` processes; of none but this one for a job whose input or output is in its memory."""
    places = (job.reader.root.url, job.output.url)
    return (_Alone if any(url.startswith("memory://") for url in places) else Pool)(job, count, debug)


class _OfThread(threading.local):
    pools: tuple[Pool, ...] = ()


_of_thread = _OfThread()


@contextmanager
def in_use(pool: Pool) -> Iterator[Pool]:
    """Make a pool the one that the local graph renders with, in this thread: others may run other jobs."""
    before = _of_thread.pools
    _of_thread.pools = (*before, pool)
    try:
        yield pool
    finally:
        _of_thread.pools = before


def current() -> Pool:
    """The pool in use. Raises LookupError outside `in_use`."""
    if not _of_thread.pools:
        raise LookupError("no local pool is in use")
    return _of_thread.pools[-1]


def default_count() -> int:
    """Processes that this machine (or its container) has cores for."""
    return max(1, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
