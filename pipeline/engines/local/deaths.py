"""Why a worker process ended, as the reason for which its record is dropped if it is to blame."""

import signal

from pipeline.records import Refusal


def cause_of_death(hung: bool, code: int | None) -> Refusal:
    """`hung`: it was ended since the record took too long; `code`: as `multiprocessing` tells, minus the signal."""
    if hung:
        message = "the record took longer than record_timeout, twice"
        return Refusal("failed", "", "render", "timed_out", "TimeoutError", message)
    if code == -signal.SIGKILL:
        message = "the worker process was killed (SIGKILL), three times with this record alone: by want of memory?"
        return Refusal("failed", "", "render", "worker_killed", "WorkerKilled", message)
    how = f"signal {signal.Signals(-code).name}" if code and code < 0 else f"exit code {code or 0}"
    return Refusal("failed", "", "render", "worker_crashed", "WorkerCrashed", f"the worker process ended with {how}")
