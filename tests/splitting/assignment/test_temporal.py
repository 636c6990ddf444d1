import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.splitting.assignment.temporal import newest_held_out
from pipeline.splitting.components import components, no_pairs

NONE = np.zeros(3, np.int64)


def parts(times: list[int], groups: list[int] | None = None, taken: np.ndarray = NONE, **shares: float) -> list[int]:
    own = np.array(groups or range(1, len(times) + 1), np.uint64)
    found = components(np.arange(len(times), dtype=np.uint64), [own], no_pairs())
    return newest_held_out(found, np.array(times), taken, shares)[found.of].tolist()  # type: ignore[arg-type]


def test_the_newest_are_test_and_those_before_validation() -> None:
    assert parts([5, 1, 4, 2, 3, 9, 8, 7, 6, 0], validation=0.2, test=0.1) == [0, 0, 0, 0, 0, 2, 1, 1, 0, 0]


def test_equal_times_go_one_way_to_where_the_shares_are_nearest() -> None:
    assert parts([1] * 5 + [2] * 3 + [3] * 2, validation=0.25) == [0] * 8 + [1] * 2
    assert parts([1] * 5 + [2] * 2 + [3] * 3, validation=0.5) == [0] * 5 + [1] * 5


def test_a_group_is_as_new_as_its_newest_record() -> None:
    assert parts([1, 2, 3, 4], [1, 2, 3, 1], validation=0.5) == [1, 0, 0, 1]


def test_what_is_held_out_already_counts() -> None:
    assert parts([1, 2, 3, 4], taken=np.array([4, 2, 0]), validation=0.2) == [0, 0, 0, 0]


@given(st.lists(st.integers(0, 50), min_size=1, max_size=60))
def test_no_training_record_is_as_new_as_one_that_is_held_out(times: list[int]) -> None:
    found = parts(times, validation=0.2, test=0.2)
    newest = {p: max((t for t, part in zip(times, found, strict=True) if part == p), default=-1) for p in (0, 1)}
    oldest = {p: min((t for t, part in zip(times, found, strict=True) if part == p), default=99) for p in (1, 2)}
    assert newest[0] < min(oldest.values())
    assert newest[1] < oldest[2]
