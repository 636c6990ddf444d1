from hypothesis import given
from hypothesis import strategies as st

from pipeline.planning.seeds import field_seed, unit_intervals, variant_seed

KEYS = st.text(max_size=8)


def unit_interval(seed: int, key: str, purpose: str) -> float:
    """Of one key on its own."""
    (number,) = unit_intervals(seed, [key.encode()], purpose).tolist()
    return float(number)


def test_values_never_change() -> None:
    """Pinned: another value would draw every dataset anew and move records between splits."""
    assert variant_seed(17, "r1", 1).hex() == "8b683cc70abcb29388f5b42a65c08cec"
    assert variant_seed(0, "", 0).hex() == "46671d538c2b7a16169443fc66fd2fc4"
    assert variant_seed(-1, "Zoë/…\0", 9_999).hex() == "125df542abdf99c82c49fe3287f806c0"
    assert field_seed(bytes(16), "image", "augment").hex() == "2aab0916922f013d3248c9732b64569d"
    assert field_seed(bytes(16), "image", "augment", 2).hex() == "eb49b9af18da8ce5c02b280625c9ec51"
    assert unit_interval(0, "key:r1", "split") == 0.6754545520390633


def test_lone_surrogates_have_seeds() -> None:
    assert variant_seed(0, "\ud800", 1) != variant_seed(0, "\udfff", 1)


@given(st.lists(st.tuples(st.integers(-9, 9), KEYS, st.integers(0, 99)), unique=True, max_size=30))
def test_variants_do_not_share_seeds(draws: list[tuple[int, str, int]]) -> None:
    assert len({variant_seed(*draw) for draw in draws}) == len(draws)


@given(st.lists(st.tuples(KEYS, st.sampled_from(["prepare", "augment"]), st.integers(0, 9)), unique=True, max_size=30))
def test_fields_parts_and_attempts_do_not_share_seeds(draws: list[tuple[str, str, int]]) -> None:
    assert len({field_seed(bytes(16), *draw) for draw in draws}) == len(draws)


def test_parts_do_not_run_together() -> None:
    assert variant_seed(1, "12", 3) != variant_seed(11, "2", 3) != variant_seed(1, "1", 23)
    assert variant_seed(1, "a\0" + "1", 1) != variant_seed(1, "a", 11)


def test_the_parent_seed_counts() -> None:
    assert field_seed(bytes(16), "f", "augment") != field_seed(bytes([1]) + bytes(15), "f", "augment")


@given(st.integers(), KEYS, KEYS)
def test_unit_interval_is_one(seed: int, key: str, purpose: str) -> None:
    assert 0 <= unit_interval(seed, key, purpose) < 1


def test_unit_interval_is_uniform() -> None:
    drawn = [unit_interval(0, str(n), "test") for n in range(4_000)]
    for tenth in range(10):
        assert 330 < sum(tenth / 10 <= u < (tenth + 1) / 10 for u in drawn) < 470
    assert len(set(drawn)) == 4_000


def test_purpose_and_seed_draw_apart() -> None:
    assert len({unit_interval(s, "k", p) for s in range(5) for p in ("split", "other")}) == 10
