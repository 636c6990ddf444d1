import pytest

from transforms.steps import Group, Step, canonical, leaves, read_steps


def test_a_step_may_be_written_in_three_ways() -> None:
    readings = [read_steps([entry]) for entry in ("lib.X", {"lib.X": None}, {"lib.X": {}})]
    assert all(reading.problems == [] for reading in readings)
    assert {str(canonical(reading.nodes[0])) for reading in readings} == {"{'lib.X': {}}"}


def test_paths_count_the_steps_of_one_name_below_groups_of_one_kind() -> None:
    steps = ["a.X", "a.Y", {"one_of": ["a.X", {"a.X": {"p": 1}}]}, "a.X", {"one_of": ["a.Y", "a.X"]}]
    assert [leaf.path for leaf in leaves(read_steps(steps).nodes)] == [
        "a.X#0",
        "a.Y#0",
        "one_of/a.X#0",
        "one_of/a.X#1",
        "a.X#1",
        "one_of/a.Y#0",
        "one_of/a.X#2",
    ]


def test_a_step_of_another_name_in_front_moves_no_path() -> None:
    before = [leaf.path for leaf in leaves(read_steps(["a.X", {"sometimes": {"p": 0.5, "steps": ["a.Y"]}}]).nodes)]
    after = [
        leaf.path for leaf in leaves(read_steps(["a.Z", "a.X", {"sometimes": {"p": 0.5, "steps": ["a.Y"]}}]).nodes)
    ]
    assert after == ["a.Z#0", *before]


@pytest.mark.parametrize(
    "group", [{"one_of": ["a.Z"]}, {"some_of": {"n": 1, "steps": ["a.Z", "a.X"]}}, {"one_of": [{"sometimes": {}}]}]
)
def test_a_group_in_front_moves_no_path(group: dict[str, object]) -> None:
    steps = [
        {"one_of": ["a.X", "a.Y"]},
        {"some_of": {"n": 1, "steps": [{"one_of": ["a.Y", "a.X"]}]}},
        {"sometimes": {"p": 0.5, "steps": ["a.Y"]}},
    ]
    before = [leaf.path for leaf in leaves(read_steps(steps).nodes)]
    after = [leaf.path for leaf in leaves(read_steps([group, *steps]).nodes)]
    assert after[len(after) - len(before) :] == before
    assert len(set(after)) == len(after)


def test_places_lead_into_the_config() -> None:
    steps = ["a.X", {"some_of": {"n": 1, "steps": ["a.Y", {"one_of": ["a.Z"]}]}}]
    assert [leaf.place for leaf in leaves(read_steps(steps).nodes)] == [
        (0, "a.X"),
        (1, "some_of", "steps", 0, "a.Y"),
        (1, "some_of", "steps", 1, "one_of", 0, "a.Z"),
    ]


def test_groups_keep_their_numbers() -> None:
    steps = [
        {"some_of": {"n": [0, 2], "steps": ["a.X", "a.Y"]}},
        {"some_of": {"n": 2, "steps": ["a.X", "a.Y"]}},
        {"sometimes": {"p": 0.25, "steps": ["a.X"]}},
    ]
    reading = read_steps(steps)
    assert reading.problems == []
    groups = [node for node in reading.nodes if isinstance(node, Group)]
    assert [(g.lo, g.hi, g.p) for g in groups] == [(0, 2, 1.0), (2, 2, 1.0), (1, 1, 0.25)]
    assert isinstance(groups[0].steps[0], Step)


@pytest.mark.parametrize(
    ("steps", "place", "message"),
    [
        (None, (), "steps must be a list, not nothing"),
        ("a.X", (), "steps must be a list, not text ('a.X')"),
        ({"a.X": 1}, (), "steps must be a list, not a mapping ({'a.X': 1})"),
        ([3], (0,), "a step is a name, or a name with its parameters, not a number (3)"),
        ([None], (0,), "a step is a name, or a name with its parameters, not nothing"),
        ([{}], (0,), "a step is a name, or a name with its parameters, not a mapping ({})"),
        ([{1: {}}], (0,), "a step is a name, or a name with its parameters, not a mapping ({1: {}})"),
        ([{"a.X": None, "p": 1}], (0,), "one step has one name, not 2: a.X, p"),
        ([{"a.X": 3}], (0, "a.X"), "the parameters of a.X must be a mapping of names, not a number (3)"),
        ([{"a.X": {1: 2}}], (0, "a.X"), "the parameters of a.X must be a mapping of names, not a mapping ({1: 2})"),
        ([{"one_of": []}], (0, "one_of"), "one_of has no steps"),
        ([{"one_of": {"a.X": 1}}], (0, "one_of"), "steps must be a list, not a mapping ({'a.X': 1})"),
        ([{"some_of": ["a.X"]}], (0, "some_of"), "some_of holds n and steps, not a list (['a.X'])"),
        ([{"some_of": {"steps": ["a.X"]}}], (0, "some_of"), "some_of needs 'n'"),
        ([{"some_of": {"n": 1}}], (0, "some_of"), "some_of needs 'steps'"),
        ([{"some_of": {"n": 1, "steps": ["a.X"], "k": 1}}], (0, "some_of", "k"), "some_of has no 'k'"),
        ([{"sometimes": {"p": 1}}], (0, "sometimes"), "sometimes needs 'steps'"),
        ([{"sometimes": {"p": 1, "steps": []}}], (0, "sometimes"), "sometimes has no steps"),
        ([{"sometimes": {"p": 1.5, "steps": ["a.X"]}}], (0, "sometimes", "p"), "p: 1.5 is not a number in 0..1"),
    ],
)
def test_bad_shapes(steps: object, place: tuple[object, ...], message: str) -> None:
    assert [(p.path, p.message) for p in read_steps(steps).problems][:1] == [(place, message)]


@pytest.mark.parametrize("n", [2, -1, [1, 2], [1, 0], [0], "1", 0.5, True, None])
def test_bad_n(n: object) -> None:
    problems = read_steps([{"some_of": {"n": n, "steps": ["a.X"]}}]).problems
    assert [p.path for p in problems] == [(0, "some_of", "n")]
    assert "whole number in 0..1" in problems[0].message


def test_everything_wrong_is_found_at_once() -> None:
    assert len(read_steps([1, {"one_of": [2, {"sometimes": {"q": 1}}]}, {"a": 1, "b": 2}]).problems) == 6
