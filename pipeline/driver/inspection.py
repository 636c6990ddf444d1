"""Data is looked at in a worker process: some payloads end or hang the process that decodes them."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any, Self, cast

import pyarrow as pa

from pipeline.config.schema import JobConfig
from pipeline.engines.local import pool as workers
from pipeline.planning.checks.warnings import warnings_of
from pipeline.planning.job import Job
from pipeline.records import Record, Watch
from pipeline.sources import Listing
from pipeline.sources.inspection.describe import describe_data
from pipeline.sources.inspection.findings import Findings
from pipeline.sources.inspection.payload_samples import undecoded
from pipeline.sources.parquet.reader import ParquetReader
from pipeline.storage.folder import Folder, is_url

NO_ROW = pa.record_batch([pa.nulls(1)], names=[""])
_SECONDS, _SECONDS_OF_STORES = 120.0, 600.0
_ENDED = "a payload among those looked at ended or hung the process that decoded it"
_ASIDE = "run sets such a record aside (worker_crashed, timed_out) and says which"


@dataclass(frozen=True, slots=True)
class LookingTask:
    """A look at some data; without decoding anything where that ends the worker, see `payload_samples.undecoded`."""

    path: str
    look: Callable[..., Any]
    arguments: tuple[Any, ...]
    decoding: bool = True

    def without(self, _: int) -> Self:
        """The same, by names and first bytes alone."""
        return replace(self, decoding=False)

    def run(self, _: Job, watch: Watch) -> tuple[Any, bool]:
        """What the look finds, and whether payloads were decoded. Raises InputError."""
        record = Record(self.path, self.path, 0, (), {}, NO_ROW, 0)
        with nullcontext() if self.decoding else undecoded():
            (found,) = (self.look(*self.arguments) for _record in watch(iter([record])))
        return found, self.decoding


def described_apart(path: str) -> Findings:
    """What data is found to hold by a process that may end. Raises InputError, UsageError."""
    if not path:
        return describe_data(path)
    found, decoded = _apart(path, describe_data, path)
    told = f"ATTENTION: {_ENDED}. So none was decoded: sizes, channels and labels are not looked at. {_ASIDE}."
    return cast(Findings, found if decoded else replace(found, notes=(told, *found.notes)))


def warned_apart(config: JobConfig, listing: Listing) -> list[str]:
    """`warnings_of`, by a process that may end where there is anything but texts to decode."""
    if all(field.type == "text" for field in config.fields.values()):
        return warnings_of(config, listing)
    found, decoded = _apart(listing.reader.root.url, warnings_of, config, listing)
    told = f"{_ENDED}: columns that look like labels, and pictures, are not looked at. {_ASIDE}"
    return cast(list[str], found if decoded else [*found, told])


def _apart(path: str, look: Callable[..., Any], *arguments: Any) -> tuple[Any, bool]:
    with workers.pool_for(blank_job(path, _SECONDS_OF_STORES if is_url(path) else _SECONDS), 1) as pool:
        return looked_at(pool, path, look, *arguments)


def looked_at(pool: workers.Pool, path: str, look: Callable[..., Any], *arguments: Any) -> tuple[Any, bool]:
    """What a look at `path` by a worker of the pool finds, and whether payloads were decoded."""
    if is_url(path):
        Folder.at(path).exists()  # a store that does not answer is told of here, not by a worker
    (found,) = pool.run("sign", [LookingTask(path, look, arguments)])
    return cast(tuple[Any, bool], found)


def blank_job(path: str, seconds: float) -> Job:
    """What tells workers their limits, and whether a set is in the memory of this process."""
    given = {"input": {"path": path}, "fields": {"-": {"type": "text"}}, "output": {"path": "-"}}
    config = JobConfig.model_validate({**given, "record_timeout": seconds})
    return Job(config, ParquetReader(Folder.at(path), ()), pa.schema([]), (), "-", Folder.at("-"))
