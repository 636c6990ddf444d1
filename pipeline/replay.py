"""Render single samples again from their sources and compare."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline import workers
from pipeline.candidates import kept
from pipeline.config import JobConfig
from pipeline.copies import CopyTable
from pipeline.dataset import Dataset
from pipeline.errors import FanbeamError, InputError
from pipeline.fingerprint import cpu, libraries
from pipeline.job import Job, Task
from pipeline.labels.binding import columns_of
from pipeline.location import completed, placed
from pipeline.parents import parents_of
from pipeline.records import Block, Gated, Payload, Sample, Shard, Split
from pipeline.rows import digest, moved_cells
from pipeline.run_log import newest_log
from pipeline.running import job_of
from pipeline.schema import LINEAGE, SAMPLE_ID
from pipeline.sources import list_file
from pipeline.storage import Folder, absolute, write_file


@dataclass(frozen=True, slots=True)
class Replayed:
    """A sample rendered again. `difference` is empty if it is the same, else what is not and why."""

    sample_id: str
    sha256: str
    difference: str = ""
    payloads: dict[str, Payload] | None = None


def replay(dataset: Dataset, rows: Sequence[dict[str, Any]], input_path: str | None = None) -> list[Replayed]:
    """Render the samples of some rows again, in a worker process, and compare digests and parameters.

    `rows` need the columns `sample_id` and `lineage`. `input_path` tells where the sources are now, if they moved.
    Raises InputError if nothing tells where they are.
    """
    root = input_root(dataset, input_path)
    prepared = [_prepare(dataset, row, root) for row in rows]
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
    stem, dot, ending = output.rpartition(".")
    written = []
    for field, payload in payloads.items():
        name = output if len(payloads) == 1 else f"{stem}.{field}{dot}{ending}" if dot else f"{output}.{field}"
        write_file(name, payload.encode() if isinstance(payload, str) else payload)
        written.append(name)
    return written


def input_root(dataset: Dataset, input_path: str | None) -> Folder:
    """Folder of the sources: as given, else as the newest run log has it; several roots lie in it as they did."""
    log = newest_log(dataset.folder)
    parts = tuple((prefix, place) for prefix, place in (log or {}).get("input_parts", ()))
    if input_path is not None:
        return Folder(absolute(input_path), parts)
    if log is None:
        raise InputError(f"{dataset.path} has no run log that tells where its sources are: give --input FOLDER")
    return Folder(str(log["input_root"]), parts)


@dataclass(frozen=True, slots=True)
class _Ready:
    job: Job
    task: Task
    row: dict[str, Any]


def _prepare(dataset: Dataset, row: dict[str, Any], root: Folder) -> "_Ready | Replayed":
    """The one-record shard that makes a sample, or why there is none."""
    lineage, sample_id = row[LINEAGE], row[SAMPLE_ID]
    name, number = lineage["source_file"], lineage["source_row"]
    try:
        job, block = source_of(dataset, root, name, number)
    except FanbeamError as error:
        detail = error.problems[0].message if error.problems else error.message
        return Replayed(sample_id, "", f"its source {name} row {number} cannot be read: {detail}")
    split: Split = lineage["split"]
    made = replace(job, counted=CopyTable(lineage["copy"]))  # what other records get does not matter here
    return _Ready(made, Task(Shard(split, 0, (block.all_of(split),))), row)


def source_of(dataset: Dataset, root: Folder, name: str, number: int) -> tuple[Job, Block]:
    """The job that reads one source file, and the block of one row in it. Raises InputError."""
    config = dataset.config(root.full(name), dataset.path)
    listing = list_file(config, root, name)
    if not {*config.key_columns(), *bound_columns(config)} <= {*listing.schema.names}:
        listing = completed(listing, dataset.columns())
    block = placed(listing, name, number)
    job = replace(job_of(config, listing), version=dataset.version, candidates=kept(dataset.folder))
    return job, block


def _rendered(pool: workers.Pool, item: _Ready) -> list[Gated]:
    (families,) = pool.run("replay", [(item.job, item.task)])
    return list(families)


def _compare(dataset: Dataset, item: _Ready, families: list[Gated]) -> Replayed:
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
        why = f"{dropped.reason}: {dropped.message}" if dropped else "it is not made any more"
        return Replayed(sample_id, "", f"it was dropped this time ({why}). {environment_differences(dataset)}")
    return _judged(dataset, item, sample, fields)


def _judged(dataset: Dataset, item: _Ready, sample: Sample, fields: tuple[str, ...]) -> Replayed:
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
    elif differing := _differing_labels(item, sample):
        difference = f"the labels in {', '.join(differing)} differ"
    return Replayed(item.row[SAMPLE_ID], now, difference, payloads)


def bound_columns(config: JobConfig) -> list[str]:
    """Columns of labels that change with a field."""
    return [name for field in config.fields.values() for name in columns_of(field.bound())]


def _differing_labels(item: "_Ready", sample: Sample) -> list[str]:
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
