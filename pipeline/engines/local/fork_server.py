"""The process that workers are forked from: started once, with the libraries loaded, quiet, deaf to interruptions."""

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver, get_context, resource_tracker, util

from pipeline.processes.signals import deferred
from pipeline.storage.scratch import claim
from transforms.registry import preloads

_PRELOAD = ("pipeline.engines.local.worker", "pipeline.rendering.stages")
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def start_for(names: Iterable[str]) -> None:
    """Start it with the libraries of these `library.Class` names, unless it runs. Answers before they are loaded."""
    get_context("forkserver").set_forkserver_preload([*_PRELOAD, *preloads(names)])
    ensure_running()


def ensure_running() -> None:
    """Start it unless it runs."""
    resource_tracker.ensure_running()  # it unblocks signals: so before they are blocked
    with _chatter_elsewhere(), deferred(), _one_thread_each():
        forkserver.ensure_running()
    claim(util.get_temp_dir())  # where its socket is


@contextmanager
def without_main_module() -> Iterator[None]:
    """Keep workers from running the user's script again: they need nothing of it, and it may have no main guard."""
    main = sys.modules["__main__"]
    hidden = {name: getattr(main, name) for name in ("__file__", "__spec__") if hasattr(main, name)}
    try:
        for name in hidden:
            setattr(main, name, None)
        yield
    finally:
        for name, value in hidden.items():
            setattr(main, name, value)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """The processes are the parallelism: threads that libraries start while they load would wait busily for work."""
    added = [name for name in _THREADS if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


@contextmanager
def _chatter_elsewhere() -> Iterator[None]:
    """What libraries print while they load in a process that is started now goes nowhere, or is for `--debug`.

    Nor does that process hold the streams: whoever reads them to their end would wait until all is loaded.
    """
    output, errors = 1, 2
    kept = {stream: os.dup(stream) for stream in (output, errors) if _is_open(stream)}
    shown = "--debug" in sys.argv and errors in kept
    elsewhere = os.dup(errors) if shown else os.open(os.devnull, os.O_WRONLY)
    try:
        for stream in kept:
            os.dup2(elsewhere, stream)
        yield
    finally:
        for stream, copy in kept.items():
            os.dup2(copy, stream)
            os.close(copy)
        os.close(elsewhere)


def _is_open(stream: int) -> bool:
    with suppress(OSError):
        os.fstat(stream)
        return True
    return False
