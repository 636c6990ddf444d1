"""What the pool does when near duplicates are looked for. Each task is small, and runs in a worker."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.memory import refuse_want
from pipeline.modalities.codecs.of_field import codec_of
from pipeline.modalities.similarity.interface import Measure, Signature
from pipeline.modalities.similarity.neighbours import Centres, buckets_of, pairs_within
from pipeline.modalities.similarity.registry import measure_of
from pipeline.planning.job import Job
from pipeline.planning.keys import key_block, keys_at, record_of
from pipeline.records import Record, Watch
from pipeline.sources.payloads import payload_of, watched
from pipeline.sources.snapshot import read_listed
from pipeline.splitting.components import no_pairs
from pipeline.splitting.duplicates.chunks import Piece
from pipeline.splitting.duplicates.signature_files import RowNumbers, Signatures, store
from pipeline.splitting.facts import rank_of


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The signature of a row, and the digest of its record's key, which orders records whatever their rows are."""

    rank: int
    row: int
    signature: Signature


@dataclass(frozen=True, slots=True)
class SignTask:
    """Sign one field of a piece; records of it (counted from 0) that are `skipped` kill workers."""

    piece: Piece
    field: str
    skipped: tuple[int, ...] = ()

    def without(self, record: int) -> Self:
        """The same but for a record that its worker does not survive: it has no relatives."""
        return replace(self, skipped=(*self.skipped, record))

    def run(self, job: Job, watch: Watch) -> list[Ranked]:
        """Decode and sign. What cannot be read or decoded has no signature; rendering tells why."""
        measure = measure_for(job, self.field)
        found = []
        for number, record in enumerate(watched(job, self._records(job), watch)):
            payload = record.payloads[self.field]
            if not payload or number in self.skipped:
                continue
            try:
                signature = measure.signature(payload)
            except CodecError as error:
                refuse_want(error)
                continue
            found.append(Ranked(rank_of(record.key), self.piece.first + number, signature))
        return found

    def _records(self, job: Job) -> Iterator[Record]:
        block, start = self.piece.block, self.piece.block.start
        names = tuple(dict.fromkeys((self.field, *job.config.key_columns())))
        number = 0
        for batch in read_listed(job.reader, block.unit, names, block.start, block.stop):
            keyed = key_block(job.config, job.reader, block.unit, batch, start)
            start += batch.num_rows
            for index, key in enumerate(keys_at(job.config, job.reader, keyed, range(batch.num_rows))):
                found = payload_of(job, self.field, batch.column(self.field), index)
                payload = None if number in self.skipped else found
                number += 1
                yield record_of(key, {self.field: payload}, batch, index)


@dataclass(frozen=True, slots=True)
class StoreTask:
    """As `SignTask`, with the signatures put on the disk of this machine."""

    signing: SignTask
    folder: str

    def without(self, record: int) -> Self:
        """See `SignTask`."""
        return replace(self, signing=self.signing.without(record))

    def run(self, job: Job, watch: Watch) -> int:
        """The first row of the piece, or -1 if it has no signature. Raises RunFailed where there is no room."""
        found, first = self.signing.run(job, watch), self.signing.piece.first
        if not found:
            return -1
        store(self.folder, first, [one.row for one in found], [one.signature for one in found])
        return first


@dataclass(frozen=True, slots=True)
class BucketTask:
    """Buckets of a piece's rows."""

    signed: Signatures
    first: int
    centres: Centres

    def run(self, _: Job, __: Watch) -> tuple[NDArray[np.uint64], RowNumbers]:
        """Buckets, and the row of each; a row is in several."""
        rows = self.signed.rows(self.first)
        found = [buckets_of(signature, self.centres) for signature in self.signed.load(rows, False)]
        flat = np.array([bucket for buckets in found for bucket in buckets], np.uint64)
        return flat, np.repeat(rows, [len(buckets) for buckets in found])


@dataclass(frozen=True, slots=True)
class PairTask:
    """Candidates within buckets, each given by its rows."""

    signed: Signatures
    buckets: tuple[RowNumbers, ...]

    def run(self, _: Job, __: Watch) -> NDArray[np.int64]:
        """(n, 2) rows."""
        found = [no_pairs()]
        for rows in self.buckets:
            pairs = pairs_within(self.signed.load(rows, True))
            if pairs:
                found.append(np.sort(rows[np.array(pairs, np.int64)], axis=1))
        return np.unique(np.concatenate(found), axis=0)


@dataclass(frozen=True, slots=True)
class DistanceTask:
    """Candidates, of which those are kept that are near enough."""

    signed: Signatures
    field: str
    pairs: NDArray[np.int64]

    def run(self, job: Job, _: Watch) -> NDArray[np.int64]:
        """(n, 2) rows."""
        rows = np.unique(self.pairs)
        signatures = dict(zip(rows.tolist(), self.signed.load(rows, True), strict=True))
        near = near_enough(job, self.field)
        kept = [near(signatures[one], signatures[other]) for one, other in self.pairs.tolist()]
        return self.pairs[np.array(kept, np.bool_)]


def measure_for(job: Job, field: str) -> Measure:
    """A field's measure, with the field's own codec."""
    config = job.config.fields[field]
    return measure_of(config.type, job.config.near_duplicates[field].mirrored, codec_of(config))


def near_enough(job: Job, field: str) -> Callable[[Signature, Signature], bool]:
    """Whether two records are near duplicates in a field."""
    measure, given = measure_for(job, field), job.config.near_duplicates[field].threshold
    most = measure.threshold if given is None else given
    return lambda one, other: measure.distance(one.detail, other.detail) <= most


def undetailed(one: Ranked) -> Ranked:
    """Without the detail, which is most of it."""
    return replace(one, signature=replace(one.signature, detail=b""))
