import random
from collections.abc import Mapping, Sequence
from time import process_time

import pytest

from pipeline.splitting.history.conflicts import BRIDGE, UNPLACED, sided


def test_new_records_join_their_side_and_those_between_two_sides_are_told() -> None:
    ties = {0: ["p"], 1: ["q"], 2: ["p"], 3: ["q", "s"], 4: ["s"], 5: ["p", "q"]}
    assert sided({0: 0, 1: 1}, ties, [2, 3, 4, 5]) == {0: 0, 1: 1, 2: 0, 3: 1, 4: 1, 5: BRIDGE}


def test_a_record_that_bridges_hands_nothing_on() -> None:
    ties = {0: ["p"], 1: ["q"], 2: ["p", "q", "x"], 3: ["x"]}
    assert sided({0: 0, 1: 1}, ties, [2, 3]) == {0: 0, 1: 1, 2: BRIDGE, 3: UNPLACED}


def test_two_records_that_would_meet_from_two_sides_do_not_both_stay() -> None:
    ties = {0: ["p"], 1: ["q"], 2: ["p", "x"], 3: ["q", "x"]}
    found = sided({0: 0, 1: 1}, ties, [2, 3])
    assert (found[2], found[3]) == (0, BRIDGE)


def test_known_records_stay_though_they_contradict_each_other() -> None:
    ties = {0: ["p"], 1: ["p"], 2: ["p"]}
    assert sided({0: 0, 1: 1}, ties, [2]) == {0: 0, 1: 1, 2: BRIDGE}


def by_rounds(known: Mapping[int, int], ties: Mapping[int, Sequence[str]], order: Sequence[int]) -> dict[int, int]:
    """The rule spelled out: in each round every row is looked at that is not placed yet."""
    sides: dict[str, set[int]] = {}
    for row, part in known.items():
        for tie in ties[row]:
            sides.setdefault(tie, set()).add(part)
    found = dict(known)
    while True:
        waiting = [row for row in order if row not in found]
        reached = [row for row in waiting if any(tie in sides for tie in ties[row])]
        if not reached:
            return found | dict.fromkeys(waiting, UNPLACED)
        for row in reached:
            parts = {part for tie in ties[row] for part in sides.get(tie, ())}
            found[row] = BRIDGE if len(parts) > 1 else min(parts)
            for tie in ties[row] if len(parts) == 1 else ():
                sides.setdefault(tie, set()).update(parts)


@pytest.mark.parametrize("seed", range(40))
def test_it_is_what_the_rule_says(seed: int) -> None:
    draw = random.Random(seed)
    ties = {row: draw.sample([f"t{n}" for n in range(40)], draw.randint(0, 3)) for row in range(60)}
    known = {row: draw.randint(0, 2) for row in draw.sample(range(60), draw.randint(0, 6))}
    order = [row for row in draw.sample(range(60), 60) if row not in known]
    assert sided(known, ties, order) == by_rounds(known, ties, order)


def test_a_long_chain_takes_as_long_as_its_length_asks_for() -> None:
    def seconds(length: int) -> float:
        ties = {row: [row, row + 1] for row in range(length)}
        started = process_time()
        assert sided({0: 1}, ties, range(1, length))[length - 1] == 1
        return process_time() - started

    short, long = (min(seconds(length) for _ in range(3)) for length in (1_000, 10_000))
    assert long < 40 * short
