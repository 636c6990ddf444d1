"""Samples -> Arrow tables: pass-through columns from Arrow to Arrow, payload in place, then id and lineage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dataset.dictionary_columns import encoded
from pipeline.dataset.lineage import label_weights, parents_of
from pipeline.dataset.schema import DROPPED_SCHEMA, LABEL_WEIGHTS_TYPE, LINEAGE_TYPE, output_schema
from pipeline.escaping.url_credentials import masked
from pipeline.modalities.codecs.token_lists import is_token_list, words_of
from pipeline.modalities.labels.binding import columns_of
from pipeline.modalities.labels.cell_changes import moved_cells
from pipeline.planning.job import Job
from pipeline.records import LABEL_WEIGHTS, LINEAGE, SAMPLE_ID, Dropped, Gated, Payload, Record, Sample, Split
from pipeline.sources.payloads import BYTES

_MOST_BYTES = 2**31 - 1  # of one array of bytes


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Turns samples of one split into rows. `recipe` is the short digest of all recipes of the job."""

    job: Job
    split: Split
    recipe: str
    sources: dict[str, str] = dataclass_field(default_factory=dict)
    """Digests of records' payload by key."""

    def without_sources(self, gated: Gated) -> tuple[list[Sample], list[Dropped]]:
        """Samples and what was dropped, without the payload that came in: it is not held until rows are made."""
        bare = gated.record.without_payload()
        if gated.samples:
            self.source_digest(gated.record)
        samples = [Sample(bare, sample.variant, sample.rendered) for sample in gated.samples]
        return samples, [Dropped(bare, dropped.copy, dropped.refusal) for dropped in gated.dropped]

    def source_digest(self, record: Record) -> str:
        """Hex sha256 of what a record came with, see `digest`."""
        found = self.sources.get(record.key)
        if found is None:
            found = self.sources[record.key] = digest([record.payloads[name] for name in self.job.config.fields])
        return found

    def rows_of(self, samples: Sequence[Sample], order: NDArray[np.int64]) -> "Rows":
        """The rows of some samples, which come as their records were read, in another order."""
        moving = frozenset(n for f in self.job.config.fields.values() for n in columns_of(f.bound()))
        return Rows(self, output_schema(self.job), _pass_through(samples, order), moving)


@dataclass(frozen=True, slots=True)
class Rows:
    """What rows of some samples have in common: their other columns.

    Tables are made of a part of the samples at a time, so that nobody need hold the payload of those that are written.
    """

    maker: RowMaker
    schema: pa.Schema
    passing: pa.Table
    moving: frozenset[str]

    def table(self, samples: Sequence[Sample], start: int) -> pa.Table:
        """One row per sample; `start`: the place of the first one among all samples."""
        passing = self.passing.slice(start, len(samples))
        return pa.table([self._column(field, samples, passing) for field in self.schema], schema=self.schema)

    def _column(self, field: pa.Field, samples: Sequence[Sample], passing: pa.Table) -> pa.ChunkedArray:
        if field.name == SAMPLE_ID:
            return pa.chunked_array([_strings([f"{s.record.key}/{s.variant.copy}" for s in samples])])
        if field.name == LINEAGE:
            return pa.chunked_array([self._lineage(samples)])
        if field.name == LABEL_WEIGHTS:
            return pa.chunked_array([self._label_weights(samples)])
        if field.name in self.maker.job.config.fields:
            return _payload_column(samples, field, passing)
        if field.name in self.moving:
            return pa.chunked_array([moved_cells(samples, field.name)])
        return passing.column(field.name)

    def _lineage(self, samples: Sequence[Sample]) -> pa.StructArray:
        names = tuple(self.maker.job.config.fields)
        sources, known = [s.record for s in samples], self.maker.sources
        columns: dict[str, pa.Array] = {
            "source_id": _strings([r.key for r in sources]),
            "source_file": _strings([r.file for r in sources]),
            "source_row": pa.array([r.row for r in sources], pa.int64()),
            "source_sha256": _strings([known.get(r.key) or self.maker.source_digest(r) for r in sources]),
            "split": _strings([self.maker.split] * len(samples)),
            "copy": pa.array([s.variant.copy for s in samples], pa.int32()),
            "seed": _strings([s.variant.seed.hex() for s in samples]),
            "recipe": _strings([self.maker.recipe] * len(samples)),
            "transforms": _transforms(samples, names),
            "parents": _weighted([parents_of(s) for s in samples], LINEAGE_TYPE.field("parents").type),
            "sha256": _strings([digest([s.rendered[n].payload for n in names]) for s in samples]),
        }
        return pa.StructArray.from_arrays([columns[f.name] for f in LINEAGE_TYPE], fields=list(LINEAGE_TYPE))

    def _label_weights(self, samples: Sequence[Sample]) -> pa.Array:
        candidates = self.maker.job.candidates
        known = {} if candidates is None else candidates.labels()
        return _weighted([label_weights(s, known) for s in samples], LABEL_WEIGHTS_TYPE)


