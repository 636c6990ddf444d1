"""Children of a Beam worker: shared by its threads, bounded, replaced, and gone with the last step."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from small_inputs import config_of, parquet, planned, ran, text_columns

from pipeline.engines.beam import worker_pools
from pipeline.planning.copies.table import CopyTable
from pipeline.planning.job import Job, Task
from pipeline.planning.plan import Plan


@pytest.fixture
def planned_job(tmp_path: Path) -> tuple[Job, Plan]:
    parquet(tmp_path / "in" / "texts.parquet", text_columns(40), per_group=5)
    job, _, plan = planned(config_of(tmp_path / "in", tmp_path / "out", output__shard_size="2KiB"))
    return job, plan


def workers_alive() -> list[psutil.Process]:
    """Rendering processes below this one: forked from the fork server, which has none of its own otherwise."""
    return [p for c in psutil.Process().children() for p in c.children()]


def test_threads_share_a_bounded_number_of_children_that_end_with_the_last_step(
    planned_job: tuple[Job, Plan], tmp_path: Path
) -> None:
    job, plan = planned_job
    before = len(workers_alive())
    worker_pools.enter(job, 2)
    worker_pools.enter(job, 2)
    with ThreadPoolExecutor(4) as threads:
        receipts = list(threads.map(lambda s: worker_pools.render(job, Task(s)), plan.shards))
    assert [r.name for r in receipts] == [s.name for s in plan.shards]
    assert 1 <= len(workers_alive()) - before <= 2
    worker_pools.leave(job)
    assert len(workers_alive()) > before
    worker_pools.leave(job)
    assert len(workers_alive()) == before
    again = ran(config_of(tmp_path / "in", tmp_path / "again", output__shard_size="2KiB"))
    assert {r.data for r in receipts} == {r.data for r in again.receipts}


def test_a_child_that_dies_is_replaced(planned_job: tuple[Job, Plan]) -> None:
    job, plan = planned_job
    before = {p.pid for p in workers_alive()}
    worker_pools.enter(job, 1)
    try:
        first = worker_pools.render(job, Task(plan.shards[0]))
        (child,) = {p.pid for p in workers_alive()} - before
        os.kill(child, signal.SIGKILL)
        assert worker_pools.render(job, Task(plan.shards[0])) == first
    finally:
        worker_pools.leave(job)


def test_a_child_in_the_middle_of_an_error_is_not_used_again(
    planned_job: tuple[Job, Plan], monkeypatch: pytest.MonkeyPatch
) -> None:
    job, plan = planned_job
    ended = threading.Event()

    class Pool:
        def __init__(self, *_: Any) -> None: ...

        def __enter__(self) -> "Pool":
            return self

        def __exit__(self, *_: object) -> None:
            ended.set()

        def run(self, kind: str, tasks: list[Task]) -> list[Any]:
            raise OSError(kind)

    monkeypatch.setattr(worker_pools, "Pool", Pool)
    worker_pools.enter(job, 1)
    with pytest.raises(OSError, match="render"):
        worker_pools.render(job, Task(plan.shards[0]))
    assert ended.is_set()
    worker_pools.leave(job)
    worker_pools.leave(job)  # once too often is harmless


def test_a_child_that_worked_before_the_survey_works_with_what_it_found(planned_job: tuple[Job, Plan]) -> None:
    """Of one version a step may ask before the number of copies is known, and another one after."""
    job, plan = planned_job
    first, second, third = [shard for shard in plan.shards if shard.split == "train"][:3]
    counted = replace(job, counted=CopyTable(5))
    worker_pools.enter(job, 1)
    try:
        before = worker_pools.render(job, Task(first))
        after = worker_pools.render(counted, Task(second))
        again = worker_pools.render(job, Task(third))
    finally:
        worker_pools.leave(job)
    each = [receipt.samples / receipt.records for receipt in (before, after, again)]
    assert each == [3, 6, 3], "the original, and two or five copies"
