"""The log of a run, beside the manifest and not part of the version: when, where, how long, from which folder."""

import platform
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

from pipeline.job import Job
from pipeline.storage import Folder

RUNS = "_runs"


def write_log(job: Job, seconds: float, samples: int, runner: str, workers: int) -> None:
    """Write one JSON file named by the time."""
    now = datetime.now(UTC)
    entry = {
        "finished": now.isoformat(),
        "seconds": round(seconds, 3),
        "samples_per_second": round(samples / seconds, 1) if seconds else None,
        "runner": runner,
        "workers": workers,
        "host": platform.node(),
        "input_root": job.reader.root.url,
        "input_parts": job.reader.root.parts,
        "limits": job.config.limits.model_dump(),
    }
    data = orjson.dumps(entry, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    job.dataset.put(f"{RUNS}/{now.strftime('%Y%m%dT%H%M%S.%fZ')}.json", data)


def newest_log(dataset: Folder) -> dict[str, Any] | None:
    """The newest log of a version that can be read, or None."""
    for name in reversed(dataset.names(RUNS)):
        with suppress(ValueError, OSError):
            entry = orjson.loads(dataset.read(f"{RUNS}/{name}"))
            if isinstance(entry, dict) and isinstance(entry.get("input_root"), str):
                return entry
    return None
