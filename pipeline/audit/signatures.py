"""Rows of written files as small signatures, and which pairs of them might be near duplicates.

A signature finds candidates and no more: `pair_check` reads both rows again before it says so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.audit.digest_matching import Place
from pipeline.audit.row_digests import Looked
from pipeline.audit.sides import Field, Payload
from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.memory import refuse_want
from pipeline.modalities.similarity.interface import LENGTH, Measure, Signature
from pipeline.records import SPLITS, Record, Split

Sign = Callable[[str, bool, Sequence[tuple[str, Payload]]], list[Signature | None]]
"""Modality, whether mirror images are alike, and named payloads -> the signature of each; None if it is unreadable."""
ROWS_PER_BUCKET = 2_000
_AT_ONCE = 20_000
_NEIGHBOURS = 3
_UNLIKE = LENGTH**2
"""Squared distance of views from which on they are no candidates: 60 degrees. Crops of 5 % of each side stay below."""
_FIELDS = 2**32


@dataclass(frozen=True, slots=True)
class NearField:
    """A field whose near duplicates are looked for: how near, and whether the split was asked to keep them together.

    `role`: the place of its links among the roles.
    """

    field: Field
    role: int
    threshold: float
    mirrored: bool = False
    asked: bool = False

    def measure(self) -> Measure:
        """What signs and compares."""
        from pipeline.modalities.similarity.registry import measure_of

        return measure_of(self.field.modality, self.mirrored)


@dataclass(frozen=True, slots=True)
class Wish:
    """Near duplicates of a field are to be looked for; see NearField. `threshold` None: the measure's own."""

    threshold: float | None = None
    mirrored: bool = False
    asked: bool = False


def near_fields(looked: Looked, wishes: Mapping[str, Wish]) -> tuple[NearField, ...]:
    """The fields that are wished for, in the order of the dataset's."""
    from pipeline.modalities.similarity.registry import measure_of

    found = []
    for place, one in enumerate(looked.fields, len(looked.marked)):
        wish = wishes.get(one.name)
        if wish is not None:
            own = measure_of(one.modality).threshold
            threshold = own if wish.threshold is None else wish.threshold
            found.append(NearField(one, place, threshold, wish.mirrored, wish.asked))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Signed:
    """Rows of one file with their signatures, whose details are digests only. `buckets`: how many there are in all."""

    near: NearField
    split: Split
    index: int
    path: str
    buckets: int
    rows: tuple[int, ...]
    signatures: tuple[Signature, ...]

    def some(self, chosen: Mapping[int, Signature]) -> "Signed":
        """Some of the rows, by their places, with what of their signatures is wanted."""
        return replace(self, rows=tuple(self.rows[n] for n in chosen), signatures=tuple(chosen.values()))


class Candidate(NamedTuple):
    """Two rows to compare, with the paths of their files. `apart`: by their signatures; those that say less first."""

    near: NearField
    held: Place
    held_path: str
    train: Place
    train_path: str
    apart: int = 0


@dataclass(slots=True)
class Signer:
    """Signs rows of one file as they are read."""

    near: NearField
    measure: Measure
    rows: list[int] = field(default_factory=list)
    signatures: list[Signature] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    """Rows whose payload cannot be read, by their ids."""

    def sign(self, record: Record, skipped: bool = False) -> None:
        """Take in a row of the file; one that is `skipped` counts as unreadable."""
        payload = record.payloads[self.near.field.key]
        if not payload:
            return
        found = None if skipped else signature_of(self.measure, payload)
        if found is None:
            self.unread.append(record.key)
            return
        self.rows.append(record.row)
        views = found.embeddings[found.embeddings.any(1)]
        self.signatures.append(replace(found, embeddings=views, detail=_digest(found.detail)))


def signature_of(measure: Measure, payload: Payload) -> Signature | None:
    """The signature of a payload; None of one that cannot be read."""
    try:
        return measure.signature(payload)
    except CodecError as error:
        refuse_want(error)
        return None


