from blend_values import SEEDS, with_donors
from hypothesis import given
from hypothesis import strategies as st

from transforms.fanbeam.partners import partners, ranked
from transforms.values import TextValue


@given(st.sets(st.text(max_size=5), min_size=2, max_size=40), st.binary(min_size=16, max_size=16))
def test_one_donor_less_moves_no_other(names: set[str], seed: bytes) -> None:
    order = ranked(sorted(names), seed)
    assert sorted(order) == sorted(names)
    assert ranked(sorted(names, reverse=True), seed) == order
    gone = order[1]
    assert ranked(sorted(names - {gone}), seed) == [name for name in order if name != gone]


def test_every_donor_is_drawn_about_as_often() -> None:
    names = [f"r{n}" for n in range(20)]
    first = [ranked(names, n.to_bytes(8, "little") * 2)[0] for n in range(4000)]
    counts = [first.count(name) for name in names]
    assert min(counts) > 140
    assert max(counts) < 270


def test_the_scope_is_asked_for_and_the_first_is_the_drawn_one() -> None:
    value = with_donors(TextValue("own"), {name: TextValue(name) for name in "abcdef"})
    found = [next(partners(value, "any", seed)) for seed in SEEDS]
    assert {key for key, _ in found} == set("abcdef")
    assert all(other.text == key for key, other in found)
