import json
import pickle

import pytest

from pipeline.errors import (
    ConfigError,
    ExitCode,
    FanbeamError,
    InputError,
    LimitsExceeded,
    Problem,
    RunFailed,
    UsageError,
    nearest,
)

KINDS = [
    (ConfigError, "config", 2),
    (InputError, "input", 2),
    (UsageError, "usage", 2),
    (LimitsExceeded, "limits", 3),
    (RunFailed, "run", 4),
]


@pytest.mark.parametrize(("cls", "kind", "code"), KINDS)
def test_kinds_and_exit_codes(cls: type[FanbeamError], kind: str, code: int) -> None:
    error = cls("sad")
    assert (error.kind, error.exit_code, str(error)) == (kind, code, "sad")


def test_exit_codes_are_those_of_the_design() -> None:
    assert {c.name: int(c) for c in ExitCode} == {
        "OK": 0, "DIFFERENCES": 1, "USAGE": 2, "LIMITS": 3, "FAILED": 4, "INTERRUPTED": 130,
    }  # fmt: skip


@pytest.mark.parametrize("cls", [cls for cls, _, _ in KINDS])
def test_errors_travel_between_processes(cls: type[FanbeamError]) -> None:
    error = cls("sad", (Problem("a.yaml:3", "odd.", "Mend it."),))
    error.add_note("traceback")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is cls
    assert (again.message, again.problems) == (error.message, error.problems)


def test_json_form() -> None:
    error = ConfigError("2 problems", (Problem("a:1 x", "odd.", "Mend it."), Problem("", "odder.")))
    assert json.loads(json.dumps(error.as_json())) == {
        "exit_code": 2,
        "error": {
            "kind": "config",
            "message": "2 problems",
            "hint": "Mend it.",
            "problems": [
                {"where": "a:1 x", "message": "odd.", "suggestion": "Mend it."},
                {"where": "", "message": "odder.", "suggestion": ""},
            ],
        },
    }


@pytest.mark.parametrize("cls", [FanbeamError, *(cls for cls, _, _ in KINDS)])
def test_every_error_says_what_to_do(cls: type[FanbeamError]) -> None:
    assert cls("sad").hint.endswith(".")
    assert cls("sad", (Problem("a", "odd."), Problem("b", "odd.", "Mend it."))).hint == "Mend it."


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (Problem("a:1", "odd.", "Mend it."), "a:1: odd. Mend it."),
        (Problem("", "odd."), "odd."),
        (Problem("", "odd.", "Mend it."), "odd. Mend it."),
    ],
)
def test_problem_as_a_line(problem: Problem, line: str) -> None:
    assert str(problem) == line


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("lable", ["label", "group"], "Did you mean 'label'?"),
        ("LABEL", ["label", "group"], "Did you mean 'label'?"),
        ("zzz", ["label", "group"], "Known: group, label."),
        ("zzz", [], ""),
        ("zzz", [f"c{n}" for n in range(21)], ""),
        ("", ["label"], "Known: label."),
    ],
)
def test_nearest(word: str, known: list[str], said: str) -> None:
    assert nearest(word, known) == said
