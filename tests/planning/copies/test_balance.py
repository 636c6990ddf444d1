"""Counts per class -> copies: exact for one class per record, the best reachable for several."""

import itertools

import numpy as np
import pytest

from pipeline.planning.copies.balance import Allotment, Classes, Rule, allot, class_sizes, reached, target_of

ANIMALS: dict[Classes, int] = {("cat",): 900, ("dog",): 100, ("emu",): 7}


def samples(counts: dict[Classes, int], rule: Rule) -> dict[str, int]:
    return reached(allot(counts, rule), rule.keep_original)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("max", max_copies=200), {"cat": 900, "dog": 900, "emu": 900}),
        (Rule("max"), {"cat": 900, "dog": 900, "emu": 7 * 13}),
        (Rule("median", max_copies=50), {"cat": 900, "dog": 100, "emu": 100}),
        (Rule(50, downsample=True), {"cat": 50, "dog": 50, "emu": 50}),
        (Rule(50), {"cat": 900, "dog": 100, "emu": 50}),
        (Rule("max", max_copies=200, keep_original=False), {"cat": 900, "dog": 900, "emu": 900}),
        (Rule(500, min_copies=1, max_copies=99), {"cat": 1800, "dog": 500, "emu": 500}),
        (Rule(500, min_copies=1, max_copies=99, downsample=True), {"cat": 500, "dog": 500, "emu": 500}),
    ],
)
def test_one_class_per_record_meets_the_target_exactly(rule: Rule, expected: dict[str, int]) -> None:
    assert samples(ANIMALS, rule) == expected


def test_copies_of_one_class_differ_by_one_at_most() -> None:
    assert allot({("emu",): 7}, Rule(50)) == {("emu",): Allotment(7, 6, 1)}


def test_records_without_a_class_get_the_least() -> None:
    assert allot({(): 5, ("cat",): 2}, Rule("max", min_copies=2))[()] == Allotment(5, 2)


def test_nothing_to_balance() -> None:
    assert allot({}, Rule("max")) == {}
    assert target_of({}, Rule("median")) == 0


def test_several_classes_come_as_near_as_can_be() -> None:
    counts: dict[Classes, int] = {("a",): 8, ("a", "b"): 3, ("b", "c"): 2, ("c",): 1}
    rule = Rule(12, max_copies=3)
    found = samples(counts, rule)
    assert sum(abs(found[name] - 12) for name in "abc") == _best(counts, rule, 12)


def _best(counts: dict[Classes, int], rule: Rule, target: int) -> int:
    """By trying everything."""
    sets = sorted(counts)
    spans = [range(counts[s], counts[s] * (rule.max_copies + 1) + 1) for s in sets]
    least = 10**9
    for chosen in itertools.product(*spans):
        sizes = class_sizes(dict(zip(sets, chosen, strict=True)))
        least = min(least, sum(abs(size - target) for size in sizes.values()))
    return least


def test_the_programme_stays_within_the_rule() -> None:
    rng = np.random.default_rng(0)
    counts: dict[Classes, int] = {}
    for _ in range(400):
        classes = tuple(sorted({f"c{n}" for n in rng.geometric(0.1, rng.integers(1, 5))}))
        counts[classes] = counts.get(classes, 0) + int(rng.integers(1, 30))
    for rule in (Rule("max", 1, 6), Rule("median", 0, 4, downsample=True), Rule(100, 0, 12, keep_original=False)):
        for classes, allotment in allot(counts, rule).items():
            assert 0 < allotment.staying <= counts[classes]
            assert rule.min_copies <= allotment.copies <= rule.max_copies
            assert allotment.copies + bool(allotment.more) <= rule.max_copies
            assert 0 <= allotment.more < max(1, allotment.staying)
        before = sum(abs(n - target_of(counts, rule)) for n in class_sizes(counts).values())
        after = sum(abs(n - target_of(counts, rule)) for n in samples(counts, rule).values())
        assert after < before


def test_the_same_counts_give_the_same_copies_in_any_order() -> None:
    counts: dict[Classes, int] = {("a", "b"): 3, ("a",): 8, ("c",): 1, ("b", "c"): 2}
    assert allot(counts, Rule("max")) == allot(dict(reversed(counts.items())), Rule("max"))
