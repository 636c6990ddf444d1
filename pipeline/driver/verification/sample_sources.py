"""The sources of samples of a finished version: found by the ids of their records, wherever those are now."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from pipeline.config.schema import JobConfig
from pipeline.config.types import Allowed
from pipeline.dataset.reader import Dataset
from pipeline.dataset.run_log import newest_log
from pipeline.driver.jobs import job_of
from pipeline.errors import FanbeamError, InputError
from pipeline.modalities.labels.binding import columns_of
from pipeline.planning.copies.table import CopyTable
from pipeline.planning.donors.selection import kept
from pipeline.planning.job import Job, Task
from pipeline.records import LINEAGE, SAMPLE_ID, Block, Payload, Shard, Split
from pipeline.rendering.held_out import twins
from pipeline.sources.moved_records import Place, files_like, sought
from pipeline.sources.source_files import SourceFile, source_file
from pipeline.storage.folder import Folder, absolute
from pipeline.storage.stores.locations import forget

Row = dict[str, Any]
"""A row of a version with `sample_id` and `lineage`."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """A sample rendered again. `difference` is empty if it is the same, else what is not and why."""

    sample_id: str
    sha256: str
    difference: str = ""
    payloads: dict[str, Payload] | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A sample that can be rendered again: the one-record shard that makes it."""

    job: Job
    task: Task
    row: Row


def config_of(dataset: Dataset) -> JobConfig:
    """The config that a version was made with, reading what its last run read, and from where that was allowed to."""
    config, log = dataset.config("-", dataset.path), newest_log(dataset.folder) or {}
    places = log.get("allowed", {})
    fields = {name: field for name, field in config.fields.items() if isinstance(field.uri, Allowed) and name in places}
    own = {name: f.model_copy(update={"uri": Allowed(allow=tuple(places[name]))}) for name, f in fields.items()}
    given = {"path": tuple(log.get("input_path", ["-"])), "allow": tuple(places.get("", ())) or None}
    return config.model_copy(
        update={"input": config.input.model_copy(update=given), "fields": {**config.fields, **own}}
    )


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


class Sources:
    """The source files that some samples were made of: each is opened once, and searched for records by their ids."""

    def __init__(self, dataset: Dataset, root: Folder) -> None:
        forget()
        self._dataset, self._root = dataset, root
        self._config = config_of(dataset)
        self._candidates = kept(dataset.folder)
        self._held_out = twins.kept(dataset.folder)

    def prepared(self, rows: Sequence[Row]) -> Iterator[Ready | Replayed]:
        """The one-record shard that makes each sample, or why there is none; file by file."""
        by_file = defaultdict[str, list[Row]](list)
        for row in rows:
            by_file[row[LINEAGE]["source_file"]].append(row)
        lost: list[tuple[Row, Replayed]] = []
        for name, some in by_file.items():
            try:
                file = self._opened(name)
                blocks = _blocks(file, self._id(file), some)
            except FanbeamError as error:
                lost += [(row, _unreadable(row, error)) for row in some]
                continue
            for row in some:
                block = blocks.get(row[LINEAGE]["source_id"])
                if block is None:
                    lost.append((row, _absent(row)))
                else:
                    yield self._ready(file, block, row)
        elsewhere = self._elsewhere([row for row, _ in lost])
        for row, why in lost:
            place = elsewhere.get(row[LINEAGE]["source_id"])
            yield why if place is None else self._ready(self._opened(place[0].name), place[1], row)

    def _elsewhere(self, rows: Sequence[Row]) -> dict[str, Place]:
        """Where records with ids are that are not in their files any more."""
        if not rows:
            return {}
        known = sorted({file["path"] for file in self._dataset.manifest["input"]["files"]})
        names = chain(known, files_like(self._config, self._root, known))
        return sought(self._config, self._root, names, {row[LINEAGE]["source_id"] for row in rows})

    def _opened(self, name: str) -> SourceFile:
        config = self._config
        file = source_file(config, self._root, name)
        if {*config.key_columns(), *bound_columns(config)} <= {*file.listing.schema.names}:
            return file
        return source_file(config, self._root, name, self._dataset.columns())

    def _id(self, file: SourceFile) -> str | None:
        column = self._config.input.id
        return column if column in file.listing.schema.names else None

    def _ready(self, file: SourceFile, block: Block, row: Row) -> Ready:
        lineage = row[LINEAGE]
        made = replace(
            job_of(self._config, file.listing),
            reader=file.reader,
            version=self._dataset.version,
            candidates=self._candidates,
            held_out=self._held_out,
            counted=CopyTable(lineage["copy"]),  # what other records get does not matter here
        )
        split: Split = lineage["split"]
        return Ready(made, Task(Shard(split, 0, (block.all_of(split),))), row)


def _absent(row: Row) -> Replayed:
    name, key = row[LINEAGE]["source_file"], row[LINEAGE]["source_id"]
    return Replayed(row[SAMPLE_ID], "", f"the source has changed: {name} has no record {key!r} any more")


def _blocks(file: SourceFile, column: str | None, rows: Sequence[Row]) -> dict[str, Block]:
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


def _unreadable(row: Row, error: FanbeamError) -> Replayed:
    lineage = row[LINEAGE]
    detail = error.problems[0].message if error.problems else error.message
    return Replayed(row[SAMPLE_ID], "", f"its source {lineage['source_file']} cannot be read: {detail}")


def bound_columns(config: JobConfig) -> list[str]:
    """Columns of labels that change with a field."""
    return [name for field in config.fields.values() for name in columns_of(field.bound())]
