"""Families -> the same, with what an earlier version rendered of them. A record that it lacks, or that changed, stays.

Payload is compared with the digests in its lineage, so that a damaged row is rendered again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.audit.contents import payload_columns
from pipeline.audit.sides import Field
from pipeline.dataset.manifest import read_manifest
from pipeline.dataset.rows import digest
from pipeline.planning.job import Job
from pipeline.planning.keys import digests
from pipeline.records import LINEAGE, Family, Payload, Refusal, Rendered
from pipeline.rendering.augment import RETRY
from pipeline.rendering.held_out.twins import REASON as TWIN
from pipeline.rendering.held_out.twins import HeldOut, held_out_of
from pipeline.sources.strings import values_of
from pipeline.storage.folder import Folder
from pipeline.storage.layout import FAILED, REJECTED
from pipeline.storage.parquet_rows import groups_with
from transforms.interface import Applied

_LOST = (OSError, ValueError, LookupError)
"""Raised for a file that is gone or damaged, as somebody may do to old versions at any time: its rows are rendered."""
_ROW = np.dtype([("key", "<u8"), ("file", "<i4"), ("row", "<i4")])


@dataclass(frozen=True, slots=True)
class _Row:
    """What an earlier version has of one variant: the payload of each field, its lineage, or why there is none."""

    payloads: tuple[Payload | None, ...] = ()
    lineage: Mapping[str, Any] = field(default_factory=dict)
    refusal: Refusal | None = None


_Drop = Literal["failed", "rejected"]
_Kind = _Drop | Literal[""]
"""What a file holds: dropped records and copies, or rows."""
_Found = tuple[str, int, _Row]
"""A record's key, a copy of it, and what is there."""


def taken(job: Job, families: Iterator[Family]) -> Iterator[Family]:
    """Fill in what the earlier version of the job has. All families of a shard are in memory at once, unrendered."""
    if not job.earlier:
        yield from families
        return
    whole, held_out = list(families), held_out_of(job)
    found = _rows_of(job, {family.record.key for family in whole if family.refusal is None})
    for family in whole:
        filled = _filled(family, found.pop(family.record.key, {}), tuple(job.config.fields))
        yield family if _depends(filled, held_out) else filled


def _depends(family: Family, held_out: HeldOut) -> bool:
    """Whether what was rendered may be otherwise where other rows are held out."""
    if not family.rendered or not held_out.names:
        return False
    for number, variant in enumerate(family.variants):
        made = {name: results[number] for name, results in family.rendered.items()}
        again = any(step.name == RETRY for one in made.values() for step in one.applied)
        if variant.copy and (again or held_out.twin({n: one.payload for n, one in made.items()}, list(made))):
            return True
    return False


def _filled(family: Family, rows: Mapping[int, _Row], names: Sequence[str]) -> Family:
    """The family as it was rendered before; as it is, if anything of it is not there or is of another record."""
    made = [rows.get(variant.copy) for variant in family.variants]
    if family.refusal is not None or not all(made) or all(row.refusal for row in made if row):
        return family
    if any(row.refusal and row.refusal.reason == TWIN for row in made if row):  # it may be none any more
        return family
    source = digest([family.record.payloads[name] for name in names])
    if not all(row.refusal or _is_of(row, source) for row in made if row):
        return family
    rendered = {name: tuple(_rendered(row, n, name) for row in made if row) for n, name in enumerate(names)}
    return replace(family, rendered=rendered)


def _is_of(row: _Row, source: str) -> bool:
    return bool(row.lineage["source_sha256"] == source and row.lineage["sha256"] == digest(row.payloads))


def _rendered(row: _Row, place: int, name: str) -> Rendered:
    if row.refusal is not None:
        return Rendered(None, refusal=row.refusal if row.refusal.field == name else None)
    steps = [step for step in row.lineage["transforms"] if step["field"] == name]
    return Rendered(row.payloads[place], tuple(Applied(step["name"], step["params"]) for step in steps))


def _rows_of(job: Job, keys: set[str]) -> dict[str, dict[int, _Row]]:
    """Record's key -> copy -> what is there of it."""
    dataset = job.output.folder(job.earlier)
    files, index = _index(dataset)
    fields = [Field(name, field.type) for name, field in job.config.fields.items()]
    wanted = np.sort(_digests(list(keys)))
    chosen = index[np.isin(index["key"], wanted)]
    found: dict[str, dict[int, _Row]] = defaultdict(dict)
    for number in np.unique(chosen["file"]).tolist():
        path, kind = files[number]
        rows = chosen["row"][chosen["file"] == number]
        with suppress(*_LOST):
            read = _refused(dataset, path, rows, kind) if kind else _written(dataset, path, rows, fields)
            for key, copy, row in read:
                if key in keys:
                    found[key][copy] = row
    return found


@lru_cache(maxsize=1)
def _index(dataset: Folder) -> tuple[tuple[tuple[str, _Kind], ...], NDArray[Any]]:
    """The files of a version, data and dropped ones, and (rows,) of _ROW: where rows of each record stand."""
    manifest = read_manifest(dataset) or {"shards": [], "dropped_shards": []}
    files = [(shard["path"], _kind(shard["path"])) for part in ("shards", "dropped_shards") for shard in manifest[part]]
    parts = [np.empty(0, _ROW)]
    for number, (path, kind) in enumerate(files):
        with suppress(*_LOST):
            keys = _digests(_source_ids(dataset, path, kind))
            part = np.empty(len(keys), _ROW)
            part["key"], part["file"], part["row"] = keys, number, np.arange(len(keys))
            parts.append(part)
    return tuple(files), np.concatenate(parts)


def _source_ids(dataset: Folder, path: str, kind: _Kind) -> list[str]:
    with dataset.open(path) as source:
        table = pq.ParquetFile(source).read(columns=["source_id" if kind else f"{LINEAGE}.source_id"])
    column = table.column(0).combine_chunks()
    return values_of(column if kind else column.field("source_id"))


def _kind(path: str) -> _Kind:
    return "failed" if path.startswith(f"{FAILED}/") else "rejected" if path.startswith(f"{REJECTED}/") else ""


def _digests(keys: Iterable[str]) -> NDArray[np.uint64]:
    return digests(key.encode("utf-8", "surrogatepass") for key in keys)


def _written(dataset: Folder, path: str, rows: NDArray[np.int32], fields: Sequence[Field]) -> Iterator[_Found]:
    for here, batch in groups_with(dataset, path, rows, [LINEAGE, *(one.name for one in fields)]):
        some = batch.take(pa.array(here))
        payloads = payload_columns(some, fields).values()
        for stated, *values in zip(some.column(LINEAGE).to_pylist(), *payloads, strict=True):
            yield stated["source_id"], stated["copy"], _Row(tuple(values), stated)


def _refused(dataset: Folder, path: str, rows: NDArray[np.int32], kind: _Drop) -> Iterator[_Found]:
    for here, batch in groups_with(dataset, path, rows):
        for stated in batch.take(pa.array(here)).to_pylist():
            if stated["copy"] is not None:  # a record that failed whole is tried again: its source may be mended
                words = {name: stated[name] for name in ("field", "stage", "reason", "error", "message")}
                yield stated["source_id"], stated["copy"], _Row(refusal=Refusal(kind, **words))
