import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_columns import small_columns

from pipeline.splitting.assignment.hash_ranges import alike, by_number, same, turns

ODD = 0x9E3779B97F4A7C15
DIGESTS = st.lists(st.integers(0, 30).map(lambda n: n * ODD % 2**64), max_size=80)


@given(DIGESTS, st.sampled_from([2, 5, 1000]))
def test_each_later_row_has_the_first_one_with_its_digest(digests: list[int], held: int) -> None:
    with small_columns(held):
        parts = list(same(np.array(digests, np.uint64)))
    found = {row: first for firsts, rows in parts for first, row in zip(firsts.tolist(), rows.tolist(), strict=True)}
    assert sum(len(rows) for _, rows in parts) == len(found)
    assert found == {n: digests.index(d) for n, d in enumerate(digests) if d and digests.index(d) != n}


def test_a_digest_that_very_many_rows_have_is_held_once() -> None:
    with small_columns():
        parts = list(same(np.full(1000, 2**63 + 5, np.uint64)))
    assert max(len(rows) for _, rows in parts) < 25
    assert sorted(row for _, rows in parts for row in rows.tolist()) == list(range(1, 1000))
    assert {first for firsts, _ in parts for first in firsts.tolist()} == {0}


@given(st.lists(st.floats(0, 1, exclude_max=True), max_size=60), st.sampled_from([2, 5, 1000]))
def test_wanted_rows_come_in_the_order_of_their_numbers(drawn: list[float], held: int) -> None:
    numbers = np.array(drawn)
    wanted = np.arange(len(drawn)) % 3 > 0
    with small_columns(held):
        rows = [row for some in by_number(numbers, lambda span: wanted[span]) for row in some.tolist()]
    assert rows == [n for n in np.argsort(numbers, kind="stable").tolist() if wanted[n]]


@pytest.mark.parametrize(("kinds", "expected"), [([3, 1, 3, 3, 1], [0, 0, 1, 2, 1]), ([], []), ([4], [0])])
def test_turns_of_a_kind(kinds: list[int], expected: list[int]) -> None:
    assert turns(np.array(kinds, np.int32)).tolist() == expected


@given(st.lists(st.integers(0, 9) | st.integers(0, 2**64 - 1), max_size=60), st.sampled_from([2, 5, 1000]))
def test_all_of_one_name_come_at_once(drawn: list[int], held: int) -> None:
    names = np.array(drawn, np.uint64)
    with small_columns(held):
        parts = [part.tolist() for part in alike(names)]
    assert sorted(place for part in parts for place in part) == list(range(len(drawn)))
    assert sum(len({drawn[place] for place in part}) for part in parts) == len(set(drawn))


def test_small_numbers_are_dealt_out() -> None:
    with small_columns(10):
        parts = [len(part) for part in alike(np.arange(100, dtype=np.uint64))]
    assert len(parts) == 10
    assert max(parts) < 20
