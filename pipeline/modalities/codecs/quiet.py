"""C libraries that write to standard error what their callers are told anyway: kept quiet while they decode.

libtiff and libmpg123 write a line for each damaged strip or frame, past Python. A job over a million files would drown
in them. The lines of other threads are lost for that moment; no line of theirs can undo the last one to leave.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_STANDARD_ERROR: Final = 2
_lock = threading.Lock()
_inside = 0
_kept = -1


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing that is written to standard error meanwhile arrives there."""
    global _inside, _kept
    with _lock:
        if _inside == 0:
            _kept = _away()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _back(_kept)


def _away() -> int:
    """Point standard error to the null device; the file it was, or -1 where there is none."""
    try:
        kept = os.dup(_STANDARD_ERROR)
    except OSError:
        return -1
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, _STANDARD_ERROR)
    os.close(null)
    return kept


def _back(kept: int) -> None:
    if kept >= 0:
        os.dup2(kept, _STANDARD_ERROR)
        os.close(kept)
