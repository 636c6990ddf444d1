from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pipeline.planning.hash_split import ordered, splits_of_keys
from pipeline.records import SPLIT_ALIASES, SPLITS, Split, split_of_name

SHARES = st.tuples(st.floats(0, 1), st.floats(0, 1)).filter(lambda s: sum(s) <= 1)
MANY = [f"r{n}" for n in range(4_000)]


def shares(test: float, validation: float) -> dict[Split, float]:
    return {"validation": validation, "test": test}


def split_of_key(key: str, group: str | None, shares: dict[Split, float], seed: int) -> Split:
    """One record on its own."""
    (found,) = splits_of_keys(pa.array([key.encode()]), pa.array([group], pa.string()), shares, seed)
    return SPLITS[found]


@pytest.mark.parametrize(("test", "validation"), [(0.1, 0.1), (0.0, 0.3), (0.5, 0.5), (0.01, 0.0), (0.3, 0.69)])
def test_shares_come_out(test: float, validation: float) -> None:
    found = Counter(split_of_key(key, None, shares(test, validation), 0) for key in MANY)
    wanted = {"test": test, "validation": validation, "train": 1 - test - validation}
    for split, share in wanted.items():
        margin = 4 * (share * (1 - share) * len(MANY)) ** 0.5 + 1e-6
        assert abs(found[split] - share * len(MANY)) <= margin, (split, found)


def test_extremes() -> None:
    assert {split_of_key(k, None, shares(0, 0), 0) for k in MANY} == {"train"}
    assert {split_of_key(k, None, shares(1, 0), 0) for k in MANY} == {"test"}
    assert {split_of_key(k, None, shares(0, 1), 0) for k in MANY} == {"validation"}
    assert {split_of_key(k, None, {}, 0) for k in MANY} == {"train"}


@pytest.mark.parametrize("hundredth", range(101))
def test_shares_of_one_leave_no_train(hundredth: int) -> None:
    both = shares(hundredth / 100, (100 - hundredth) / 100)
    assert "train" not in {split_of_key(k, None, both, 0) for k in MANY[:200]}


@given(st.text(max_size=5), st.none() | st.text(max_size=5), SHARES, st.integers(-5, 5))
def test_a_record_is_decided_alone(key: str, group: str | None, both: tuple[float, float], seed: int) -> None:
    first = split_of_key(key, group, shares(*both), seed)
    for other in ("x", "y", key + "z"):
        split_of_key(other, group, shares(*both), seed)
    assert split_of_key(key, group, shares(*both), seed) == first


@given(st.text(max_size=5), st.lists(st.text(max_size=5), min_size=2, max_size=9), SHARES, st.integers(-5, 5))
def test_groups_never_cross(group: str, keys: list[str], both: tuple[float, float], seed: int) -> None:
    assert len({split_of_key(key, group, shares(*both), seed) for key in keys}) == 1


def test_a_group_is_not_the_key_of_that_name() -> None:
    half = shares(0.5, 0)
    assert any(split_of_key(k, None, half, 0) != split_of_key("other", k, half, 0) for k in MANY[:50])


def test_the_empty_group_is_a_group_and_null_is_none() -> None:
    half = shares(0.5, 0)
    assert len({split_of_key(k, "", half, 0) for k in MANY[:50]}) == 1
    assert len({split_of_key(k, None, half, 0) for k in MANY[:50]}) == 2


@given(SHARES, st.floats(0, 1), st.sampled_from(["test", "validation"]))
def test_growing_a_share_takes_from_train_alone(both: tuple[float, float], more: float, grown: str) -> None:
    before = shares(*both)
    after = {**before, grown: before[grown] + more}  # type: ignore[index]
    assume(sum(after.values()) <= 1)
    for key in MANY[:100]:
        old, new = split_of_key(key, None, before, 0), split_of_key(key, None, after, 0)
        assert old == new or (old, new) == ("train", grown)


def test_another_split_seed_splits_anew() -> None:
    half = shares(0.5, 0)
    moved = sum(split_of_key(k, None, half, 0) != split_of_key(k, None, half, 1) for k in MANY)
    assert 1_800 < moved < 2_200


@pytest.mark.parametrize(("name", "split"), [*SPLIT_ALIASES.items(), (" Train ", "train"), ("VALID", "validation")])
def test_names_of_splits(name: str, split: Split) -> None:
    assert split_of_name(name) == split


@pytest.mark.parametrize("name", [None, "", "trian", "holdout", "0", "train,test"])
def test_other_names_are_none(name: str | None) -> None:
    assert split_of_name(name) is None


def test_order() -> None:
    assert ordered({"test", "train"}) == ("train", "test")