def digest(payloads: Sequence[Payload | None]) -> str:
    """Hex sha256 of a payload (text as UTF-8); of several fields: of their digests, in config order."""
    digests = [sha256(p.encode() if isinstance(p, str) else p or b"") for p in payloads]
    return digests[0].hexdigest() if len(digests) == 1 else sha256(b"".join([d.digest() for d in digests])).hexdigest()


def dropped_table(dropped: Sequence[Dropped], split: Split) -> pa.Table:
    """One row per dropped record (`copy` null) or copy."""
    rows = [
        {
            "source_id": d.record.key, "source_file": d.record.file, "source_row": d.record.row, "split": split,
            "copy": d.copy, "field": d.refusal.field, "stage": d.refusal.stage, "reason": d.refusal.reason,
            "error": d.refusal.error, "message": masked(d.refusal.message),
        }
        for d in dropped
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=DROPPED_SCHEMA)


def _weighted(weights: Sequence[Mapping[str, float]], kind: pa.DataType) -> pa.Array:
    """Names with their weights, as lists of structs."""
    name, weight = (member.name for member in kind.value_type)
    return pa.array([[{name: key, weight: share} for key, share in row.items()] for row in weights], kind)


def _strings(values: list[str]) -> pa.Array:
    return pa.array(values, pa.string())


def _pass_through(samples: Sequence[Sample], order: NDArray[np.int64]) -> pa.Table:
    """The samples' other columns, in that order. A column may hold nulls if it may in any batch."""
    batches: list[pa.RecordBatch] = []
    indices = np.empty(len(samples), np.int64)
    first = rows = 0
    for number, sample in enumerate(samples):
        batch = sample.record.batch
        if not batches or batches[-1] is not batch:
            first, rows = rows, rows + batch.num_rows
            batches.append(batch)
        indices[number] = first + sample.record.index
    taken = pa.array(indices[order])
    all_rows = pa.concat_tables([pa.table(b) for b in batches], promote_options="default")
    return pa.table([_gathered(column, taken) for column in all_rows.columns], schema=all_rows.schema)


def _gathered(column: pa.ChunkedArray, indices: pa.Array) -> pa.ChunkedArray:
    """Rows of a column; one by one for types that Arrow cannot gather from several chunks."""
    try:
        return column.unify_dictionaries().take(indices)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
        return pa.chunked_array(
            [chunk for n in indices.to_pylist() for chunk in column.slice(n, 1).chunks], column.type
        )


def _payload_column(samples: Sequence[Sample], field: pa.Field, passing: pa.Table) -> pa.ChunkedArray:
    values = [s.rendered[field.name].payload for s in samples]
    if is_token_list(field.type):
        lists = [None if value is None else words_of(str(value)) for value in values]
        return pa.chunked_array([pa.array(lists, field.type)])
    if not pa.types.is_struct(field.type):
        indexed = pa.types.is_dictionary(field.type)
        return encoded(values, field.type) if indexed else pa.chunked_array([_array(values, field.type)])
    members = list(field.type)
    others = passing.column(field.name).chunks if len(members) > 1 else [pa.nulls(len(values))]
    chunks = []
    for other in others:
        part, values = values[: len(other)], values[len(other) :]
        parts = [_array(part, m.type) if m.name == BYTES else other.field(m.name) for m in members]
        chunks.append(pa.StructArray.from_arrays(parts, fields=members))
    return pa.chunked_array(chunks, field.type)


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """A column's values; bytes in one piece, where Arrow would copy all of them again each time it makes room."""
    if kind != pa.binary() or not all(type(value) is bytes for value in values):
        return pa.array(values, kind)
    ends = np.cumsum([0, *map(len, values)])
    if ends[-1] > _MOST_BYTES:
        return pa.array(values, kind)
    parts = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(b"".join(values))]
    return pa.BinaryArray.from_buffers(kind, len(values), parts)


def _transforms(samples: Sequence[Sample], names: tuple[str, ...]) -> pa.ListArray:
    """The applied steps of each sample, fields in config order."""
    offsets, fields, steps, params = [0], [], [], []
    for sample in samples:
        for name in names:
            for applied in sample.rendered[name].applied:
                fields.append(name)
                steps.append(applied.name)
                params.append(applied.params)
        offsets.append(len(fields))
    kind = LINEAGE_TYPE.field("transforms").type
    values = pa.StructArray.from_arrays(
        [_strings(fields), _strings(steps), _strings(params)], fields=list(kind.value_type)
    )
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, type=kind)
