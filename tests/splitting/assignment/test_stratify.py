from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_columns import small_columns

from pipeline.splitting.assignment import bulk, stratify
from pipeline.splitting.assignment.stratify import Parts, share_out, targets
from pipeline.splitting.components import Components, components, no_pairs

SPLIT = Parts((0.7, 0.2, 0.1), (2, 0, 1))


def alone(count: int) -> Components:
    rows = np.arange(count)
    return Components(rows, rows, np.ones(count, np.int64))


def grouped(groups: list[int]) -> Components:
    digests = np.array(groups, np.uint64) + np.uint64(1)
    return components(np.arange(len(groups), dtype=np.uint64), [digests], no_pairs())


def drawn(count: int) -> np.ndarray:
    return np.random.default_rng(count).random(count)


def none_taken(sets: int, parts: int = 3) -> np.ndarray:
    return np.zeros((sets, parts), np.int64)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40), st.floats(0, 0.5), st.floats(0, 0.5))
def test_targets_are_within_one_record_of_each_share_and_add_up(sizes: list[int], one: float, other: float) -> None:
    shares = (1 - one - other, one, other)
    found = targets(sizes, shares)
    for size, got in zip(sizes, found, strict=True):
        assert sum(got) == size
        assert all(abs(g - size * share) <= 1 + 1e-6 for g, share in zip(got, shares, strict=True))


def test_many_small_classes_together_have_their_share() -> None:
    found = np.array(targets([2] * 100, (0.8, 0.1, 0.1))).sum(0)
    assert abs(found - [160, 20, 20]).max() <= 1


@given(st.lists(st.integers(0, 4), min_size=1, max_size=200))
def test_records_without_relatives_meet_the_shares_of_every_class_within_one(codes: list[int]) -> None:
    sets = [(f"c{n}",) for n in range(5)]
    labels = np.array(codes, np.int32)
    parts = share_out(alone(len(codes)), (sets, labels), drawn(len(codes)), none_taken(5), SPLIT)
    for code in set(codes):
        got = np.bincount(parts[labels == code], minlength=3)
        assert (abs(got - got.sum() * np.array(SPLIT.shares)) <= 1 + 1e-6).all()


def test_of_records_without_relatives_the_low_numbers_are_test_and_the_high_ones_validation() -> None:
    numbers = drawn(50)
    parts = share_out(alone(50), ([("a",)], np.zeros(50, np.int32)), numbers, none_taken(1), SPLIT)
    assert numbers[parts == 2].max() < numbers[parts == 0].min()
    assert numbers[parts == 0].max() < numbers[parts == 1].min()


def test_groups_are_divided_as_well_as_they_can_be() -> None:
    sizes = [6, 5, 5]
    found = grouped([n for n, size in enumerate(sizes) for _ in range(size)])
    parts = share_out(
        found, ([()], np.zeros(16, np.int32)), drawn(3), none_taken(1, 2), Parts((10 / 16, 6 / 16), (0, 1))
    )
    assert sorted(found.sizes[parts == 0].tolist()) == [5, 5]  # 11 and 5 is what comes of the largest first alone


def test_of_a_few_groups_the_best_division_is_found() -> None:
    """Against all divisions there are."""
    rng = np.random.default_rng(11)
    best_of_all = 0
    for _ in range(25):
        sizes, labels = rng.integers(2, 9, 8), []
        for size in sizes:
            labels += rng.integers(0, 2, size).tolist()
        found = grouped([n for n, size in enumerate(sizes) for _ in range(size)])
        codes = np.array(labels, np.int32)
        counts = np.array([np.bincount(codes[found.of == n], minlength=2) for n in range(8)])
        wanted = np.array(targets(counts.sum(0).tolist(), (0.7, 0.3)))
        divisions = [np.array([n >> bit & 1 for bit in range(8)]) for n in range(256)]
        missed = [((wanted[:, 1] - counts.T @ division) ** 2).sum() for division in divisions]
        sets = [("a",), ("b",)]
        parts = share_out(found, (sets, codes), drawn(8), none_taken(2, 2), Parts((0.7, 0.3), (0, 1)))
        best_of_all += int(((wanted[:, 1] - counts.T @ parts) ** 2).sum() == min(missed))
    assert best_of_all == 25


