"""Digests of payloads: records with the very same content are relatives."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pyarrow as pa

from pipeline.config.schema import JobConfig
from pipeline.planning.job import Job
from pipeline.records import Payload, Record, Watch
from pipeline.sources.payloads import payload_of, payloads_of, watched
from pipeline.sources.snapshot import read_listed
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.duplicates.chunks import Piece
from pipeline.splitting.facts import digests_of
from pipeline.storage.mapped_columns import column

_ODD = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Contents:
    """Digests of a piece, per field; the piece's rows stand from `first` on, or at `places`."""

    first: int
    places: tuple[int, ...]
    digests: dict[str, Digests]


@dataclass(frozen=True, slots=True)
class ContentTask:
    """Digest the payloads of a piece; rows of it (counted from 0) that are `skipped` name files that never end."""

    piece: Piece
    skipped: tuple[int, ...] = ()

    def without(self, record: int) -> Self:
        """The same but for a record that its worker does not survive: it has no relatives."""
        return replace(self, skipped=(*self.skipped, record))

    def run(self, job: Job, watch: Watch) -> Contents:
        """Raises InputError and RunFailed as every reading does."""
        compared = compared_fields(job.config)
        names = [name for fields in compared.values() for name in fields]
        parts: dict[str, list[Digests]] = {name: [np.empty(0, np.uint64)] for name in names}
        for batch in self._batches(job, [name for name in names if name not in job.external]):
            for name in batch.schema.names:
                parts[name].append(digests_of([encoded(p) for p in payloads_of(batch.column(name))]))
        external = [name for name in names if name in job.external]
        for record in watched(job, self._records(job, external), watch):
            for name, payload in record.payloads.items():
                parts[name].append(digests_of([encoded(payload)]))
        found = {name: np.concatenate(some) for name, some in parts.items()}
        whole = {name: together([found[field] for field in fields]) for name, fields in compared.items()}
        return Contents(self.piece.first, self.piece.places, whole)

    def _batches(self, job: Job, names: list[str]) -> Iterator[pa.RecordBatch]:
        block = self.piece.block
        yield from read_listed(job.reader, block.unit, names, block.start, block.stop) if names else ()

    def _records(self, job: Job, names: list[str]) -> Iterator[Record]:
        """The rows with what they refer to, as far as they are not skipped."""
        unit, number = self.piece.block.unit, 0
        for batch in self._batches(job, names):
            for index in range(batch.num_rows):
                file, row = job.reader.locate(unit, self.piece.block.start + number)
                known = number not in self.skipped
                payloads = {n: payload_of(job, n, batch.column(n), index) if known else None for n in names}
                yield Record("", file, row, (), payloads, batch, index)
                number += 1


def compared_fields(config: JobConfig) -> dict[str, tuple[str, ...]]:
    """What makes relatives: each name stands for fields whose contents must all be the same.

    Of media each field alone; texts beside them say nothing, since captions repeat by nature. Of texts alone all of
    them together: a record is its whole pair, and short answers repeat.
    """
    media = tuple(name for name, field in config.fields.items() if field.type != "text")
    texts = tuple(sorted(config.fields))
    return {name: (name,) for name in media} or {"+".join(texts): texts}


def together(digests: list[Digests]) -> Digests:
    """One digest of several of the same row; 0 where all of them are."""
    if len(digests) == 1:
        return digests[0]
    found, there = np.zeros_like(digests[0]), np.zeros(len(digests[0]), np.bool_)
    for some in digests:
        found = (found ^ some) * _ODD + np.uint64(1)
        there |= some != 0
    return np.where(there, np.maximum(found, 1), np.uint64(0))


def all_contents(job: Job, rows: int, parts: Iterable[Contents]) -> dict[str, Digests]:
    """Per field the digests of all rows; 0 where there is no payload, or nothing of its size."""
    found = {name: column(rows, np.uint64) for name in compared_fields(job.config)}
    for part in parts:
        for name, values in part.digests.items():
            at = list(part.places) if part.places else slice(part.first, part.first + len(values))
            found[name][at] = values
    return found


def encoded(payload: Payload | None) -> bytes | None:
    """A payload as it is digested."""
    return payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else payload
