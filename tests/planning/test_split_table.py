import numpy as np
import pytest

from pipeline.planning.split_table import BRIDGES, TIMELESS, SplitTable, block_of, refusal_of, refusals, split_places
from pipeline.records import InputFile, Unit

UNITS = (Unit("a", 3, 30), Unit("a", 2, 20, part=1, first_row=3), Unit("b", 4, 40))
TABLE = SplitTable.over(UNITS, np.arange(9, dtype=np.uint8) % 3)


def test_every_unit_has_its_own_rows() -> None:
    assert [TABLE.of(unit).tolist() for unit in UNITS] == [[0, 1, 2], [0, 1], [2, 0, 1, 2]]


def test_a_block_carries_what_was_decided_of_its_rows() -> None:
    assert block_of(TABLE, UNITS[2], 1, 3).splits == bytes([0, 1])
    assert block_of(None, UNITS[2], 1, 3).splits == b""


def test_a_block_of_files_carries_it_though_it_stands_alone() -> None:
    members = tuple(InputFile(f"{n}.txt", 1, "t") for n in range(4))
    unit = Unit("0.txt", 4, 4, members=members)
    block = block_of(SplitTable.over((unit,), np.array([0, 1, 2, 0], np.uint8)), unit, 1, 3)
    assert (block.start, block.stop, block.splits) == (0, 2, bytes([1, 2]))
    assert block.unit.members == members[1:3]


@pytest.mark.parametrize(("bit", "reason"), [(BRIDGES, "bridges_splits"), (TIMELESS, "null_time")])
def test_what_is_refused_keeps_its_split(bit: int, reason: str) -> None:
    codes = np.array([1, 2 | bit, 0], np.uint8)
    assert split_places(codes).tolist() == [1, 2, 0]
    assert refusals(codes).tolist() == [0, bit, 0]
    refusal = refusal_of(bit, "taken")
    assert (refusal.kind, refusal.reason) == ("failed", reason)
