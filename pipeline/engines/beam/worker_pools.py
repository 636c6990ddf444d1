"""Child processes of a Beam worker: each renders a shard at a time, as the local pool's do.

So a record that kills or hangs its decoder costs no Beam worker and ends in `_failed` on every engine, and the threads
of one Beam worker use all its cores.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pipeline.audit.digest_matching import Found
from pipeline.audit.row_digests import Portion
from pipeline.audit.shard_reading import Seen
from pipeline.audit.signatures import Candidate
from pipeline.engines.local.pool import Pool, default_count
from pipeline.planning.job import Job, Task
from pipeline.records import Receipt


@dataclass(slots=True)
class _Children:
    """Those of one job in this process. `users`: steps that may still ask for one."""

    room: threading.BoundedSemaphore
    idle: list[tuple[Pool, Job]] = field(default_factory=list)
    """Each with the job that it works for: steps of one version may know more or less of what the survey found."""
    users: int = 0


_of_job: dict[str, _Children] = {}
_changing = threading.Lock()


def enter(job: Job, limit: int | None = None) -> None:
    """A step of this process will render shards of the job; at most `limit` at a time, or one per core."""
    with _changing:
        mine = _of_job.setdefault(job.dataset.url, _Children(threading.BoundedSemaphore(limit or default_count())))
        mine.users += 1


def leave(job: Job) -> None:
    """The step is over; with the last one the children end."""
    with _changing:
        mine = _of_job.get(job.dataset.url)
        if mine is None:
            return
        mine.users -= 1
        if mine.users:
            return
        del _of_job[job.dataset.url]
    for pool, _ in mine.idle:
        pool.__exit__()


def render(job: Job, task: Task) -> Receipt:
    """All stages of one shard, in a child. Raises RunFailed, or what the child raised. Waits while all are busy."""
    receipt: Receipt = _asked(job, "render", task)
    return receipt


def look_at(job: Job, portion: Portion) -> Seen:
    """What one written file shows, read in a child; otherwise as `render`."""
    seen: Seen = _asked(job, "look", portion)
    return seen


def survey(job: Job, task: Any) -> Any:
    """What a task of `splitting` comes to, in a child."""
    return _asked(job, "survey", task)


def compare(job: Job, candidates: list[Candidate]) -> Found:
    """Near duplicates among the candidates of one held-out file, compared in a child; otherwise as `render`."""
    found: Found = _asked(job, "compare", candidates)
    return found


def _asked(job: Job, kind: str, task: Any) -> Any:
    with _borrowed(job) as pool:
        (answer,) = pool.run(kind, [task])
        return answer


@contextmanager
def _borrowed(job: Job) -> Iterator[Pool]:
    mine = _of_job[job.dataset.url]
    with mine.room:
        try:
            pool, known = mine.idle.pop()
        except IndexError:
            pool, known = Pool(job, 1).__enter__(), job
        if known is not job and _surveyed(known) != _surveyed(job):
            pool.adopt(job)
        try:
            yield pool
        except BaseException:
            pool.__exit__()  # it may be in the middle of a shard
            raise
        mine.idle.append((pool, job))


def _surveyed(job: Job) -> tuple[Any, ...]:
    """What of a version's job depends on the step that asks."""
    return job.config, job.candidates, job.counted, job.earlier, job.schema, job.external, job.held_out
