"""The order in which blocks are dealt, measured on what a reader of the first rows gets."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_surveys import rows, surveys

from pipeline.planning.blocks import BlockTable, BlockTally
from pipeline.planning.shard_mixing import Reach, in_stretches, mixed_order, reach_of
from pipeline.planning.shards import Sizing, cut_shards
from pipeline.planning.survey import Survey
from pipeline.records import Block, Shard, Unit

WAYS = (Reach("scattered", 16), Reach("held", 4), Reach("forwards", 4))


def dealt(table: BlockTable, reach: Reach, size: float, seed: int = 17) -> list[Shard]:
    """Training shards of a table, each row one byte."""
    weights = table.of_split("train")[np.flatnonzero(table.of_split("train"))].astype(np.float64)
    order = mixed_order(reach, table.unit[np.flatnonzero(table.of_split("train"))], weights, seed)
    parts = cut_shards("train", table, weights, Sizing(size), order)
    return [parts.shard(n) for n in range(len(parts))]


def table_of(units: int, per_unit: int, block: int) -> BlockTable:
    listed = [Unit(f"f{n}", per_unit, per_unit) for n in range(units)]
    return BlockTable.of(
        BlockTally(Block(unit, start, start + block), {"train": block})
        for unit in listed
        for start in range(0, per_unit, block)
    )


@given(surveys(), st.sampled_from(WAYS), st.integers(1, 300), st.integers(-(2**63), 2**63 - 1))
def test_every_row_is_in_exactly_one_shard(surveyed: Survey, reach: Reach, size: int, seed: int) -> None:
    shards = dealt(surveyed.blocks, reach, size, seed)
    wanted = [
        (t.block.unit.file, n)
        for t in surveyed.blocks
        if t.records.get("train")
        for n in range(t.block.start, t.block.stop)
    ]
    assert sorted(rows(shards)) == sorted(wanted)
    for shard in shards:  # read forwards
        places = [(int(b.unit.file[1:]), b.start) for b in shard.blocks]
        assert places == sorted(places)


@pytest.mark.parametrize("reach", WAYS, ids=lambda r: r.way)
def test_a_shard_holds_rows_of_all_parts_of_a_sorted_input(reach: Reach) -> None:
    """Ten classes one after another, in ten shards: each shard has something of many of them."""
    table = table_of(units=4, per_unit=2_500, block=10)
    shards = dealt(table, reach, 1_000)
    for shard in shards[:-4]:  # the last ones are small
        found = Counter((int(file[1:]) * 2_500 + row) // 1_000 for file, row in rows([shard]))
        assert len(found) >= (4 if reach.way == "forwards" else 8)
        assert max(found.values()) <= sum(found.values()) * (0.3 if reach.way == "forwards" else 0.25)


@pytest.mark.parametrize("units", [1, 3, 40])
def test_few_units_are_open_at_once(units: int) -> None:
    shards = dealt(table_of(units, 400, 10), Reach("held", 4), 200)
    for shard in shards:
        assert len({b.unit.file for b in shard.blocks}) <= 8
    together = [{b.unit.file for b in one.blocks} | {b.unit.file for b in two.blocks} for one, two in pairwise(shards)]
    assert max(map(len, together)) <= 8


def test_large_units_are_read_forwards_from_shard_to_shard() -> None:
    shards = dealt(table_of(1, 4_000, 10), Reach("forwards", 4), 200)
    for part in range(4):
        starts = [b.start for s in shards for b in s.blocks if part * 1_000 <= b.start < (part + 1) * 1_000]
        assert starts == sorted(starts)
        assert len(starts) >= len(shards) - 1


def test_another_seed_is_another_order() -> None:
    table = table_of(4, 400, 10)
    for reach in WAYS[:2]:
        one, same, other = (dealt(table, reach, 200, seed) for seed in (1, 1, 2))
        assert one == same != other


def test_how_rows_are_reached() -> None:
    mib = 2**20
    assert reach_of(True, [Unit("f", 1, 2**40)]).way == "scattered"
    assert reach_of(False, [Unit("f", 1, mib)] * 9) == Reach("held", 16)
    assert reach_of(False, [Unit("f", 1, 16 * mib)] * 9) == Reach("held", 3)
    assert reach_of(False, [Unit("f", 1, 30 * mib)] * 9) == Reach("held", 2)
    assert reach_of(False, [Unit("f", 1, 200 * mib)] * 4) == Reach("forwards", 4)
    assert reach_of(False, [Unit("f", 1, 200 * mib)] * 5) == Reach("forwards", 1)
    assert reach_of(False, [Unit("f", 1, 100 * mib)] * 5) == Reach("held", 1)
    assert reach_of(False, [Unit("f", 1, 2**30)]) == Reach("forwards", 1)


def test_large_units_come_one_after_another_in_random_order() -> None:
    shards = dealt(table_of(20, 400, 10), Reach("forwards", 1), 400)
    files = [b.unit.file for s in shards for b in s.blocks]
    runs = [file for n, file in enumerate(files) if not n or files[n - 1] != file]
    assert len(runs) == 20
    assert runs != sorted(runs, key=lambda name: int(name[1:]))


@given(st.lists(st.floats(0, 500), max_size=60), st.integers(1, 40))
def test_a_count_of_shards(weights: list[float], count: int) -> None:
    unit = Unit("f", max(1, len(weights)), 1)
    table = BlockTable.of(BlockTally(Block(unit, n, n + 1), {"train": 1}) for n in range(len(weights)))
    parts = cut_shards("train", table, np.array(weights, np.float64), Sizing(1.0, count))
    assert rows(parts.shard(n) for n in range(len(parts))) == [("f", n) for n in range(len(weights))]
    assert len(parts) <= min(count, len(weights))
    if all(weight == weights[0] for weight in weights):
        assert len(parts) == min(count, len(weights))


@pytest.mark.parametrize(("count", "workers"), [(0, 2), (5, 2), (8, 3), (9, 2), (30, 2), (31, 3), (30, 40)])
def test_workers_in_turns_go_on_where_they_were(count: int, workers: int) -> None:
    order = in_stretches(list(range(count)), workers)
    assert sorted(order) == list(range(count))
    early = order[: max(0, count - 8)]
    assert order[len(early) :] == list(range(len(early), count))  # the small ones
    for first in range(workers):
        own = early[first::workers]
        steps = [after - before for before, after in pairwise(own)]
        assert steps.count(1) >= len(steps) - 1  # where stretches are of unlike length the last turns shift
