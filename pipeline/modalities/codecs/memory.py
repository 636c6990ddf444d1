"""Want of memory, whoever tells it: it says something of the machine, and nothing of the record."""

import errno
import re
from typing import Any

import numpy as np

_TOLD = re.compile(
    r"(?i)insufficient memory|out of memory|not enough memory|can(?:no|')?t allocate|failed to allocate|malloc"
    r"|unable to allocate|memory allocation|bad_alloc|bad allocation|OOM when"
)
_NOBODY_HAS = 2**42
"""Bytes that only a file asks for that lies about itself."""
_ROOM = 2**28
"""Bytes that a machine must have to spare when a decoder fails: some find no memory, and call the file damaged."""
_DEEPEST = 20


def want_of_memory(error: BaseException | None) -> bool:
    """Whether an error, or one that it comes from, says that there was no memory."""
    for _ in range(_DEEPEST):
        if error is None:
            return False
        if _tells(error):
            return True
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return False


def machine_at_fault(error: BaseException) -> bool:
    """Whether an error tells of want of memory, or there is so little that its silence means nothing."""
    return want_of_memory(error) or not _has_room()


def refuse_want(error: BaseException | None = None) -> None:
    """Raise MemoryError where the machine may be at fault: of a library that fails without a word of why."""
    if want_of_memory(error) or not _has_room():
        raise MemoryError("there was not enough memory") from error


def _has_room() -> bool:
    try:
        np.empty(_ROOM, np.uint8)
    except MemoryError:
        return False
    return True


def _tells(error: BaseException) -> bool:
    shape: Any = getattr(error, "shape", None)
    if isinstance(error, MemoryError) and isinstance(shape, tuple):  # numpy says how much was asked for
        asked = float(np.prod(shape, dtype=np.float64)) * np.dtype(getattr(error, "dtype", np.uint8)).itemsize
        return asked < _NOBODY_HAS
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return _TOLD.search(str(error)) is not None