def buckets_for(rows: int) -> int:
    """How many buckets so many rows are dealt into; one of up to 20,000, which are searched exactly."""
    return 1 if rows <= _AT_ONCE else -(-rows // ROWS_PER_BUCKET)


@dataclass(slots=True)
class Sample:
    """Views of the held-out side that stand for the middles of buckets: by field those with the smallest digests."""

    most: int = 0
    views: dict[int, dict[bytes, bytes]] = field(default_factory=dict)

    def merge(self, other: "Sample") -> "Sample":
        """Take another sample in."""
        self.most = max(self.most, other.most)
        for role, views in other.views.items():
            self.views[role] = dict(sorted((self.views.get(role, {}) | views).items())[: self.most])
        return self

    def centres(self, role: int) -> NDArray[np.float32]:
        """(buckets, width)."""
        views = [np.frombuffer(view, np.int8) for view in self.views.get(role, {}).values()]
        return np.stack(views).astype(np.float32) if views else np.zeros((0, 0), np.float32)


def sampled(signed: Iterable[Signed], sample: Sample | None = None) -> Sample:
    """As many views as there are buckets; none where there is but one."""
    sample = Sample() if sample is None else sample
    for one in signed:
        if one.buckets > 1:
            views = [v.tobytes() for s in one.signatures for v in s.embeddings]
            sample.merge(Sample(one.buckets, {one.near.role: {_digest(view): view for view in views}}))
    return sample


def by_bucket(signed: Signed, sample: Sample) -> Iterator[tuple[int, Signed]]:
    """Rows by bucket: the two nearest middles of each view; of texts, every band in its part."""
    base = signed.near.role * _FIELDS
    if signed.buckets == 1:
        yield base, signed
        return
    from pipeline.modalities.similarity.neighbours import buckets_of

    centres = sample.centres(signed.near.role)
    dealt: dict[int, dict[int, Signature]] = {}
    for number, signature in enumerate(signed.signatures):
        if len(signature.bands):
            parts = signature.bands % np.uint64(signed.buckets)
            for part in np.unique(parts).tolist():
                dealt.setdefault(part, {})[number] = replace(signature, bands=signature.bands[parts == part])
        else:
            for bucket in buckets_of(signature, centres):
                dealt.setdefault(bucket, {})[number] = signature
    for bucket, chosen in dealt.items():
        yield base + bucket, signed.some(chosen)


def candidates(held: Iterable[Signed], train: Iterable[Signed]) -> list[Candidate]:
    """Pairs of one bucket to compare, whatever order the files come in."""
    from pipeline.modalities.similarity.neighbours import pairs

    theirs, ours = ([(one, n) for one in _in_order(side) for n in range(len(one.rows))] for side in (held, train))
    found = []
    signatures = [[one.signatures[n] for one, n in side] for side in (ours, theirs)]
    for left, right in pairs(signatures[0], signatures[1], _NEIGHBOURS) if ours and theirs else ():
        apart = _apart(signatures[0][left], signatures[1][right])
        if apart is not None:
            (mine, at), (other, place) = ours[left], theirs[right]
            found.append(Candidate(mine.near, _place(other, place), other.path, _place(mine, at), mine.path, apart))
    return found


def _in_order(side: Iterable[Signed]) -> list[Signed]:
    return sorted(side, key=lambda one: (SPLITS.index(one.split), one.index))


def _place(signed: Signed, number: int) -> Place:
    return Place(SPLITS.index(signed.split), signed.index, signed.rows[number])


def _apart(one: Signature, other: Signature) -> int | None:
    """Squared distance of the nearest views; of texts the bands in common, as a negative number; None: unlike."""
    if not len(one.embeddings) or not len(other.embeddings):
        return -len(np.intersect1d(one.bands, other.bands)) if len(one.bands) else None
    views = [s.embeddings.astype(np.int64) for s in (one, other)]
    squares = (views[0] ** 2).sum(1)[:, np.newaxis] + (views[1] ** 2).sum(1) - 2 * views[0] @ views[1].T
    nearest = int(squares.min())
    return nearest if nearest <= _UNLIKE else None


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=8).digest()


def sign_here(modality: str, mirrored: bool, payloads: Sequence[tuple[str, Payload]]) -> list[Signature | None]:
    """In this process."""
    from pipeline.modalities.similarity.registry import measure_of

    measure = measure_of(modality, mirrored)
    return [signature_of(measure, payload) for _, payload in payloads]
