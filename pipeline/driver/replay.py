"""Render single samples again from their sources and compare."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from pipeline.config.schema import JobConfig
from pipeline.dataset.lineage import parents_of
from pipeline.dataset.reader import Dataset
from pipeline.dataset.rows import digest
from pipeline.driver.verification.passing_columns import differing_columns
from pipeline.driver.verification.sample_sources import Ready, Replayed, Sources, bound_columns, input_root
from pipeline.engines.local import pool as workers
from pipeline.errors import InputError
from pipeline.escaping.file_names import file_name
from pipeline.modalities.labels.cell_changes import moved_cells
from pipeline.planning.fingerprint import cpu, libraries
from pipeline.records import LINEAGE, SAMPLE_ID, Gated, Refusal, Sample
from pipeline.rendering.field_processor import recipe_digest
from pipeline.rendering.moved_donors import RecordGone
from pipeline.rendering.read import without_payload
from pipeline.storage.folder import write_file

_OTHERS = "\0"
"""Key of the columns that pass through; no column is called so."""


def replay(dataset: Dataset, rows: Sequence[dict[str, Any]], input_path: str | None = None) -> list[Replayed]:
    """Render the samples of some rows again, in a worker process, and compare digests and parameters.

    `rows` need the columns `sample_id` and `lineage`; see `row_of`. Records are found by their ids where they have any.
    `input_path` tells where the sources are now, if they moved. Raises InputError if they are not there.
    """
    if not rows:
        return []
    try:
        root = input_root(dataset, input_path)
    except InputError as error:
        if input_path is not None:
            raise
        return [Replayed(row[SAMPLE_ID], "", error.message) for row in rows]
    prepared = list(Sources(dataset, root).prepared(rows))
    ready = [item for item in prepared if not isinstance(item, Replayed)]
    results = [item for item in prepared if isinstance(item, Replayed)]
    if ready:
        with workers.pool_for(ready[0].job, 1) as pool:
            results += [_compare(dataset, item, _rendered(pool, item)) for item in ready]
    order = {row[SAMPLE_ID]: number for number, row in enumerate(rows)}
    return sorted(results, key=lambda r: order[r.sample_id])


def write_payloads(result: Replayed, output: str) -> list[str]:
    """Write what was rendered again: one field to `output`, several to one file each. Returns the names."""
    payloads = result.payloads or {}
    folder, slash, last = output.rpartition("/")
    stem, dot, ending = last.rpartition(".")
    written = []
    for field, payload in payloads.items():
        own = file_name(field)
        several = f"{stem}.{own}{dot}{ending}" if stem else f"{last}.{own}"
        name = output if len(payloads) == 1 else f"{folder}{slash}{several}"
        write_file(name, payload.encode() if isinstance(payload, str) else payload)
        written.append(name)
    return written


def _rendered(pool: workers.Pool, item: Ready) -> list[Gated]:
    (families,) = pool.run("replay", [(item.job, item.task)])
    return list(families)


def _compare(dataset: Dataset, item: Ready, families: list[Gated]) -> Replayed:
    lineage, sample_id = item.row[LINEAGE], item.row[SAMPLE_ID]
    fields = tuple(item.job.config.fields)
    place = f"{lineage['source_file']} row {lineage['source_row']}"
    if not families or families[0].record.key != lineage["source_id"]:
        now = f"record {families[0].record.key!r}" if families else f"no {lineage['split']} record"
        return Replayed(sample_id, "", f"the source has changed: {place} is now {now}")
    record = families[0].record
    unread = next((d.refusal for d in families[0].dropped if d.refusal.stage == "read"), None)
    if unread is not None:
        return Replayed(sample_id, "", f"the source has changed: {place}: {unread.message}")
    source = digest([record.payloads[name] for name in fields])
    if source != lineage["source_sha256"]:
        return Replayed(sample_id, "", f"the source has changed: {place} has sha256 {source}")
    sample = next((s for s in families[0].samples if s.variant.copy == lineage["copy"]), None)
    if sample is None:
        dropped = next((d.refusal for d in families[0].dropped if d.copy in (None, lineage["copy"])), None)
        if dropped is not None and dropped.error == RecordGone.__name__:
            return Replayed(sample_id, "", dropped.message)
        return Replayed(sample_id, "", _why_dropped(dataset, dropped))
    return _judged(dataset, item, sample, fields)


def _why_dropped(dataset: Dataset, dropped: Refusal | None) -> str:
    if dropped is not None and dropped.error == RecordGone.__name__:
        return dropped.message
    why = f"{dropped.reason}: {dropped.message}" if dropped else "it is not made any more"
    return f"it was dropped this time ({why}). {environment_differences(dataset)}"


def _judged(dataset: Dataset, item: Ready, sample: Sample, fields: tuple[str, ...]) -> Replayed:
    lineage = item.row[LINEAGE]
    payloads = {name: sample.rendered[name].payload or b"" for name in fields}
    now = digest([payloads[name] for name in fields])
    difference = ""
    if now != lineage["sha256"]:
        why = environment_differences(dataset) or "versions and CPU are the same"
        difference = f"sha256 is {now}, the dataset has {lineage['sha256']} ({why})"
    elif _steps(sample, fields) != [tuple(t.values()) for t in lineage["transforms"]]:
        difference = "the applied steps differ from the lineage"
    elif list(parents_of(sample).items()) != [tuple(p.values()) for p in lineage["parents"] or ()]:
        difference = "the parents differ from the lineage"
    elif differing := _differing_lineage(item, sample):
        difference = f"{' and '.join(differing)} differ from the lineage"
    elif differing := _differing_labels(item, sample):
        difference = f"the labels in {', '.join(differing)} differ"
    elif differing := _differing_columns(item, sample):
        difference = f"columns that pass through differ from the source: {', '.join(differing)}"
    return Replayed(item.row[SAMPLE_ID], now, difference, payloads)


def row_of(batch: pa.RecordBatch, number: int, config: JobConfig) -> dict[str, Any]:
    """A written row as `replay` takes it: id, lineage and bound labels as Python values, the others as Arrow has them.

    Values of some types, such as times in nanoseconds, are none of Python.
    """
    one = batch.slice(number, 1)
    names = [SAMPLE_ID, LINEAGE, *(n for n in bound_columns(config) if n in batch.schema.names)]
    row: dict[str, Any] = {name: one.column(name)[0].as_py() for name in names}
    return {**row, _OTHERS: without_payload(one, tuple(config.fields))}


def _differing_columns(item: Ready, sample: Sample) -> list[str]:
    others = item.row.get(_OTHERS)
    return [] if others is None else differing_columns(others, sample.record, bound_columns(item.job.config))


def _differing_lineage(item: Ready, sample: Sample) -> list[str]:
    """What the lineage says otherwise though the payload is the same."""
    own = {"seed": sample.variant.seed.hex(), "recipe": recipe_digest(item.job.config)}
    return [name for name, value in own.items() if item.row[LINEAGE][name] != value]


def _differing_labels(item: Ready, sample: Sample) -> list[str]:
    """Columns of bound labels that come out otherwise than they stand in the dataset."""
    names = [name for name in bound_columns(item.job.config) if name in item.row]
    return [name for name in names if moved_cells([sample], name).to_pylist() != [item.row[name]]]


def _steps(sample: Sample, fields: tuple[str, ...]) -> list[tuple[str, str, str]]:
    return [(name, a.name, a.params) for name in fields for a in sample.rendered[name].applied]


def environment_differences(dataset: Dataset) -> str:
    """Which versions or CPU features differ from those that the dataset was made with; empty if none."""
    config = dataset.config("-", dataset.path)
    then, now = dataset.manifest["libraries"], libraries(config)
    changed = [
        f"{name} {then.get(name)} -> {now.get(name)}"
        for name in sorted({*then, *now})
        if then.get(name) != now.get(name)
    ]
    if dataset.manifest["cpu"] != cpu():
        changed.append("another class of CPU")
    return f"made with other versions: {', '.join(changed)}" if changed else ""
