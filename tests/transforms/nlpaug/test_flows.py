from typing import Any

import pytest

from transforms.interface import RecipeError
from transforms.nlpaug import adapter
from transforms.recipe import build_recipe, check_steps
from transforms.values import AudioValue, TextValue

pytestmark = pytest.mark.usefixtures("quiet_process")

SEED = bytes(range(40, 56))
TEXT = TextValue("The quick brown fox jumps over the lazy dog because it was hungry.")
FLOW = ["nlpaug.KeyboardAug", {"nlpaug.RandomWordAug": {"action": "swap"}}, "nlpaug.SplitAug"]


def test_a_sequence_is_its_steps_one_after_the_other() -> None:
    result, drawn = adapter.build("Sequential", {"flow": FLOW})(TEXT, SEED)
    expected, applied = build_recipe(FLOW, "text").apply(TEXT, SEED)
    assert result == expected
    assert drawn is not None
    assert [step["name"] for step in drawn["flow"]] == [step.name for step in applied]
    assert drawn["flow"][1]["params"]["action"] == "swap"


def test_sometimes_each_step_has_its_own_chance() -> None:
    step = adapter.build("Sometimes", {"flow": FLOW, "aug_p": 0.5})
    counts: dict[tuple[str, ...], int] = {}
    for number in range(400):
        _, drawn = step(TEXT, number.to_bytes(16, "little"))
        names = tuple(s["name"] for s in drawn["flow"]) if drawn else ()
        counts[names] = counts.get(names, 0) + 1
    assert len(counts) == 8
    assert all(25 < count < 80 for count in counts.values())


def test_never_and_always() -> None:
    assert adapter.build("Sometimes", {"flow": FLOW, "aug_p": 0})(TEXT, SEED) == (TEXT, None)
    always = adapter.build("Sometimes", {"flow": FLOW, "aug_p": 1})(TEXT, SEED)
    assert always == adapter.build("Sequential", {"flow": FLOW})(TEXT, SEED)


def test_flows_hold_flows_and_groups() -> None:
    flow = [{"nlpaug.Sequential": {"flow": FLOW}}, {"one_of": ["nlpaug.OcrAug", "nlpaug.SpellingAug"]}]
    step = [{"nlpaug.Sometimes": {"flow": flow, "aug_p": 0.9}}]
    assert check_steps(step, "text") == []
    recipe = build_recipe(step, "text")
    assert recipe.apply(TEXT, SEED) == recipe.apply(TEXT, SEED)
    assert len({recipe.apply(TEXT, bytes([n]) * 16)[0] for n in range(6)}) > 1


def test_a_step_added_elsewhere_moves_no_other() -> None:
    short = adapter.build("Sequential", {"flow": ["nlpaug.KeyboardAug"]})(TEXT, SEED)[0]
    longer = adapter.build("Sequential", {"flow": ["nlpaug.KeyboardAug", {"nlpaug.ReservedAug": {"reserved_tokens": [
        ["nothing", "here"]]}}]})(TEXT, SEED)[0]  # fmt: skip
    assert short == longer


def test_versions_of_what_is_within() -> None:
    assert "nlpaug" in adapter.resources("Sequential", {"flow": FLOW})


@pytest.mark.parametrize(
    ("name", "params", "path", "message", "suggestion"),
    [
        ("Sequential", {}, (), "a flow needs the parameter 'flow': a list of steps", ""),
        ("Sequential", {"flow": []}, (), "a flow needs the parameter 'flow': a list of steps", ""),
        ("Sequential", {"flow": "nlpaug.OcrAug"}, ("flow",), "steps must be a list, not text", "begin each step"),
        ("Sequential", {"flow": ["nlpaug.OcrAgu"]}, ("flow", 0, "nlpaug.OcrAgu"), "nlpaug has no", "nlpaug.OcrAug"),
        (
            "Sometimes",
            {"flow": [{"nlpaug.OcrAug": {"aug_char_p": 3}}]},
            ("flow", 0, "nlpaug.OcrAug", "aug_char_p"),
            "aug_char_p: 3 is not a number in 0..1",
            "",
        ),
        ("Sometimes", {"flow": FLOW, "aug_p": 2}, ("aug_p",), "aug_p: 2 is not a number in 0..1", ""),
        (
            "Sequential",
            {"flow": ["nlpaug.CropAug"]},
            ("flow", 0, "nlpaug.CropAug"),
            "nlpaug.CropAug works on audio",
            "",
        ),
    ],
)
def test_problems_have_their_place(
    name: str, params: dict[str, Any], path: tuple[str | int, ...], message: str, suggestion: str
) -> None:
    problem = adapter.problems(name, params)[0]
    assert problem.path == path
    assert problem.message.startswith(message)
    assert problem.suggestion.startswith(suggestion)


def test_a_flow_that_cannot_be_built() -> None:
    with pytest.raises(RecipeError):
        adapter.build("Sequential", {"flow": "x"})


def test_a_sound_is_refused() -> None:
    import numpy as np

    with pytest.raises(TypeError, match="works on text"):
        adapter.build("Sequential", {"flow": FLOW})(AudioValue(np.zeros((1, 1), np.float32), 1), SEED)
