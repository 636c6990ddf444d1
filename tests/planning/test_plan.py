from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_surveys import rows, surveys
from small_inputs import config_of, opened, parquet, planned, text_columns

from pipeline.planning.blocks import BlockTable, BlockTally
from pipeline.planning.job import Job
from pipeline.planning.plan import LINEAGE_BYTES, Plan, Probe, estimated_seconds, make_plan
from pipeline.planning.survey import Survey
from pipeline.records import SPLITS, Block, Unit

PROBE = Probe(2, 100.0, 100.0, 50.0, 0.25)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    home = tmp_path_factory.mktemp("planning")
    path = parquet(home / "a.parquet", text_columns(3))
    return opened(config_of(path, home / "out", output__shard_size="1KiB"))[0]


@given(surveys())
def test_every_row_of_every_split_is_in_exactly_one_shard(job: Job, surveyed: Survey) -> None:
    plan = make_plan(job, surveyed, PROBE)
    for split in SPLITS:
        mine = [s for s in plan.shards if s.split == split]
        found = rows(mine)
        wanted = [
            (t.block.unit.file, n)
            for t in surveyed.blocks
            if t.records.get(split)
            for n in range(t.block.start, t.block.stop)
        ]
        assert found == wanted
        assert [s.index for s in mine] == list(range(len(mine)))
    assert len({s.name for s in plan.shards}) == len({s.path for s in plan.shards}) == len(plan.shards)
    assert [SPLITS.index(s.split) for s in plan.shards] == sorted(SPLITS.index(s.split) for s in plan.shards)


@given(surveys())
def test_totals(job: Job, surveyed: Survey) -> None:
    plan = make_plan(job, surveyed, PROBE)
    assert plan.records == surveyed.records == sum(s.records for s in plan.splits.values())
    assert plan.samples == sum(s.samples for s in plan.splits.values())
    for split, totals in plan.splits.items():
        assert totals.records == surveyed.of_split(split) > 0
        assert totals.samples == totals.records * (3 if split == "train" else 1)
        assert totals.shards == sum(s.split == split for s in plan.shards) > 0
        assert totals.bytes >= totals.samples * LINEAGE_BYTES


@given(surveys())
def test_the_same_survey_is_cut_the_same_way(job: Job, surveyed: Survey) -> None:
    again = replace(surveyed, blocks=BlockTable.of(surveyed.blocks))
    one, two = make_plan(job, surveyed, PROBE), make_plan(job, again, PROBE)
    assert replace(one, shards=tuple(one.shards)) == replace(two, shards=tuple(two.shards))


@given(surveys(), st.integers(1, 40_000))
def test_another_split_does_not_move_a_splits_shards(job: Job, surveyed: Survey, size: int) -> None:
    train = [(t.block, 100.0 * t.records["train"]) for t in surveyed.blocks if t.records.get("train")]
    alone = Survey(
        BlockTable.of(
            BlockTally(t.block, {"train": t.records["train"]}) for t in surveyed.blocks if t.records.get("train")
        )
    )
    assert [b for b, _ in train] == [t.block for t in alone.blocks]
    both = [s for s in make_plan(job, surveyed, PROBE).shards if s.split == "train"]
    assert [s for s in make_plan(job, alone, PROBE).shards if s.split == "train"] == both


def test_without_a_probe_a_copy_weighs_what_its_record_did(job: Job) -> None:
    unit = Unit("f", 10, 10_000)
    surveyed = Survey(BlockTable.of([BlockTally(Block(unit, 0, 10), {"train": 10})]))
    assert make_plan(job, surveyed, Probe()).splits["train"].bytes == 10 * 3 * (1_000 + LINEAGE_BYTES)


def test_the_probe_weighs_copies_and_what_passes_through(job: Job) -> None:
    unit = Unit("f", 10, 10 * 150)
    surveyed = Survey(BlockTable.of([BlockTally(Block(unit, 0, 10), {"train": 4, "test": 6})]))
    plan = make_plan(job, surveyed, Probe(1, 100.0, 80.0, 20.0, 0.0))
    assert plan.splits["train"].bytes == 4 * (3 * (LINEAGE_BYTES + 50) + 80 + 2 * 20)
    assert plan.splits["test"].bytes == 6 * (LINEAGE_BYTES + 50 + 80)


def test_estimated_time() -> None:
    plan = Plan((), {}, {}, 0, 0)
    assert estimated_seconds(plan, PROBE, 2) == 0


def test_shards_of_a_real_input(tmp_path: Path) -> None:
    path = parquet(tmp_path / "a.parquet", text_columns(400), per_group=90)
    config = config_of(path, tmp_path / "out", output__shard_size="16KiB", split={"validation": 0.2, "test": 0.2})
    _, _, plan = planned(config)
    assert Counter(s.split for s in plan.shards).keys() == set(SPLITS)
    assert len(plan.shards) > 10
    assert tuple(plan.shards) == tuple(planned(config)[2].shards)
    assert [plan.shards[n] for n in range(-3, 3)] == [*list(plan.shards)[-3:], *list(plan.shards)[:3]]