@pytest.mark.parametrize(("rows", "size", "classes"), [(3000, 3, 20), (90_000, 3, 20), (60_000, 1, 20), (1200, 12, 4)])
def test_groups_of_several_classes_meet_every_share_within_one_record(rows: int, size: int, classes: int) -> None:
    """Also where there are more groups than are placed one by one, and where some are records without relatives."""
    rng = np.random.default_rng(rows)
    codes = (classes * rng.random(rows) ** 2).astype(np.int32)
    sets = [(f"c{n:02}",) for n in range(classes)]
    found = grouped((np.arange(rows) // (size * rng.integers(1, 3, rows).cumsum() % 2 + size)).tolist())
    parts = share_out(found, (sets, codes), drawn(len(found)), none_taken(classes), SPLIT)[found.of]
    got = np.zeros((classes, 3))
    np.add.at(got, (codes, parts), 1)
    assert abs(got - got.sum(1, keepdims=True) * np.array(SPLIT.shares)).max() <= 1


def test_a_part_without_a_share_gets_nothing() -> None:
    """Neither groups that fit nowhere, nor what comes when all others have too much."""
    found = grouped([0] * 5 + [1] * 5 + [2] * 5 + [3])
    shares = Parts((0.5, 0.5, 0.0), (2, 0, 1))
    labels = ([("a",)], np.zeros(16, np.int32))
    parts = share_out(found, labels, drawn(4), none_taken(1), shares)
    assert set(parts.tolist()) == {0, 1}
    parts = share_out(found, labels, drawn(4), np.array([[100, 100, 0]]), shares)
    assert set(parts.tolist()) <= {0, 1}
    parts = share_out(alone(9), ([("a",)], np.zeros(9, np.int32)), drawn(9), np.array([[100, 9, 0]]), shares)
    assert set(parts.tolist()) == {1}


def test_groups_bring_every_class_near_its_share() -> None:
    rng = np.random.default_rng(3)
    groups = rng.integers(0, 60, 900)
    labels = (groups % 3).astype(np.int32)
    found = grouped(groups.tolist())
    parts = share_out(found, ([("a",), ("b",), ("c",)], labels), drawn(len(found)), none_taken(3), SPLIT)[found.of]
    for label in range(3):
        got = np.bincount(parts[labels == label], minlength=3) / (labels == label).sum()
        assert abs(got - SPLIT.shares).max() < 0.04


def test_records_of_several_classes_bring_each_class_near_its_share() -> None:
    sets = [("a",), ("a", "b"), ("b", "c")]
    labels = np.array([0] * 50 + [1] * 30 + [2] * 20, np.int32)
    parts = share_out(alone(100), (sets, labels), drawn(100), none_taken(3), SPLIT)
    for name in "abc":
        holding = np.array([name in sets[code] for code in labels])
        got = np.bincount(parts[holding], minlength=3)
        assert abs(got - holding.sum() * np.array(SPLIT.shares)).max() <= 2


def test_what_is_placed_already_counts() -> None:
    taken = np.array([[0, 20, 0]])
    parts = share_out(alone(80), ([("a",)], np.zeros(80, np.int32)), drawn(80), taken, SPLIT)
    assert np.bincount(parts, minlength=3).tolist() == [70, 0, 10]


def test_more_than_the_share_placed_already_leaves_the_rest_to_the_others() -> None:
    taken = np.array([[0, 60, 0]])
    parts = share_out(alone(40), ([("a",)], np.zeros(40, np.int32)), drawn(40), taken, SPLIT)
    assert np.bincount(parts, minlength=3).tolist() == [30, 0, 10]


@given(st.lists(st.integers(0, 30), min_size=1, max_size=120), st.randoms())
def test_the_order_of_rows_plays_no_part(groups: list[int], random: object) -> None:
    shuffled = list(range(len(groups)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    numbers = {g: (g * 7919 % 101) / 101 for g in set(groups)}

    def parts_of(order: list[int]) -> dict[int, int]:
        own = [groups[n] for n in order]
        found = components(np.array(own, np.uint64), [np.array(own, np.uint64) + np.uint64(1)], no_pairs())
        of = [own[head] for head in found.heads.tolist()]
        parts = share_out(
            found, ([()], np.zeros(len(own), np.int32)), np.array([numbers[g] for g in of]), none_taken(1), SPLIT
        )
        return dict(zip(of, parts.tolist(), strict=True))

    assert parts_of(list(range(len(groups)))) == parts_of(shuffled)


def test_a_class_whose_records_all_have_twins_keeps_its_share_beside_one_that_has_others() -> None:
    twins = [n for _ in range(2) for n in range(121)]
    found = grouped([*twins, *range(1000, 1030)])
    labels = np.array([0] * 121 + [1] * 151, np.int32)
    parts = share_out(found, ([("a",), ("b",)], labels), drawn(len(found)), none_taken(2, 2), Parts((0.9, 0.1), (0, 1)))
    held = [int((parts[found.of][labels == label] == 1).sum()) for label in range(2)]
    assert held == [12, 15]


def test_many_groups_are_divided_alike_however_many_are_looked_at_at_once() -> None:
    """Also those of which most are dealt out, and some placed one by one."""
    rng = np.random.default_rng(1)
    rows = 3000
    groups = rng.integers(0, 900, rows)
    found = grouped(groups.tolist())
    labels = ([(f"c{n}",) for n in range(5)], (5 * rng.random(rows) ** 2).astype(np.int32))
    numbers = drawn(len(found))

    def shared_out() -> list[int]:
        with patch.object(stratify, "ONE_BY_ONE", 200), patch.object(bulk, "ONE_BY_ONE", 200):
            return share_out(found, labels, numbers, none_taken(5), SPLIT).tolist()

    expected = shared_out()
    with small_columns(100):
        assert shared_out() == expected
