"""Calls to a store, tried again where that helps: exponential backoff with jitter, never without end."""

import os
import time
from collections.abc import Callable
from typing import TypeVar

_ATTEMPTS = 5
_FIRST_SECONDS, _LONGEST_SECONDS = 0.2, 8.0
Result = TypeVar("Result")


def tried(call: Callable[[], Result], passing: Callable[[Exception], bool], attempts: int = _ATTEMPTS) -> Result:
    """The call's result. An exception that `passing` calls transient is waited out, at most `attempts` - 1 times."""
    for attempt in range(1, attempts):
        try:
            return call()
        except Exception as error:
            if not passing(error):
                raise
        time.sleep(_pause(attempt))
    return call()


def _pause(attempt: int) -> float:
    """Seconds, half of them of chance: processes that failed together do not come back together."""
    longest: float = min(_LONGEST_SECONDS, _FIRST_SECONDS * 2**attempt)
    chance = (time.monotonic_ns() // 1000 + os.getpid() * 7919) % 1000 / 1000
    return longest * (0.5 + chance / 2)
