"""Digests of payloads: records with the very same content are relatives."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.columns import column
from pipeline.config import JobConfig
from pipeline.job import Job
from pipeline.read import BYTES
from pipeline.records import Payload
from pipeline.snapshot import read_listed
from pipeline.sources.references import resolve
from pipeline.splitting.facts import digests_of
from pipeline.splitting.pieces import Piece
from pipeline.splitting.ranges import Digests
from pipeline.storage import read_file


@dataclass(frozen=True, slots=True)
class Contents:
    """Digests of a piece, per field; the piece's rows stand from `first` on, or at `places`."""

    first: int
    places: tuple[int, ...]
    digests: dict[str, Digests]


@dataclass(frozen=True, slots=True)
class ContentTask:
    """Digest the payloads of a piece."""

    piece: Piece

    def run(self, job: Job, _: object) -> Contents:
        """Raises InputError and RunFailed as every reading does."""
        names, block = compared_fields(job.config), self.piece.block
        parts: dict[str, list[Digests]] = {name: [np.empty(0, np.uint64)] for name in names}
        for batch in read_listed(job.reader, block.unit, list(names), block.start, block.stop):
            for name in names:
                parts[name].append(digests_of(list(_payloads(job, name, batch.column(name), block.unit.file))))
        return Contents(self.piece.first, self.piece.places, {n: np.concatenate(found) for n, found in parts.items()})


def compared_fields(config: JobConfig) -> tuple[str, ...]:
    """Fields whose content makes relatives. Texts beside media do not: captions repeat by nature."""
    media = tuple(name for name, field in config.fields.items() if field.type != "text")
    return media or tuple(config.fields)


def all_contents(job: Job, rows: int, parts: Iterable[Contents]) -> dict[str, Digests]:
    """Per field the digests of all rows; 0 where there is no payload, or nothing of its size."""
    found = {name: column(rows, np.uint64) for name in compared_fields(job.config)}
    for part in parts:
        for name, values in part.digests.items():
            at = list(part.places) if part.places else slice(part.first, part.first + len(values))
            found[name][at] = values
    return found


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
