"""Payloads of an audit are decoded in worker processes, with the limits that a run has: some end or hang their decoder.

What its worker does not survive, twice for a hang and three times for a death, counts as unreadable.
"""

import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self, cast

import pyarrow as pa

from pipeline.audit.external_sets import Describe
from pipeline.audit.leak_counts import Findings as Found
from pipeline.audit.row_digests import Portion
from pipeline.audit.shard_audit import audited
from pipeline.audit.sides import Payload
from pipeline.audit.signatures import Sign, signature_of
from pipeline.dataset.reader import Dataset
from pipeline.driver.inspection import NO_ROW, blank_job, looked_at
from pipeline.engines.local import pool as workers
from pipeline.modalities.similarity.interface import Signature
from pipeline.planning.job import Job
from pipeline.records import Record, Watch
from pipeline.sources.inspection.describe import describe_data
from pipeline.sources.inspection.findings import Findings
from pipeline.sources.parquet.reader import ParquetReader
from pipeline.storage.folder import Folder


@dataclass(frozen=True, slots=True)
class SigningTask:
    """Sign some payloads, the first of which is number `first` of all; those `skipped` end their worker."""

    modality: str
    mirrored: bool
    payloads: tuple[tuple[str, Payload], ...]
    first: int = 0
    skipped: tuple[int, ...] = ()

    def without(self, record: int) -> Self:
        """The same but for one that counts as unreadable."""
        return replace(self, skipped=(*self.skipped, record))

    def run(self, _: Job, watch: Watch) -> tuple[int, list[Signature | None]]:
        """`first`, and the signatures."""
        from pipeline.modalities.similarity.registry import measure_of

        measure, found = measure_of(self.modality, self.mirrored), list[Signature | None]()
        records = (Record(name, name, 0, (), {"": payload}, NO_ROW, 0) for name, payload in self.payloads)
        for number, (_record, (_name, payload)) in enumerate(zip(watch(records), self.payloads, strict=True)):
            found.append(None if number in self.skipped else signature_of(measure, payload))
        return self.first, found


@contextmanager
def apart(path: str, seconds: float) -> Iterator[tuple[Describe, Sign]]:
    """A pool that describes sets and signs payloads, each within some seconds; `path`: one of the sets."""
    count = workers.default_count()
    with workers.pool_for(blank_job(path, seconds), count) as pool:

        def describe(other: str) -> Findings:
            return cast(Findings, looked_at(pool, other, describe_data, other, True)[0])

        def sign(modality: str, mirrored: bool, payloads: Sequence[tuple[str, Payload]]) -> list[Signature | None]:
            size = max(1, -(-len(payloads) // count))
            tasks = [
                SigningTask(modality, mirrored, tuple(payloads[first : first + size]), first)
                for first in range(0, len(payloads), size)
            ]
            parts = dict(pool.run("sign", tasks))
            return [signature for first in sorted(parts) for signature in parts[first]]

        yield describe, sign


def audited_apart(dataset: Dataset, portions: Sequence[Portion]) -> Found:
    """`audited`, with the files of a written version read by worker processes."""
    with workers.pool_for(_job_of(dataset), workers.default_count()) as pool:
        return audited(portions, lambda some: pool.run("look", some), lambda some: pool.run("compare", some))


def _job_of(dataset: Dataset) -> Job:
    """What workers need to know to read a version."""
    above, name = posixpath.split(dataset.path)
    reader = ParquetReader(dataset.folder, ())
    return Job(dataset.config("-", above), reader, pa.schema([]), (), name, Folder(above))
