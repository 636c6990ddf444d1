"""What records get, one by one and many at once; exact numbers where classes are balanced."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from pipeline.config.copies import Balanced, PerClass
from pipeline.planning.copies.balance import Classes, Rule, allot
from pipeline.planning.copies.table import DROPPED, CopyTable, Share, balanced_table, table_of
from pipeline.planning.keys import digests


def keys(count: int, name: str = "r") -> list[str]:
    return [f"{name}{n}" for n in range(count)]


def counted(table: CopyTable, classes: Classes, names: Sequence[str]) -> list[int]:
    return [table.of(classes, name) for name in names]


def test_one_number_for_all() -> None:
    assert table_of(3).alike
    assert table_of(3).of(("cat",), "a") == 3


def test_per_class_takes_the_largest_of_several() -> None:
    table = table_of(PerClass(per_class={"cat": 8, "dog": 2}, default=4))
    assert [table.of(c, "a") for c in (("cat",), ("dog",), ("dog", "cat"), ("emu",), ("dog", "emu"), ())] == [
        8, 2, 8, 4, 4, 4,
    ]  # fmt: skip


def test_before_the_survey_a_balance_promises_the_least() -> None:
    assert table_of(Balanced.model_validate({"balance": {"min_copies": 2}})).of(("cat",), "a") == 2


@pytest.mark.parametrize(("target", "downsample"), [(50, False), (5, True), (7, True), (13, False)])
def test_a_balance_is_met_to_the_record(target: int, downsample: bool) -> None:
    names = keys(10)
    found = {("cat",): digests(n.encode() for n in names)}
    table = balanced_table(allot({("cat",): 10}, Rule(target, downsample=downsample)), found)
    copies = counted(table, ("cat",), names)
    assert sum(c + 1 for c in copies if c != DROPPED) == target
    assert max(copies) - min(c for c in copies if c != DROPPED) <= 1


def test_another_record_changes_few_others() -> None:
    names = keys(200)
    rule = Rule(300)
    tables = []
    for count in (199, 200):
        found = {("cat",): digests(n.encode() for n in names[:count])}
        tables.append(balanced_table(allot({("cat",): count}, rule), found))
    before, after = (counted(table, ("cat",), names[:199]) for table in tables)
    assert sum(a != b for a, b in zip(before, after, strict=True)) <= 2


def test_many_at_once_are_as_one_by_one() -> None:
    table = CopyTable(1, {"emu": 9}, {("cat",): Share(2, 2**63), ("cat", "dog"): Share(0, 0, 2**62)})
    names = keys(60)
    classes: list[Classes] = [((), ("cat",), ("cat", "dog"), ("emu",), ("dog", "emu"))[n % 5] for n in range(60)]
    many = table.of_rows(classes, pa.array([n.encode() for n in names], pa.binary()))
    assert many.tolist() == [table.of(c, n) for c, n in zip(classes, names, strict=True)]
    assert DROPPED in many
    assert np.unique(many[1::5]).tolist() == [2, 3]
    capped = CopyTable(5, most=2)
    assert capped.of((), "a") == 2
