"""Beam in this process: its chatter, and the servers that it starts."""

import gc
import logging
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from apache_beam.runners.portability.job_server import StopOnExitJobServer
from apache_beam.runners.worker import sdk_worker

_LOGS_OF_SERVERS = ("PrismJobServer", "SparkJarJobServer", "FlinkJarJobServer")


def hush(debug: bool) -> None:
    """Silence Beam's own chatter, that of the programs it starts, and the last words of its threads."""
    if debug:
        return
    logging.getLogger("apache_beam").setLevel(logging.CRITICAL)
    logging.getLogger().addFilter(_is_not_of_beam)
    for name in _LOGS_OF_SERVERS:
        logging.getLogger(name).disabled = True
    vars(sdk_worker)["print"] = _say_nothing  # tracebacks of what a failed job tells, or an engine has tried again
    warnings.filterwarnings("ignore", module="apache_beam")
    if not isinstance(threading.excepthook, _NoFarewells):
        threading.excepthook = _NoFarewells(threading.excepthook)


def _say_nothing(*_: object, **__: object) -> None:
    pass


def _is_not_of_beam(record: logging.LogRecord) -> bool:
    """Beam passes an engine's messages on through the root logger; the run tells what matters of them."""
    return "apache_beam" not in record.pathname


@dataclass(frozen=True, slots=True)
class _NoFarewells:
    """An engine that is done hangs up, and threads of Beam's workers that still listened would print a traceback."""

    others: Callable[[threading.ExceptHookArgs], Any]

    def __call__(self, args: threading.ExceptHookArgs) -> None:
        if not args.exc_type.__module__.startswith("grpc"):
            self.others(args)


def end_job_servers() -> None:
    """End what Beam started for a job: it waits for Python to exit, and would give one that died to the next attempt.

    Beam keeps no list of them.
    """
    for thing in gc.get_objects():
        if type(thing) is StopOnExitJobServer:
            with suppress(OSError):
                thing.stop()
