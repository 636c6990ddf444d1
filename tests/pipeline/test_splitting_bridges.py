from pipeline.splitting.bridges import BRIDGE, UNPLACED, sided


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
