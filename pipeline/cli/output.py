"""What a command answers: with --json exactly one JSON object on standard output, else errors as lines."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO

from pipeline.errors import FanbeamError, Problem, RunFailed, UsageError
from pipeline.escaping.terminal import json_text, plain
from pipeline.escaping.url_credentials import masked

_json_to: list[TextIO] = []
_known: dict[str, Any] = {}
_MEMORY = "Take fewer --workers, or a machine with more; the same command again goes on from here."


@contextmanager
def only_json() -> Iterator[None]:
    """Keep standard output for the one JSON object; what libraries print goes to standard error."""
    _known.clear()
    _json_to.append(sys.stdout)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        _json_to.pop()


def known() -> dict[str, Any]:
    """What is known of the command so far: it is told with its error. To be added to."""
    return _known


def refuse_nul(given: Sequence[str]) -> None:
    """Raise UsageError: no file and no value holds such a character, and what the system says of it names neither."""
    odd = next((argument for argument in given if "\0" in argument), None)
    if odd is not None:
        raise UsageError(f"{odd!r} holds a NUL character")


def put(value: object, for_people: bool = False) -> None:
    """The JSON object: indented for a terminal or `for_people`; else one line, as logs and schedulers take it."""
    to = _json_to[-1] if _json_to else sys.stdout
    to.write(json_text(value, 2 if for_people or to.isatty() else None) + "\n")


def tell(error: FanbeamError, as_json: bool) -> None:
    """Say an error: the JSON object, or lines on standard error."""
    error = without_credentials(error)
    if as_json:
        put({**error.as_json(), **_known})
        return
    from pipeline.cli.report import error_lines

    for line in error_lines(error):
        sys.stderr.write(f"{plain(line)}\n")
    for note in getattr(error, "__notes__", ()) if "--debug" in sys.argv else ():
        sys.stderr.write(f"{plain(note)}\n")


def without_credentials(error: FanbeamError) -> FanbeamError:
    """The same error with URLs masked, fragments too, wherever it quotes them."""
    problems = tuple(Problem(*map(masked, (p.where, p.message, p.suggestion))) for p in error.problems)
    told = type(error)(masked(error.message), problems)
    for note in getattr(error, "__notes__", ()):
        told.add_note(masked(note))
    return told


def meant_for_people(error: Any) -> FanbeamError:
    """Any error as one of ours: what the command line parser or the operating system says; else it is a defect."""
    if isinstance(error, FanbeamError):
        return error
    if hasattr(error, "format_message"):
        return UsageError(error.format_message())
    if isinstance(error, OSError) and error.filename and error.strerror:
        return FanbeamError(f"{error.filename}: {error.strerror}")
    if isinstance(error, MemoryError):
        return RunFailed(f"there was not enough memory. {_MEMORY}")
    if isinstance(error, OSError):  # of a store, a disk or the network, never of what this program computes
        return FanbeamError(error.strerror or str(error))
    return FanbeamError(f"{type(error).__name__}: {error} (a defect of fanbeam; --debug shows where)")
