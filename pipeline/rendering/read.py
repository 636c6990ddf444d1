"""A shard's blocks -> the records of its split, payload read only for those."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from pipeline.planning.job import Job, Task
from pipeline.planning.keys import Key, key_block, keys_at, record_of
from pipeline.records import SPLITS, Block, Record, Refusal, Split
from pipeline.rendering.spans import spans_of
from pipeline.sources.payloads import BYTES, fetched, payload_of
from pipeline.sources.snapshot import read_listed
from pipeline.sources.strings import torn_rows, without_torn


def read_task(job: Job, task: Task) -> Iterator[Record]:
    """The records of a task, in order; quarantined ones carry their refusal instead of payload."""
    return fetched(job, rows_of_task(job, task))


def rows_of_task(job: Job, task: Task) -> Iterator[Record]:
    """The same before the files that they refer to are read: `Reference` instead of those payloads."""
    quarantine = dict(task.quarantine)
    for number, record in read_shard(job, task.shard.split, task.shard.blocks, task.only):
        yield replace(record, refusal=quarantine[number]) if number in quarantine else record


def read_shard(job: Job, split: Split, blocks: Sequence[Block], only: int | None) -> Iterator[tuple[int, Record]]:
    """The records of one split in a run of blocks, numbered from 0; of `only` that number if it is given."""
    seen, spans = 0, spans_of(job.reader, blocks)
    job.reader.expect([span.unit for span in spans])
    for span in spans:
        start = span.start
        for batch in read_listed(job.reader, span.unit, None, span.start, span.stop):
            inside, decided = span.of(start, batch.num_rows)
            keyed = key_block(job.config, job.reader, span.unit, batch, start, decided)
            start += batch.num_rows
            wanted = np.flatnonzero((keyed.splits == SPLITS.index(split)) & inside).tolist()
            numbered = [(seen + n, index) for n, index in enumerate(wanted) if only in (None, seen + n)]
            seen += len(wanted)
            if numbered:
                keys = keys_at(job.config, job.reader, keyed, [index for _, index in numbered])
                yield from _records(job, batch, keys, numbered)
            if only is not None and seen > only:
                return


def _records(
    job: Job, batch: pa.RecordBatch, keys: list[Key], numbered: list[tuple[int, int]]
) -> Iterator[tuple[int, Record]]:
    torn = torn_rows(batch)
    rest = without_payload(without_torn(batch), tuple(job.config.fields))
    columns = {name: batch.column(name) for name in job.config.fields}
    for key, (number, index) in zip(keys, numbered, strict=True):
        found = {name: payload_of(job, name, column, index) for name, column in columns.items() if index not in torn}
        refusal = key.refusal or (_torn(job, torn[index]) if index in torn else None)
        payloads = {name: found.get(name) for name in columns}
        yield number, record_of(replace(key, refusal=refusal) if refusal else key, payloads, rest, index)


def _torn(job: Job, column: str) -> Refusal:
    field = column if column in job.config.fields else ""
    message = f"column {column!r} holds a string that is not UTF-8"
    return Refusal("failed", field, "read", "not_text", "UnicodeDecodeError", message)


def without_payload(batch: pa.RecordBatch, fields: tuple[str, ...]) -> pa.RecordBatch:
    """The columns that pass through. A payload column goes; of a struct the members beside `bytes` stay."""
    arrays, schema = [], []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        if field.name not in fields:
            arrays.append(column)
            schema.append(field)
        elif pa.types.is_struct(field.type):
            members = [m for m in field.type if m.name != BYTES]
            if not members:
                continue
            parts = [column.field(m.name) for m in members]
            arrays.append(pa.StructArray.from_arrays(parts, fields=members))
            schema.append(pa.field(field.name, pa.struct(members)))
    return pa.record_batch(arrays, schema=pa.schema(schema)) if arrays else _rows_only(batch.num_rows)


def _rows_only(rows: int) -> pa.RecordBatch:
    """A batch that only counts rows, for inputs whose every column is payload."""
    return pa.record_batch([pa.nulls(rows)], names=[""])
