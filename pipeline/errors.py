"""Errors that reach the user: a kind, one message, every problem found, and an exit code. No traceback needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every command."""

    OK = 0
    DIFFERENCES = 1
    USAGE = 2
    LIMITS = 3
    FAILED = 4
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong: where it stands (file:line, key path or input file), what, and what to do."""

    where: str
    message: str
    suggestion: str = ""

    def __str__(self) -> str:
        tail = f" {self.suggestion}" if self.suggestion else ""
        return f"{self.where}: {self.message}{tail}" if self.where else f"{self.message}{tail}"


class FanbeamError(Exception):
    """Base of all errors meant for the user."""

    kind = "error"
    exit_code = ExitCode.FAILED
    remedy = "The same command with --debug shows where."
    """What to do where no problem says it."""

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.problems = problems

    def __reduce__(self) -> tuple[type["FanbeamError"], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.message, self.problems)

    @property
    def hint(self) -> str:
        """What to do, in a sentence."""
        return next((p.suggestion for p in self.problems if p.suggestion), self.remedy)

    def as_json(self) -> dict[str, object]:
        """The object of `--json`."""
        problems = [{"where": p.where, "message": p.message, "suggestion": p.suggestion} for p in self.problems]
        error = {"kind": self.kind, "message": self.message, "hint": self.hint, "problems": problems}
        return {"exit_code": int(self.exit_code), "error": error}


class ConfigError(FanbeamError):
    """The config cannot run: all its problems at once."""

    kind = "config"
    exit_code = ExitCode.USAGE
    remedy = "Mend the config; `fanbeam check CONFIG` tells all that is wrong with it."


class InputError(FanbeamError):
    """The input cannot be used: missing, empty, duplicate ids, other columns than the config names."""

    kind = "input"
    exit_code = ExitCode.USAGE
    remedy = "Mend the input, or what the config says of it."


class UsageError(FanbeamError):
    """The command line or the API was called wrongly."""

    kind = "usage"
    exit_code = ExitCode.USAGE
    remedy = "`fanbeam COMMAND --help` lists what it takes."


class LimitsExceeded(FanbeamError):
    """More records failed or copies were rejected than the config allows; nothing is committed."""

    kind = "limits"
    remedy = "Mend the input, or raise the limit and run again: what is written is kept."
    exit_code = ExitCode.LIMITS


class RunFailed(FanbeamError):
    """The run could not finish: disk full, output not writable, input changed underneath, worker trouble."""

    kind = "run"
    exit_code = ExitCode.FAILED
    remedy = "Remove the cause, then the same command again: finished shards are kept."


class Damaged(RunFailed):
    """A manifest cannot be read."""

    kind = "damaged"
    remedy = "Remove the version's folder and run again: it is made anew, with the same bytes."


class Interrupted(FanbeamError):
    """The user stopped a command."""

    kind = "interrupted"
    remedy = "The same command again goes on from here."
    exit_code = ExitCode.INTERRUPTED


def nearest(word: str, known: list[str]) -> str:
    """A sentence that names the nearest known word, or lists them when none is near and they are few."""
    match = get_close_matches(word, known, n=1, cutoff=0.6)
    if not match:
        match = [k for k in known if k.lower() == word.lower()]
    if match:
        return f"Did you mean {match[0]!r}?"
    return f"Known: {', '.join(sorted(known))}." if 0 < len(known) <= 20 else ""


def headline(name: str, problems: Sequence[Problem]) -> str:
    """`config.yaml: 3 problems`."""
    count = len(problems)
    return f"{name}: {count} problem{'s' if count != 1 else ''}"
