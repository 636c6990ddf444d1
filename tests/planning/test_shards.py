import pickle
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_surveys import rows, surveys

from pipeline.planning import shards as cutting
from pipeline.planning.blocks import BlockTable, BlockTally
from pipeline.planning.shards import ShardTable, Sizing, cut_shards
from pipeline.planning.survey import Survey
from pipeline.records import SPLITS, Block, InputFile, Shard, Split, Unit


def cut_up(split: Split, blocks: Sequence[tuple[Block, float]], size: int) -> ShardTable:
    """Shards of one split, all of whose blocks hold a record of it."""
    table = BlockTable.of(BlockTally(block, {split: 1}) for block, _ in blocks)
    return ShardTable((cut_shards(split, table, np.array([weight for _, weight in blocks]), Sizing(size)),))


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
            found = ShardTable((cut_shards(split, surveyed.blocks, np.array(weights), Sizing(size)),))
        pairs = [(t.block, weight) for t, weight in zip(held, weights, strict=True)]
        assert list(found) == list(straightforward(split, pairs, size))


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


def test_shards_by_place() -> None:
    unit = Unit("f", 9, 1)
    shards = cut_up("test", [(Block(unit, n, n + 1), 1.0) for n in range(9)], 1)
    both = ShardTable((*shards.parts, *cut_up("train", [(Block(unit, 0, 1), 1.0)], 1).parts))
    assert [both[n] for n in range(10)] == [both[n - 10] for n in range(10)] == list(both)
    assert len(both) == 10
    for place in (10, -11):
        with pytest.raises(IndexError):
            both[place]
