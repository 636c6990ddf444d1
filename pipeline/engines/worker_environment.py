"""What a worker elsewhere must share with the submitting machine, and how it tells what stopped it."""

import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import orjson

from pipeline import errors
from pipeline.config.schema import JobConfig
from pipeline.errors import FanbeamError, Problem, RunFailed
from pipeline.planning.fingerprint import cpu, libraries
from pipeline.planning.job import Job
from pipeline.storage.layout import PLAN, RUNS

_FAILURES = f"{RUNS}/failures"
_WORKERS = f"{RUNS}/workers"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The submitting machine's libraries and CPU, and the name of the submission."""

    libraries: dict[str, str]
    cpu: dict[str, Any]
    submission: str

    @classmethod
    def here(cls, config: JobConfig, submission: str) -> "Surroundings":
        """Those of this machine."""
        return cls(libraries(config), cpu(), submission)


def look_around(job: Job, expected: Surroundings) -> None:
    """On a worker: raise RunFailed unless it sees the output and has what `same_libraries` asks for."""
    host = platform.node()
    if not job.dataset.exists(PLAN):
        raise RunFailed(
            f"the worker on {host} does not see {job.output.url}, where this run writes. "
            "Use an object store or a file system that all machines mount at the same path."
        )
    same_libraries(job, expected)


def same_libraries(job: Job, expected: Surroundings) -> None:
    """On a worker: raise RunFailed unless it has the same library versions; note its CPU."""
    host, mine = platform.node(), libraries(job.config)
    problems = tuple(
        Problem(f"{name} on {host}", f"{mine.get(name, 'not installed')}, the submitting machine has {version}.")
        for name, version in expected.libraries.items()
        if mine.get(name) != version
    )
    if problems:
        raise RunFailed(
            f"the worker on {host} has other library versions, so its bytes could differ: {problems[0]} "
            "Install the same versions in the workers' environment.",
            problems,
        )
    if cpu() != expected.cpu:
        data = orjson.dumps({"host": host, "cpu": cpu()}, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        job.dataset.put(f"{_WORKERS}/{expected.submission}-{host}.json", data)


def other_cpus(job: Job, submission: str) -> list[str]:
    """Hosts of workers that had another CPU than the submitting machine."""
    named = [name for name in job.dataset.names(_WORKERS) if name.startswith(f"{submission}-")]
    return [name.removeprefix(f"{submission}-").removesuffix(".json") for name in named]


@contextmanager
def telling(job: Job, submission: str) -> Iterator[None]:
    """Leave word of an error that the user must know of: engines report little, and each in its own way."""
    try:
        yield
    except FanbeamError as error:
        with suppress(FanbeamError, OSError):
            job.dataset.put(f"{_FAILURES}/{submission}.json", orjson.dumps(_as_word(error)))
        raise


def told(job: Job, submission: str) -> FanbeamError | None:
    """The error that a worker of that submission left word of, or None."""
    name = f"{_FAILURES}/{submission}.json"
    try:
        word = orjson.loads(job.dataset.read(name))
    except (OSError, orjson.JSONDecodeError):
        return None
    job.dataset.remove(name)
    problems = tuple(Problem(**p) for p in word["problems"])
    error: FanbeamError = getattr(errors, word["type"])(word["message"], problems)
    return error


def _as_word(error: FanbeamError) -> dict[str, Any]:
    stated = error.as_json()["error"]
    known = type(error).__name__ if hasattr(errors, type(error).__name__) else RunFailed.__name__
    return {**stated, "type": known} if isinstance(stated, dict) else {}
