"""Samples -> Arrow tables: pass-through columns from Arrow to Arrow, payload in place, then id and lineage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.dictionaries import encoded
from pipeline.job import Job
from pipeline.labels.binding import columns_of
from pipeline.parents import label_weights, parents_of
from pipeline.read import BYTES
from pipeline.records import Dropped, Payload, Sample, Split
from pipeline.schema import (
    DROPPED_SCHEMA,
    LABEL_WEIGHTS,
    LABEL_WEIGHTS_TYPE,
    LINEAGE,
    LINEAGE_TYPE,
    SAMPLE_ID,
    output_schema,
)

_MOST_BYTES = 2**31 - 1  # of one array of bytes


@dataclass(frozen=True, slots=True)
class RowMaker:
    """Turns samples of one split into rows. `recipe` is the short digest of all recipes of the job."""

    job: Job
    split: Split
    recipe: str

    def table(self, samples: Sequence[Sample]) -> pa.Table:
        """One row per sample, in order."""
        schema = output_schema(self.job)
        passing = _pass_through(samples)
        moving = {n for f in self.job.config.fields.values() for n in columns_of(f.bound())}
        columns = []
        for field in schema:
            if field.name == SAMPLE_ID:
                ids = [f"{s.record.key}/{s.variant.copy}" for s in samples]
                columns.append(pa.chunked_array([pa.array(ids, pa.string())]))
            elif field.name == LINEAGE:
                columns.append(pa.chunked_array([self._lineage(samples)]))
            elif field.name == LABEL_WEIGHTS:
                columns.append(pa.chunked_array([self._label_weights(samples)]))
            elif field.name in self.job.config.fields:
                columns.append(_payload_column(samples, field, passing))
            elif field.name in moving:
                columns.append(pa.chunked_array([moved_cells(samples, field.name)]))
            else:
                columns.append(passing.column(field.name))
        return pa.table(columns, schema=schema)

    def _lineage(self, samples: Sequence[Sample]) -> pa.StructArray:
        names = tuple(self.job.config.fields)
        sources = [s.record for s in samples]
        columns: dict[str, pa.Array] = {
            "source_id": _strings([r.key for r in sources]),
            "source_file": _strings([r.file for r in sources]),
            "source_row": pa.array([r.row for r in sources], pa.int64()),
            "source_sha256": _strings(_per_record(samples, lambda s: digest([s.record.payloads[n] for n in names]))),
            "split": _strings([self.split] * len(samples)),
            "copy": pa.array([s.variant.copy for s in samples], pa.int32()),
            "seed": _strings([s.variant.seed.hex() for s in samples]),
            "recipe": _strings([self.recipe] * len(samples)),
            "transforms": _transforms(samples, names),
            "parents": _weighted([parents_of(s) for s in samples], LINEAGE_TYPE.field("parents").type),
            "sha256": _strings([digest([s.rendered[n].payload for n in names]) for s in samples]),
        }
        return pa.StructArray.from_arrays([columns[f.name] for f in LINEAGE_TYPE], fields=list(LINEAGE_TYPE))

    def _label_weights(self, samples: Sequence[Sample]) -> pa.Array:
        known = {} if self.job.candidates is None else self.job.candidates.labels()
        return _weighted([label_weights(s, known) for s in samples], LABEL_WEIGHTS_TYPE)


def digest(payloads: Sequence[Payload | None]) -> str:
    """Hex sha256 of a payload (text as UTF-8); of several fields: of their digests, in config order."""
    digests = [sha256(p.encode() if isinstance(p, str) else p or b"") for p in payloads]
    return digests[0].hexdigest() if len(digests) == 1 else sha256(b"".join(d.digest() for d in digests)).hexdigest()


def dropped_table(dropped: Sequence[Dropped], split: Split) -> pa.Table:
    """One row per dropped record (`copy` null) or copy."""
    rows = [
        {
            "source_id": d.record.key, "source_file": d.record.file, "source_row": d.record.row, "split": split,
            "copy": d.copy, "field": d.refusal.field, "stage": d.refusal.stage, "reason": d.refusal.reason,
            "error": d.refusal.error, "message": d.refusal.message,
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


def _per_record(samples: Sequence[Sample], call: Callable[[Sample], str]) -> list[str]:
    """The call's result for each sample, made once per record (its samples follow one another)."""
    out: list[str] = []
    for number, sample in enumerate(samples):
        same = number > 0 and samples[number - 1].record is sample.record
        out.append(out[-1] if same else call(sample))
    return out


def _pass_through(samples: Sequence[Sample]) -> pa.Table:
    """The samples' other columns, taken batch by batch. A column may hold nulls if it may in any batch."""
    parts: list[pa.Table] = []
    first = 0
    for number in range(1, len(samples) + 1):
        batch = samples[first].record.batch
        if number == len(samples) or samples[number].record.batch is not batch:
            indices = [s.record.index for s in samples[first:number]]
            parts.append(pa.table([_taken(c, indices) for c in batch.columns], schema=batch.schema))
            first = number
    return pa.concat_tables(parts, promote_options="default")


def _taken(column: pa.Array, indices: list[int]) -> pa.Array:
    """The rows of a column; one by one for the types that Arrow's `take` does not know, such as string views."""
    try:
        return column.take(pa.array(indices, pa.int64()))
    except pa.ArrowNotImplementedError:
        return pa.concat_arrays([column.slice(index, 1) for index in indices])


def moved_cells(samples: Sequence[Sample], name: str) -> pa.Array:
    """A column of bound labels: as it was, or as the field that it is bound to changed it."""
    cells = []
    for sample in samples:
        column, index = sample.record.batch.column(name), sample.record.index
        change = next((r.changes[name] for r in sample.rendered.values() if name in r.changes), None)
        cells.append(column.slice(index, 1) if change is None else change)
    return pa.concat_arrays(cells)


def _payload_column(samples: Sequence[Sample], field: pa.Field, passing: pa.Table) -> pa.ChunkedArray:
    values = [s.rendered[field.name].payload for s in samples]
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
