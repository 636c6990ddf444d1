"""Other records for steps that look at them: read, decoded and prepared where they are asked for, then kept."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from pipeline.candidates import Candidate, Candidates
from pipeline.errors import InputError
from pipeline.job import Job, Task
from pipeline.location import located
from pipeline.read import read_task
from pipeline.records import Record, Refusal, Shard
from pipeline.sources.parquet import apart
from pipeline.tools import FieldTools
from transforms.picture_cache import PictureCache
from transforms.values import ImageValue, Peers, Value

Prepare = Callable[[FieldTools, Record], Value | Refusal]
"""A record's value as it enters the augment steps of a field."""
_cache = PictureCache(256 * 2**20)
_UNUSABLE = np.zeros((0, 0, 0), np.uint8)


@dataclass(frozen=True, slots=True)
class PeersOfJob:
    """Gives each record of a job its peers."""

    job: Job | None
    prepare: Prepare

    @property
    def known(self) -> Candidates | None:
        """What the survey found."""
        return None if self.job is None else self.job.candidates

    def offered(self, tools: FieldTools, record: Record, value: Value) -> Value:
        """The value with its peers, if a step of the field asks for any."""
        if self.known is None or not tools.looks_at_others or not isinstance(value, ImageValue):
            return value
        offer = _Offer(self, tools, record)
        return replace(value, peers=Peers(offer.names, offer.value))

    def picture(self, tools: FieldTools, candidate: Candidate) -> NDArray[np.uint8]:
        """The pixels of a candidate, empty if it is unusable. Raises InputError if it is not in the input any more."""
        job = cast(Job, self.job)
        key = (job.reader.root.url, job.version, tools.name, candidate.file, candidate.row, candidate.key)
        return _cache.get(key, lambda: self._rendered(job, tools, candidate))

    def _rendered(self, job: Job, tools: FieldTools, candidate: Candidate) -> NDArray[np.uint8]:
        job, block = replace(job, reader=apart(job.reader)), candidate.block
        if block is None:
            reader, block = located(job.config, job.reader.root, candidate.file, candidate.row)
            job = replace(job, reader=reader)
        record = next(read_task(job, Task(Shard("train", 0, (block,)))), None)
        if record is None or record.key != candidate.key:
            place = f"{candidate.file} row {candidate.row}"
            raise InputError(f"the reference record {candidate.key!r} is not at {place} any more")
        value = self.prepare(tools, record) if record.refusal is None else record.refusal
        return value.pixels.copy() if isinstance(value, ImageValue) else _UNUSABLE.copy()


@dataclass(frozen=True, slots=True)
class _Offer:
    """The peers of one field of one record."""

    peers: PeersOfJob
    tools: FieldTools
    record: Record
    named: dict[str, Candidate] = field(default_factory=dict)

    def names(self, scope: str, most: int) -> tuple[str, ...]:
        """Keys of the candidates."""
        known = self.peers.known
        found = () if known is None else known.of(self.record, scope, most)
        self.named.update({candidate.key: candidate for candidate in found})
        return tuple(candidate.key for candidate in found)

    def value(self, key: str) -> Value | None:
        """One of those that were named, without labels."""
        pixels = self.peers.picture(self.tools, self.named[key])
        return ImageValue(pixels) if pixels.size else None
