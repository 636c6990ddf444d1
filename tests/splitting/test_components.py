import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from small_columns import small_columns

from pipeline.splitting.components import components, no_pairs

ROWS = st.lists(st.integers(0, 12), min_size=1, max_size=40)


def digests(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint64) * np.uint64(0x9E3779B97F4A7C15)


def ranks(count: int) -> np.ndarray:
    return digests([(n * 37) % 101 for n in range(count)])


def by_hand(first: list[int], second: list[int], pairs: list[tuple[int, int]]) -> list[int]:
    """The smallest row that each row is joined to."""
    of = list(range(len(first)))
    for _ in first:
        for one in range(len(first)):
            for other in range(len(first)):
                same = any(v[one] and v[one] == v[other] for v in (first, second))
                if same or (one, other) in pairs or (other, one) in pairs:
                    of[one] = of[other] = min(of[one], of[other])
    return of


@given(ROWS, st.data())
def test_rows_are_joined_by_every_relation_and_by_pairs(first: list[int], data: st.DataObject) -> None:
    count = len(first)
    second = data.draw(st.lists(st.integers(0, 12), min_size=count, max_size=count))
    row = st.integers(0, count - 1)
    pairs = data.draw(st.lists(st.tuples(row, row), max_size=4))
    with small_columns():
        found = components(ranks(count), [digests(first), digests(second)], np.array(pairs, np.int64).reshape(-1, 2))
    expected = by_hand(first, second, pairs)
    for one in range(count):
        for other in range(count):
            assert (found.of[one] == found.of[other]) == (expected[one] == expected[other])
    assert found.sizes.tolist() == np.bincount(found.of).tolist()
    for component, head in enumerate(found.heads.tolist()):
        members = np.flatnonzero(found.of == component)
        assert head in members
        assert ranks(count)[head] == ranks(count)[members].min()


def test_nothing_joins_rows_without_a_digest() -> None:
    found = components(ranks(3), [digests([0, 0, 0])], no_pairs())
    assert found.sizes.tolist() == [1, 1, 1]
    assert found.of.tolist() == found.heads.tolist() == [0, 1, 2]


def test_members_of_the_wanted_components() -> None:
    found = components(ranks(5), [digests([1, 2, 1, 3, 2])], no_pairs())
    assert found.members(found.sizes > 1).tolist() == [0, 1, 2, 4]


def test_rows_that_have_a_relative_are_counted() -> None:
    found = components(ranks(5), [digests([5, 0, 5, 0, 6]), digests([1, 1, 1, 1, 2])], np.array([[3, 4]]))
    assert found.related == (2, 4)
    assert found.sizes.tolist() == [5]
