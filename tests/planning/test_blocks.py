from hypothesis import given
from made_surveys import surveys

from pipeline.planning.blocks import BlockTable, BlockTally
from pipeline.planning.survey import Survey
from pipeline.records import SPLITS, Block, InputFile, Unit


@given(surveys())
def test_columns_give_back_the_blocks(surveyed: Survey) -> None:
    tallies = list(surveyed.blocks)
    again = BlockTable.of(tallies)
    assert list(again) == tallies
    assert len(again) == len(tallies)
    for split in SPLITS:
        assert again.of_split(split).tolist() == [t.records.get(split, 0) for t in tallies]
    assert all(again[n].block == again.block(n) == t.block for n, t in enumerate(tallies))


def test_nothing() -> None:
    empty = BlockTable.of([])
    assert (list(empty), len(empty)) == ([], 0)
    assert empty.of_split("train").tolist() == []


def test_a_block_is_small_whatever_its_records_are() -> None:
    unit = Unit("f", 10**9, 10**12)
    table = BlockTable.of(BlockTally(Block(unit, n, n + 10**6), {"train": 10**6}) for n in range(0, 10**9, 10**6))
    columns = (table.unit, table.start, table.stop, table.records)
    assert sum(column.nbytes for column in columns) == 32 * 1_000


def test_a_folders_block_alone_has_its_own_files() -> None:
    members = tuple(InputFile(f"{n}", n, "t") for n in range(10))
    unit = Unit("0", 10, 45, members=members)
    alone = Block(unit, 3, 5).alone()
    assert (alone.start, alone.stop, alone.unit.rows, alone.unit.members) == (0, 2, 2, members[3:5])
    assert Block(unit, 0, 10).alone() == Block(unit, 0, 10)
    table = Unit("t", 10, 45)
    assert Block(table, 3, 5).alone() == Block(table, 3, 5)
