"""The log of a run, beside the manifest and not part of the version: when, where, how long, from which folder."""

import platform
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import orjson

from pipeline.config.types import Allowed, each_of
from pipeline.planning.job import Job
from pipeline.sources.listing import fixed_parts
from pipeline.storage.folder import Folder, absolute
from pipeline.storage.layout import RUNS
from pipeline.storage.stores.locations import real_path, within


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
        "input_path": [absolute(path) for path in _paths(job)],
        "input_root": job.reader.root.url,
        "input_parts": job.reader.root.parts,
        "allowed": allowed_places(job),
        "limits": job.config.limits.model_dump(),
    }
    data = orjson.dumps(entry, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    job.dataset.put(f"{RUNS}/{now.strftime('%Y%m%dT%H%M%S.%fZ')}.json", data)


def _paths(job: Job) -> tuple[str, ...]:
    path = job.config.input.path
    return (path,) if isinstance(path, str) else path


def allowed_places(job: Job) -> dict[str, list[str]]:
    """Where links of the input (under an empty name) and references of each field may lead to besides the input.

    A path of the config that is a link itself is allowed by being named.
    """
    config, root = job.config, job.reader.root
    named = map(absolute, fixed_parts(config.input.path) if root.local else ())
    leading = [place for place in named if not within(real_path(place), (root.url,))]
    fields = {name: field.uri.prefixes for name, field in config.fields.items() if isinstance(field.uri, Allowed)}
    places = {"": [*leading, *each_of(config.input.allow)], **fields}
    return {name: [absolute(prefix) for prefix in prefixes] for name, prefixes in places.items() if prefixes}


def newest_log(dataset: Folder) -> dict[str, Any] | None:
    """The newest log of a version that can be read, or None."""
    for name in reversed(dataset.names(RUNS)):
        with suppress(ValueError, OSError):
            entry = orjson.loads(dataset.read(f"{RUNS}/{name}"))
            if isinstance(entry, dict) and isinstance(entry.get("input_root"), str):
                return entry
    return None
