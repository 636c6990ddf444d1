import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_inputs import config_of, opened, parquet, planned, text_columns

from pipeline import cutting
from pipeline.block_table import BlockTable, BlockTally
from pipeline.cutting import ShardTable, cut_shards
from pipeline.job import Job
from pipeline.planning import LINEAGE_BYTES, Plan, Probe, estimated_seconds, make_plan
from pipeline.records import SPLITS, Block, InputFile, Shard, Split, Unit
from pipeline.survey import Survey

PROBE = Probe(2, 100.0, 100.0, 50.0, 0.25)


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    home = tmp_path_factory.mktemp("planning")
    path = parquet(home / "a.parquet", text_columns(3))
    return opened(config_of(path, home / "out", output__shard_size="1KiB"))[0]


@st.composite
def surveys(draw: st.DrawFn) -> Survey:
    """Units cut into blocks, each with some records of some splits."""
    blocks = []
    for number in range(draw(st.integers(1, 6))):
        sizes = draw(st.lists(st.integers(1, 9), min_size=1, max_size=6))
        unit = Unit(f"f{number}", sum(sizes), sum(sizes) * draw(st.integers(1, 2_000)))
        start = 0
        for size in sizes:
            first = draw(st.integers(0, size))
            second = draw(st.integers(0, size - first))
            counts: dict[Split, int] = {"train": first, "validation": second, "test": size - first - second}
            blocks.append(BlockTally(Block(unit, start, start + size), {s: n for s, n in counts.items() if n}))
            start += size
    return Survey(BlockTable.of(blocks))


def cut_up(split: Split, blocks: Sequence[tuple[Block, float]], size: int) -> ShardTable:
    """Shards of one split, all of whose blocks hold a record of it."""
    table = BlockTable.of(BlockTally(block, {split: 1}) for block, _ in blocks)
    return ShardTable((cut_shards(split, table, np.array([weight for _, weight in blocks]), size),))


def straightforward(split: Split, blocks: Sequence[tuple[Block, float]], size: int) -> Iterator[Shard]:
    """The definition, block by block."""
    left = sum(heavy for _, heavy in blocks)
    pending: list[Block] = []
    weight, index, room = 0.0, 0, size if left > 2 * size else size / 4
    for block, heavy in blocks:
        if pending and weight + heavy > room:
            yield Shard(split, index, tuple(pending))
            pending, weight, index, room = [], 0.0, index + 1, size if left > 2 * size else size / 4
        if pending and pending[-1].unit is block.unit and pending[-1].stop == block.start:
            pending[-1] = Block(block.unit, pending[-1].start, block.stop)
        else:
            pending.append(block)
        weight += heavy
        left -= heavy
    if pending:
        yield Shard(split, index, tuple(pending))


@given(surveys(), st.data(), st.integers(1, 3_000), st.integers(1, 7))
def test_cutting_columns_is_cutting_block_by_block(
    surveyed: Survey, data: st.DataObject, size: int, at_once: int
) -> None:
    for split in SPLITS:
        held = [t for t in surveyed.blocks if t.records.get(split)]
        weights = data.draw(st.lists(st.floats(0, 1_000), min_size=len(held), max_size=len(held)))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(cutting, "_AT_ONCE", at_once)
            found = ShardTable((cut_shards(split, surveyed.blocks, np.array(weights), size),))
        pairs = [(t.block, weight) for t, weight in zip(held, weights, strict=True)]
        assert list(found) == list(straightforward(split, pairs, size))


def rows(shards: Any) -> list[tuple[str, int]]:
    return [(b.unit.file, n) for shard in shards for b in shard.blocks for n in range(b.start, b.stop)]


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


@given(st.lists(st.floats(1, 500), max_size=30), st.integers(1, 1_000))
def test_shards_are_about_as_big_as_asked(weights: list[float], size: int) -> None:
    unit = Unit("f", len(weights), 1)
    blocks = [(Block(unit, n, n + 1), weight) for n, weight in enumerate(weights)]
    cut = list(cut_up("train", blocks, size))
    assert rows(cut) == [("f", n) for n in range(len(weights))]
    heavy = [sum(weights[n] for b in s.blocks for n in range(b.start, b.stop)) for s in cut]
    for shard, weight in zip(cut, heavy, strict=True):
        assert weight <= size + 1e-6 or shard.blocks[0].stop - shard.blocks[0].start == 1
    for (_, one), (after, _) in pairwise(zip(cut, heavy, strict=True)):
        assert one + weights[after.blocks[0].start] > size / 4
    ends = list(accumulate(heavy))
    for number, (shard, following) in enumerate(pairwise(cut)):
        if ends[-1] - ends[number] + heavy[number] > 2 * size + 1e-6:  # not one of the last
            assert heavy[number] + weights[following.blocks[0].start] > size, shard


def test_the_last_shards_are_quarters() -> None:
    unit = Unit("f", 80, 1)
    cut = list(cut_up("train", [(Block(unit, n, n + 1), 100.0) for n in range(80)], 1_000))
    assert [s.blocks[0].stop - s.blocks[0].start for s in cut] == [10] * 6 + [2] * 10


def test_nothing_becomes_no_shard() -> None:
    assert list(cut_up("train", [], 100)) == []


def test_a_block_of_any_weight_is_a_shard() -> None:
    unit = Unit("f", 3, 1)
    cut = list(cut_up("test", [(Block(unit, n, n + 1), 1e18) for n in range(3)], 1024))
    assert [s.path for s in cut] == ["test/part-00000.parquet", "test/part-00001.parquet", "test/part-00002.parquet"]
    assert [s.name for s in cut] == ["test-00000", "test-00001", "test-00002"]


def test_neighbours_of_one_unit_are_read_at_once() -> None:
    one, two = Unit("f", 9, 1), Unit("g", 9, 1)
    spans = [(one, 0, 2), (one, 2, 5), (one, 6, 9), (two, 0, 3), (two, 3, 4)]
    (shard,) = cut_up("train", [(Block(*span), 1.0) for span in spans], 100)
    assert shard.blocks == (Block(one, 0, 5), Block(one, 6, 9), Block(two, 0, 4))


def test_a_shard_of_a_folder_holds_no_more_than_its_own_files() -> None:
    members = tuple(InputFile(f"{n}.png", 10, "t") for n in range(100))
    unit = Unit("0.png", 100, 1_000, members=members)
    shards = cut_up("train", [(Block(unit, n, n + 10), 100.0) for n in range(0, 100, 10)], 200)
    assert [m for shard in shards for block in shard.blocks for m in block.unit.members] == list(members)
    assert all(len(pickle.dumps(shard)) < 1_000 for shard in shards)


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
