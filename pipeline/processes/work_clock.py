"""How long a process has worked at something: processor time, and time in which it waited for something else.

Time in which it was ready to run and others had the processor does not count: load decides nothing.
"""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

_RUNNABLE = "R"


@dataclass(slots=True)
class WorkClock:
    """Of one process, looked at again and again. Where the system does not tell, the wall clock counts."""

    pid: int
    _started: float = -1.0
    _used: float = 0.0
    _looked: float = 0.0
    _before: float = 0.0
    _stood: float = 0.0
    _waited: float = 0.0

    def seconds(self, started: float) -> float:
        """Seconds of work since `started` (a monotonic time that names the piece of work)."""
        now, used, stood = time.monotonic(), _processor_seconds(self.pid), _standing_seconds(self.pid)
        if used is None:
            return now - started
        if started != self._started:
            self._started, self._used, self._waited = started, used, 0.0
        elif not _is_runnable(self.pid):
            in_line = max(0.0, stood - self._stood)  # threads that ended take theirs with them
            self._waited += max(0.0, now - self._looked - (used - self._before) - in_line)
        self._looked, self._before, self._stood = now, used, stood
        return used - self._used + self._waited


def _processor_seconds(pid: int) -> float | None:
    """Processor time of a process, all its threads together; None if the system does not tell."""
    if not sys.platform.startswith("linux"):
        return None
    clock_of_process = (~pid << 3) | 2  # as clock_getcpuclockid(3) makes it
    try:
        return time.clock_gettime(clock_of_process)
    except OSError:
        return None


def _standing_seconds(pid: int) -> float:
    """For how long the threads of a process were ready to run while others had the processors; 0 if nobody tells."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((thread / "schedstat").read_bytes().split()[1]) for thread in threads) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _is_runnable(pid: int) -> bool:
    """Whether a process works, or would if it had a processor."""
    try:
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0].decode()
    except (OSError, IndexError):
        return False
    return state == _RUNNABLE
