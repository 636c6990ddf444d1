"""The program `fanbeam`: one command line in, an exit code out."""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from pipeline.cli.app import app
from pipeline.errors import ExitCode, Interrupted
from pipeline.escaping.url_credentials import masked
from pipeline.processes.signals import heard

_LAST_STANDARD_STREAM = 2


def console() -> None:
    """The program: `main`, then out at once. Tearing down all that Beam loaded would take 0.3 s and do nothing."""
    _open_closed_streams()
    code = main()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):  # closed, or a pipe that nobody reads any more
            stream.flush()
    getattr(sys.modules.get("pipeline.storage.scratch"), "release", int)()
    os._exit(code)


def _open_closed_streams() -> None:
    """Where a caller closed one of the three standard streams, the next file would get its number, and its output."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _LAST_STANDARD_STREAM:
        if handle:
            name = ("stdout", "stderr")[handle - 1]
            setattr(sys, name, open(handle, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  (it stays open)
    os.close(handle)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line and answer its exit code; no traceback for a user's mistake."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if "--json" not in given or "--help" in given:
        return _main(given)
    from pipeline.cli.output import only_json

    with only_json():
        return _main(given)


def _main(given: list[str]) -> int:
    from pipeline.cli.output import refuse_nul

    failure: Exception | None = None
    with heard() as signals:
        try:
            refuse_nul(given)
            code = app(given, prog_name="fanbeam", standalone_mode=False)
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
        except Exception as error:  # noqa: BLE001  (the outermost door: everything becomes a message and an exit code)
            failure = error
    if failure is None and code == ExitCode.INTERRUPTED:  # what the parser makes of Ctrl-C, too
        by = f" by {signals[0]}" if signals else ""
        failure = Interrupted(f"interrupted{by}; the same command again goes on from here")
    return int(code or 0) if failure is None else _tell(failure, given)


def _tell(error: Exception, given: list[str]) -> int:
    from pipeline.cli.output import meant_for_people, tell

    if "--debug" in given:
        import traceback

        sys.stderr.write(masked("".join(traceback.format_exception(error))))
    known = meant_for_people(error)
    tell(known, "--json" in given)
    return int(known.exit_code)
