"""The pool of local processes: every task is answered once, whoever began with it and however often."""

import os
import signal
from pathlib import Path

import pytest
from small_inputs import config_of, parquet, planned, text_columns, text_of, values

from pipeline.engines.local.pool import Pool
from pipeline.planning.job import Job, Task


@pytest.fixture
def work(tmp_path: Path) -> tuple[Job, list[Task]]:
    """A job of several shards."""
    parquet(tmp_path / "in" / "texts.parquet", text_columns(60), per_group=5)
    job, _, plan = planned(config_of(tmp_path / "in", tmp_path / "out", output__shard_size="2KiB"))
    tasks = [Task(shard) for shard in plan.shards]
    assert len(tasks) > 4
    return job, tasks


@pytest.mark.parametrize("count", [1, 2])
def test_shards_that_are_begun_are_answered_once(work: tuple[Job, list[Task]], count: int) -> None:
    job, tasks = work
    with Pool(job, count) as pool:
        expected = {receipt.name: receipt for receipt in pool.run("render", tasks)}
        pool.begin(tasks)
        found = list(pool.run("render", tasks))
        assert pool.samples() == 2 * sum(receipt.samples for receipt in found) > 0
    assert sorted(receipt.name for receipt in found) == sorted(task.shard.name for task in tasks)
    assert {receipt.name: receipt for receipt in found} == expected


def test_more_workers_than_shards(work: tuple[Job, list[Task]]) -> None:
    job, tasks = work
    with Pool(job, 2) as pool:
        pool.begin(tasks[:1])
        assert [receipt.name for receipt in pool.run("render", tasks[:1])] == [tasks[0].shard.name]


def test_a_worker_that_dies_before_anybody_asks(work: tuple[Job, list[Task]]) -> None:
    job, tasks = work
    with Pool(job, 2) as pool:
        pool.begin(tasks)
        os.kill(pool._workers[0].process.pid, signal.SIGKILL)
        found = [receipt.name for receipt in pool.run("render", tasks)]
    assert sorted(found) == sorted(task.shard.name for task in tasks)


def test_a_pool_that_is_left_with_work_begun_ends(work: tuple[Job, list[Task]]) -> None:
    job, tasks = work
    with Pool(job, 2) as pool:
        pool.begin(tasks)
        processes = [member.process for member in pool._workers]
    assert not any(process.is_alive() for process in processes)


@pytest.mark.parametrize("count", [1, 2])
def test_answers_to_a_call_that_was_given_up_are_not_those_of_the_next(
    work: tuple[Job, list[Task]], count: int
) -> None:
    job, tasks = work
    with Pool(job, count) as pool:
        text = text_of(values("in", "out", fields={"text": {"type": "text", "augment": ["nlpaug.Nothing"]}}))
        for _ in range(3):
            answers = pool.run("render", tasks)
            next(answers)
            del answers
            (problem,) = pool.recipe_problems(text)
            assert "Nothing" in problem.message
        assert sorted(r.name for r in pool.run("render", tasks)) == sorted(task.shard.name for task in tasks)


def test_a_call_that_another_one_took_over_does_not_end_as_if_it_were_done(work: tuple[Job, list[Task]]) -> None:
    job, tasks = work
    with Pool(job, 2) as pool:
        answers = pool.run("render", tasks)
        next(answers)
        assert len(list(pool.run("render", tasks))) == len(tasks)
        with pytest.raises(RuntimeError, match="asked for something else"):
            list(answers)


@pytest.mark.parametrize("count", [1, 2])
def test_work_that_was_begun_for_shards_is_no_answer_to_anything_else(work: tuple[Job, list[Task]], count: int) -> None:
    job, tasks = work
    with Pool(job, count) as pool:
        pool.begin(tasks)
        assert pool.recipe_problems(text_of(values("in", "out"))) == []
        assert sorted(r.name for r in pool.run("render", tasks)) == sorted(task.shard.name for task in tasks)
