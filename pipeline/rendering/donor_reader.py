"""Other records for steps that look at them, or blend with them: read, decoded and prepared where they are asked for.

A worker process reads each of them once, as long as their files fit into 64 MiB, and decodes it once, as long as the
values fit into 256 MiB; beyond that those that were not used for longest are read and decoded again.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
import pyarrow as pa

from pipeline.modalities.labels.binding import Row, columns_of
from pipeline.modalities.labels.entry_numbers import of_source
from pipeline.planning.donors.selection import Candidate, Candidates
from pipeline.planning.job import Job, Task
from pipeline.records import Record, Refusal, Shard
from pipeline.rendering.donor_file import stored
from pipeline.rendering.field_processor import FieldTools
from pipeline.rendering.moved_donors import found_again, gone
from pipeline.rendering.read import read_task
from pipeline.sources.parquet.reader import apart
from transforms.isolation.bounded_cache import BoundedCache
from transforms.values import AudioValue, Donors, ImageValue, Peers, TextValue, Value

Prepare = Callable[[FieldTools, Record], Value | Refusal]
"""A record's value as it enters the augment steps of a field."""
_Able = ImageValue | AudioValue | TextValue


def record_bytes(record: Record) -> int:
    """What a record that is kept takes."""
    return sum(len(payload or b"") for payload in record.payloads.values()) + int(record.batch.nbytes)


def _value_bytes(value: _Able | None) -> int:
    if isinstance(value, ImageValue):
        return value.pixels.nbytes + (0 if value.masks is None else value.masks.nbytes)
    return value.samples.nbytes if isinstance(value, AudioValue) else len(value.text if value else "")


_records: BoundedCache[Record] = BoundedCache(64 * 2**20, record_bytes)
_values: BoundedCache[_Able | None] = BoundedCache(256 * 2**20, _value_bytes)


@dataclass(frozen=True, slots=True)
class PeersOfJob:
    """Gives each record of a job its peers."""

    job: Job | None
    prepare: Prepare

    @property
    def known(self) -> Candidates | None:
        """What the survey found."""
        return None if self.job is None else self.job.candidates

    def offer(self, tools: FieldTools, record: Record) -> "Offer | None":
        """The peers of one field of a record, if a step of the field asks for any."""
        return Offer(self, tools, record) if self.known is not None and tools.looks_at_others else None

    def value(self, tools: FieldTools, candidate: Candidate) -> _Able | None:
        """A candidate as it enters its augment steps, None if it is unusable. Raises InputError if it is gone."""
        return _values.get(self._key(tools, candidate), lambda: self._prepared(tools, candidate))

    def record(self, tools: FieldTools, candidate: Candidate) -> Record:
        """A candidate with the columns that are bound to the field. Raises InputError if it is gone."""
        return _records.get(self._key(tools, candidate), lambda: self._read(tools, candidate))

    def _key(self, tools: FieldTools, candidate: Candidate) -> tuple[object, ...]:
        job = cast(Job, self.job)
        return (job.reader.root, job.version, tools.name, candidate.file, candidate.row, candidate.key)

    def _prepared(self, tools: FieldTools, candidate: Candidate) -> _Able | None:
        record = self.record(tools, candidate)
        value = self.prepare(tools, record) if record.refusal is None else record.refusal
        if isinstance(value, Refusal) and value.reason == "out_of_memory":  # else the copy would have another partner
            raise MemoryError(value.message)
        return _sealed(value) if isinstance(value, _Able) else None

    def _read(self, tools: FieldTools, candidate: Candidate) -> Record:
        """From the file of donors; from the input where there is none, or where it is no donor."""
        job = cast(Job, self.job)
        with suppress(FileNotFoundError):
            kept = stored(job.dataset, candidate, tools.name) if tools.blends else None
            if kept is not None:
                return kept
        job, block = replace(job, reader=apart(job.reader)), candidate.block
        if block is None:
            reader, block = found_again(job, candidate)
            job = replace(job, reader=reader)
        record = next(read_task(job, Task(Shard("train", 0, (block.all_of("train"),)))), None)
        if record is None or record.key != candidate.key:
            raise gone(candidate)
        return alone(record, tools)


@dataclass(frozen=True, slots=True)
class Offer:
    """The peers of one field of one record."""

    peers: PeersOfJob
    tools: FieldTools
    record: Record
    named: dict[str, Candidate] = field(default_factory=dict)
    scopes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    """Donors as often as they were asked for: labels of the first have number 1, beside those of the record, 0."""

    def begin(self) -> None:
        """A new copy: nobody was asked for yet."""
        self.sources.clear()

    def made_to(self, value: Value) -> Value:
        """The value with its peers."""
        if not isinstance(value, _Able):
            return value
        return replace(value, peers=Peers(self._names, self._picture, Donors(self._partners, self._donor)))

    def rows(self) -> Iterator[Row]:
        """The columns of the donors that were asked for, in the order of their numbers."""
        for key in self.sources:
            yield self.peers.record(self.tools, self.named[key]).batch, 0

    def _names(self, scope: str, most: int) -> tuple[str, ...]:
        """Keys of the candidates."""
        known = self.peers.known
        found = () if known is None else known.of(self.record, scope, most)
        self.named.update({candidate.key: candidate for candidate in found})
        return tuple(candidate.key for candidate in found)

    def _picture(self, key: str) -> Value | None:
        """One of those that were named, without labels."""
        value = self.peers.value(self.tools, self.named[key])
        return ImageValue(value.pixels) if isinstance(value, ImageValue) else None

    def _partners(self, scope: str) -> tuple[str, ...]:
        """Keys of the donors of a scope."""
        known = self.peers.known
        if scope not in self.scopes and known is not None:
            found = known.partners(self.record, scope)
            self.named.update({donor.key: donor for donor in found})
            self.scopes[scope] = tuple(donor.key for donor in found)
        return self.scopes.get(scope, ())

    def _donor(self, key: str) -> Value | None:
        """One of those that were named, with labels of its own numbers."""
        value = self.peers.value(self.tools, self.named[key])
        if value is None:
            return None
        self.sources.append(key)
        return of_source(value, len(self.sources))


def alone(record: Record, tools: FieldTools) -> Record:
    """The record with copies of the columns that are bound to the field, and no others: it is kept for long."""
    names = [name for name in columns_of(tools.bindings) if name in record.batch.schema.names]
    columns = [record.batch.column(name).take(pa.array([record.index])) for name in names]
    batch = pa.record_batch(columns, names=names) if names else pa.record_batch([pa.nulls(1)], names=[""])
    return replace(record, batch=batch, index=0, payloads={tools.name: record.payloads[tools.name]})


def _sealed(value: _Able) -> _Able:
    """A copy of what may be a view of something large, that nobody may write to."""
    if isinstance(value, TextValue):
        return value
    if isinstance(value, AudioValue):
        samples = value.samples.copy()
        samples.setflags(write=False)
        return replace(value, samples=samples)
    pixels = value.pixels.copy()
    pixels.setflags(write=False)
    if value.masks is None:
        return replace(value, pixels=pixels)
    masks = np.array(value.masks)
    masks.setflags(write=False)
    return replace(value, pixels=pixels, masks=masks)
