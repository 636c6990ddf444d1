import inspect
import re

import pytest

from transforms.adapter_checks import (
    concise,
    construction_problems,
    error_problems,
    is_probability,
    nearest,
    parameter_problems,
    trial_problems,
    trial_value,
)
from transforms.interface import StepProblem
from transforms.values import AudioValue, ImageValue, TextValue


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("blur_limt", "blur_limit"),
        ("BLUR_LIMIT", "blur_limit"),
        ("blur", "blur_limit"),
        ("zzz", ""),
        ("p", "p"),
        ("", ""),
    ],
)
def test_nearest(word: str, expected: str) -> None:
    assert nearest(word, ["blur_limit", "sigma", "p"]) == expected


def test_parameter_problems_finds_everything_at_once() -> None:
    def example(size, p=0.5, fill=0, fn=None): ...  # type: ignore[no-untyped-def]

    known = inspect.signature(example).parameters
    given: list[object] = []

    def construct(valid: object) -> list[StepProblem]:
        given.append(valid)
        return [StepProblem(("fill",), "fill: bad")]

    problems = parameter_problems(
        "lib.X", {"p": 2, "filll": 1, "fn": 1, "fill": 9}, known, construct, {"fn": "is no use"}
    )
    assert [p.message for p in problems] == [
        "fn is no use",
        "lib.X has no parameter 'filll'",
        "lib.X needs the parameter 'size'",
        "p: 2 is not a number in 0..1",
    ]
    problems = parameter_problems("lib.X", {"p": 2, "filll": 1, "fill": 9, "size": 1}, known, construct)
    assert given == [{"fill": 9, "size": 1}]
    assert problems[-1].message == "fill: bad"


@pytest.mark.parametrize(
    ("value", "good"), [(0, True), (1, True), (0.5, True), (-0.1, False), (True, False), ("1", False)]
)
def test_is_probability(value: object, good: bool) -> None:
    assert is_probability(value) is good


def test_a_bare_assert_gives_its_condition() -> None:
    low, high = 3, 1
    with pytest.raises(AssertionError) as caught:
        exec(compile("assert low <= high", __file__, "exec"), {"low": low, "high": high})  # no rewriting by pytest
    assert concise(caught.value)
    assert concise(ValueError("first\nsecond")) == "first"
    assert concise(ValueError()) == "ValueError"


def test_errors_and_warnings_of_a_constructor_are_problems() -> None:
    def fails() -> None:
        raise KeyError("x")

    assert construction_problems(fails)[0].message == "'x'"
    assert construction_problems(lambda: None) == []
    assert construction_problems(lambda: re.compile("("))
    assert error_problems(TypeError("no")) == [StepProblem((), "no")]


def test_a_trial_that_is_only_too_small_is_no_problem() -> None:
    def step(message: str) -> object:
        def call(value: object, seed: bytes) -> object:
            raise ValueError(message)

        return lambda: call

    assert trial_problems(step("Crop size exceeds image dimensions"), "image") == []  # type: ignore[arg-type]
    assert trial_problems(step("boom"), "image")[0].message == "fails on a plain image: boom"  # type: ignore[arg-type]


def test_trial_values() -> None:
    image, audio, text = trial_value("image"), trial_value("audio"), trial_value("text")
    assert isinstance(image, ImageValue)
    assert image.pixels.shape == (512, 512, 3)
    assert isinstance(audio, AudioValue)
    assert audio.samples.shape == (1, 32_000)
    assert isinstance(text, TextValue)
    assert text.text.count(".") == 2
