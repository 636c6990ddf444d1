"""The work of a submission comes back from its files as it was, and goes when the submission is over."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import config_of, opened, parquet, planned, text_columns
from totals_and_keys import tallied

from pipeline.dataset.commit import Expected
from pipeline.engines import work_files
from pipeline.engines.work_files import (
    assign,
    assigned_end,
    assigned_tasks,
    assigned_whole,
    dismiss,
    dismiss_all,
    end_detached,
    ended,
    with_candidates,
)
from pipeline.planning.donors.selection import Candidate, Candidates
from pipeline.planning.job import Job, Task
from pipeline.records import SPLITS, Block, InputFile, Shard, Unit
from pipeline.rendering.stages import render

FILES = st.builds(
    InputFile, st.text(st.characters(exclude_categories=["Cs"]), max_size=5), st.integers(0, 2**62), st.just("t")
)
UNITS = st.builds(
    Unit, st.sampled_from(["a", "b/ü"]), st.integers(0, 2**40), st.integers(0, 2**62), st.integers(0, 9),
    st.integers(0, 2**40), members=st.lists(FILES, max_size=2).map(tuple), listed=st.none() | FILES,
)  # fmt: skip
BLOCKS = st.builds(Block, UNITS, st.integers(0, 2**40), st.integers(0, 2**40))
SHARDS = st.builds(Shard, st.sampled_from(SPLITS), st.integers(0, 2**20), st.lists(BLOCKS, max_size=4).map(tuple))


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    home = tmp_path_factory.mktemp("assignment")
    return opened(config_of(parquet(home / "a.parquet", text_columns(3)), home / "out"))[0]


@given(st.lists(SHARDS, max_size=9), st.integers(1, 4), st.lists(FILES, max_size=3))
def test_work_comes_back_as_it_was(job: Job, shards: list[Shard], per_file: int, files: list[InputFile]) -> None:
    expected = Expected(tuple(s.name for s in shards), 7, tuple(files))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work_files, "_TASKS_PER_FILE", per_file)
        count = assign(job, "s", map(Task, shards), expected)
    assert count == -(-len(shards) // per_file)
    assert [t for n in range(count) for t in assigned_tasks(job.dataset, "s", n)] == list(map(Task, shards))
    assert assigned_end(job.dataset, "s") == expected
    assert with_candidates(job, "s") is job
    dismiss(job.dataset, "s")
    assert not [p for p in Path(job.dataset.url).rglob("*") if p.is_file()]


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), st.lists(BLOCKS, max_size=3)))
def test_candidates_come_back_with_their_blocks(job: Job, classes: dict[str, list[Block]]) -> None:
    found = {name: tuple(Candidate("k", "f", 3, block) for block in blocks) for name, blocks in classes.items()}
    donors = tuple(Candidate("d", "f", 1, block, ("a", name)) for name, blocks in classes.items() for block in blocks)
    looking = replace(job, candidates=Candidates(found, (Candidate("k", "f", 4),), donors))
    assign(looking, "s", (), Expected((), 0, ()))
    assert with_candidates(job, "s") == looking
    dismiss(job.dataset, "s")
    assert with_candidates(job, "s") is job


def test_a_unit_is_written_once_for_all_its_blocks(job: Job) -> None:
    unit = Unit("x" * 1_000, 10_000, 10_000)
    shards = [Shard("train", n, (Block(unit, n, n + 1),)) for n in range(1_000)]
    assert assign(job, "s", map(Task, shards), Expected((), 0, ())) == 1
    assert len(job.dataset.read("_runs/work/s-00000.json")) < 50_000


def test_a_detached_commit_removes_its_work_and_may_be_asked_for_again(tmp_path: Path) -> None:
    made, _, plan = planned(config_of(parquet(tmp_path / "a.parquet", text_columns(9)), tmp_path / "out"))
    tally = tallied(render(made, Task(shard)) for shard in plan.shards)
    with pytest.raises(FileNotFoundError):
        end_detached(made, "s", tally)
    assign(made, "s", map(Task, plan.shards), Expected(tuple(s.name for s in plan.shards), 9, ()))
    assert end_detached(made, "s", tally) == "committed"
    assert not made.dataset.names("_runs/work")
    assert end_detached(made, "s", tally) == "committed"


def test_work_that_went_with_the_commit_of_another_run_is_over(tmp_path: Path) -> None:
    made, _, plan = planned(config_of(parquet(tmp_path / "a.parquet", text_columns(9)), tmp_path / "out"))
    tally = tallied(render(made, Task(shard)) for shard in plan.shards)
    for name in ("one", "other"):
        assign(made, name, map(Task, plan.shards), Expected(tuple(s.name for s in plan.shards), 9, ()))
    dismiss(made.dataset, "other")
    for ask in (lambda: list(assigned_tasks(made.dataset, "other", 0)), lambda: ended(made, "other", tally)):
        with pytest.raises(FileNotFoundError):  # nobody has committed: it is lost
            ask()
    assert ended(made, "one", assigned_whole(made, "one", tally)) == "committed"
    dismiss_all(made.dataset)
    assert list(assigned_tasks(made.dataset, "other", 0)) == []
    assert assigned_whole(made, "other", tally) is tally
    assert ended(made, "other", tally) == "committed"
