"""Digests of payloads, made by the pool: records with the very same content are relatives."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.config import JobConfig
from pipeline.job import Job
from pipeline.read import BYTES
from pipeline.records import Block, Payload, Unit
from pipeline.snapshot import read_listed
from pipeline.sources.references import resolve
from pipeline.splitting.facts import Digests, digests_of
from pipeline.storage import read_file
from pipeline.workers import Pool

_TASK_BYTES = 64 * 2**20
_TASK_REFERENCES = 2_000


@dataclass(frozen=True, slots=True)
class ContentTask:
    """Rows of one unit, and where they stand among all rows: from `first` on, or at `places`."""

    block: Block
    first: int
    places: tuple[int, ...] = ()

    def run(self, job: Job, _: object) -> tuple["ContentTask", dict[str, Digests]]:
        """Read the payloads and digest them. Raises InputError and RunFailed as every reading does."""
        names, block = compared_fields(job.config), self.block
        parts: dict[str, list[Digests]] = {name: [] for name in names}
        for batch in read_listed(job.reader, block.unit, list(names), block.start, block.stop):
            for name in names:
                parts[name].append(digests_of(list(_payloads(job, name, batch.column(name), block.unit.file))))
        small = replace(self, block=Block(Unit("", 0, 0), block.start, block.stop))
        return small, {name: np.concatenate(found) for name, found in parts.items()}


def compared_fields(config: JobConfig) -> tuple[str, ...]:
    """Fields whose content makes relatives. Texts beside media do not: captions repeat by nature."""
    media = tuple(name for name, field in config.fields.items() if field.type != "text")
    return media or tuple(config.fields)


def contents_of(job: Job, units: Sequence[Unit], pool: Pool) -> dict[str, Digests]:
    """Per field the digests of all rows; 0 where there is no payload, or nothing of its size."""
    rows = sum(unit.rows for unit in units)
    found = {name: np.zeros(rows, np.uint64) for name in compared_fields(job.config)}
    for task, digests in pool.run("survey", list(_tasks(job, units))):
        stop = task.first + task.block.stop - task.block.start
        for name, values in digests.items():
            found[name][list(task.places) if task.places else slice(task.first, stop)] = values
    return found


def _tasks(job: Job, units: Sequence[Unit]) -> Iterator[ContentTask]:
    sizes = Counter(member.size for unit in units for member in unit.members)
    first = 0
    for unit in units:
        if unit.members:
            yield from _of_files(unit, first, sizes)
        else:
            average = max(1, unit.bytes // max(1, unit.rows))
            step = max(1, _TASK_REFERENCES if job.external else _TASK_BYTES // average)
            for start in range(0, unit.rows, step):
                yield ContentTask(Block(unit, start, min(unit.rows, start + step)), first + start)
        first += unit.rows


def _of_files(unit: Unit, first: int, sizes: Counter[int]) -> Iterator[ContentTask]:
    """Only files of which there is another of the same size."""
    places = [n for n, member in enumerate(unit.members) if sizes[member.size] > 1]
    for begin in range(0, len(places), _TASK_REFERENCES):
        some = places[begin : begin + _TASK_REFERENCES]
        members = tuple(unit.members[n] for n in some)
        alone = replace(unit, rows=len(some), bytes=sum(m.size for m in members), members=members)
        yield ContentTask(Block(alone, 0, len(some)), first, tuple(first + n for n in some))


def _payloads(job: Job, name: str, column: pa.Array, file: str) -> Iterator[bytes | None]:
    if pa.types.is_struct(column.type):
        column = column.field(BYTES)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    for value in column.to_pylist():
        yield _content(job, name, value, file)


def _content(job: Job, name: str, value: Any, file: str) -> bytes | None:
    payload: Payload | None = value
    if name in job.external and isinstance(payload, str):
        try:
            return read_file(resolve(payload, job.reader.root, file))
        except (OSError, ValueError):
            return None  # it fails when it is read to be rendered, with the reason
    return payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else payload
