"""Render single samples again from their sources and compare."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa

from pipeline import held_out, workers
from pipeline.candidates import kept
from pipeline.config import JobConfig
from pipeline.copies import CopyTable
from pipeline.dataset import Dataset
from pipeline.errors import FanbeamError, InputError
from pipeline.escaping.file_names import file_name
from pipeline.fingerprint import cpu, libraries
from pipeline.job import Job, Task
from pipeline.labels.binding import columns_of
from pipeline.parents import parents_of
from pipeline.read import without_payload
from pipeline.records import Block, Gated, Payload, Sample, Shard, Split
from pipeline.rows import digest, moved_cells
from pipeline.run_log import newest_log
from pipeline.schema import LINEAGE, SAMPLE_ID
from pipeline.storage import Folder, absolute, write_file
from pipeline.tools import recipe_digest
from pipeline.versions.jobs import job_of
from pipeline.versions.passing import differing_columns
from pipeline.versions.source_files import SourceFile, source_file

_OTHERS = "\0"
"""Key of the columns that pass through; no column is called so."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A sample rendered again. `difference` is empty if it is the same, else what is not and why."""

    sample_id: str
    sha256: str
    difference: str = ""
    payloads: dict[str, Payload] | None = None


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
    prepared = list(_Sources(dataset, root).prepared(rows))
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


def input_root(dataset: Dataset, input_path: str | None) -> Folder:
    """Folder of the sources: as given, else as the newest run log has it; several roots lie in it as they did.

    Raises InputError if nothing tells where it is, or if it is not there.
    """
    log = newest_log(dataset.folder)
    parts = tuple((prefix, place) for prefix, place in (log or {}).get("input_parts", ()))
    if input_path is not None:
        return _there(Folder(absolute(input_path), parts), "")
    if log is None:
        raise InputError(f"{dataset.path} has no run log that tells where its sources are: give --input FOLDER")
    cure = ": give --input FOLDER, or run the same command again with the new input.path"
    return _there(Folder(str(log["input_root"]), parts), cure)


def _there(root: Folder, cure: str) -> Folder:
    """The folder, if it is there."""
    if not root.exists():
        raise InputError(f"the sources are not at {root.url}{' any more' if cure else ''}{cure}")
    return root


@dataclass(frozen=True, slots=True)
class _Ready:
    job: Job
    task: Task
    row: dict[str, Any]


class _Sources:
    """The source files that some samples were made of: each is opened once, and searched for records by their ids."""

    def __init__(self, dataset: Dataset, root: Folder) -> None:
        self._dataset, self._root = dataset, root
        self._candidates = kept(dataset.folder)
        self._held_out = held_out.kept(dataset.folder)

    def prepared(self, rows: Sequence[dict[str, Any]]) -> Iterator["_Ready | Replayed"]:
        """The one-record shard that makes each sample, or why there is none; file by file."""
        by_file = defaultdict[str, list[dict[str, Any]]](list)
        for row in rows:
            by_file[row[LINEAGE]["source_file"]].append(row)
        for name, some in by_file.items():
            try:
                file = self._opened(name)
                blocks = _blocks(file, self._id(file), some)
            except FanbeamError as error:
                yield from (_unreadable(row, error) for row in some)
                continue
            for row in some:
                block = blocks.get(row[LINEAGE]["source_id"])
                yield self._absent(row) if block is None else self._ready(file, block, row)

    def _opened(self, name: str) -> SourceFile:
        config = self._dataset.config(self._root.full(name), self._dataset.path)
        file = source_file(config, self._root, name)
        if {*config.key_columns(), *bound_columns(config)} <= {*file.listing.schema.names}:
            return file
        return source_file(config, self._root, name, self._dataset.columns())

    def _id(self, file: SourceFile) -> str | None:
        column = self._dataset.config("-", self._dataset.path).input.id
        return column if column in file.listing.schema.names else None

    def _ready(self, file: SourceFile, block: Block, row: dict[str, Any]) -> "_Ready":
        config, lineage = self._dataset.config(self._root.full(file.name), self._dataset.path), row[LINEAGE]
        made = replace(
            job_of(config, file.listing),
            reader=file.reader,
            version=self._dataset.version,
            candidates=self._candidates,
            held_out=self._held_out,
            counted=CopyTable(lineage["copy"]),  # what other records get does not matter here
        )
        split: Split = lineage["split"]
        return _Ready(made, Task(Shard(split, 0, (block.all_of(split),))), row)

    def _absent(self, row: dict[str, Any]) -> Replayed:
        lineage = row[LINEAGE]
        name, key = lineage["source_file"], lineage["source_id"]
        return Replayed(row[SAMPLE_ID], "", f"the source has changed: {name} has no record {key!r} any more")


def _blocks(file: SourceFile, column: str | None, rows: Sequence[dict[str, Any]]) -> dict[str, Block]:
    """Where the records of some samples are in their file now: by their ids; by their rows where there is no id.

    Raises InputError.
    """
    numbers = {row[LINEAGE]["source_id"]: row[LINEAGE]["source_row"] for row in rows}
    found = {key: block for key, number in numbers.items() if (block := file.block(number)) is not None}
    if column is None:
        return found
    there = {key: block for key, block in found.items() if file.has(block, column, key)}
    moved = sorted(numbers.keys() - there.keys())
    return {**there, **(file.rows_of(column, moved) if moved else {})}


def _unreadable(row: dict[str, Any], error: FanbeamError) -> Replayed:
    lineage = row[LINEAGE]
    detail = error.problems[0].message if error.problems else error.message
    return Replayed(row[SAMPLE_ID], "", f"its source {lineage['source_file']} cannot be read: {detail}")


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
    elif differing := _differing_lineage(item, sample):
        difference = f"{' and '.join(differing)} differ from the lineage"
    elif differing := _differing_labels(item, sample):
        difference = f"the labels in {', '.join(differing)} differ"
    elif differing := _differing_columns(item, sample):
        difference = f"columns that pass through differ from the source: {', '.join(differing)}"
    return Replayed(item.row[SAMPLE_ID], now, difference, payloads)


def bound_columns(config: JobConfig) -> list[str]:
    """Columns of labels that change with a field."""
    return [name for field in config.fields.values() for name in columns_of(field.bound())]


def row_of(batch: pa.RecordBatch, number: int, config: JobConfig) -> dict[str, Any]:
    """A written row as `replay` takes it: id, lineage and bound labels as Python values, the others as Arrow has them.

    Values of some types, such as times in nanoseconds, are none of Python.
    """
    one = batch.slice(number, 1)
    names = [SAMPLE_ID, LINEAGE, *(n for n in bound_columns(config) if n in batch.schema.names)]
    row: dict[str, Any] = {name: one.column(name)[0].as_py() for name in names}
    return {**row, _OTHERS: without_payload(one, tuple(config.fields))}


def _differing_columns(item: "_Ready", sample: Sample) -> list[str]:
    others = item.row.get(_OTHERS)
    return [] if others is None else differing_columns(others, sample.record, bound_columns(item.job.config))


def _differing_lineage(item: "_Ready", sample: Sample) -> list[str]:
    """What the lineage says otherwise though the payload is the same."""
    own = {"seed": sample.variant.seed.hex(), "recipe": recipe_digest(item.job.config)}
    return [name for name, value in own.items() if item.row[LINEAGE][name] != value]


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
