"""What earlier versions decided, kept beside them, so that data which grows never moves a record to another split.

    _splits/<settings>/<version>-00000.parquet    new rows of that version, in the order of the input: part, digests
    _splits/<settings>/<version>.json             it was committed; its rows count though the version may be removed
    _splits/<fingerprint>.json                    version and ancestors of one input, put if absent

`settings` digests all that says how to split: another way to split starts anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.config.schema import JobConfig
from pipeline.errors import Damaged
from pipeline.planning.job import Job
from pipeline.sources.range_reads import in_order
from pipeline.splitting.assignment.hash_ranges import same
from pipeline.splitting.history.inheritance import ID, Known, Relations
from pipeline.storage.folder import Folder
from pipeline.storage.layout import MANIFEST, SPLITS_FOLDER
from pipeline.storage.mapped_columns import Growing, column, some, where

_PART = "part"
_ROWS = 1 << 20


@dataclass(frozen=True, slots=True)
class Descent:
    """The version that an input makes, and the versions that were known when it was decided."""

    version: str
    ancestors: tuple[str, ...] = ()


def settings_digest(config: JobConfig) -> str:
    """Of everything that says how records are split."""
    split = config.split.model_dump(mode="json", exclude={"by": {"kfold": {"fold"}}} if config.split.folds else set())
    named = [config.input.id, config.input.group, config.input.label if config.split.stratified else None]
    stated = {"split": split, "columns": named, "fields": sorted((n, f.type) for n, f in config.fields.items())}
    return blake2b(orjson.dumps(stated, option=orjson.OPT_SORT_KEYS), digest_size=6).hexdigest()


def descent_of(output: Folder, fingerprint: str) -> Descent | None:
    """What an earlier run of this very input found; None if there was none."""
    path = _descent_path(fingerprint)
    try:
        data = output.read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        stated = orjson.loads(data)
        return Descent(stated["version"], tuple(stated["ancestors"]))
    except (ValueError, TypeError, LookupError) as error:
        remedy = "Put it back from a copy, or remove it: then splits are decided from the versions beside it."
        raise Damaged(f"{output.full(path)} is damaged. {remedy}") from error


def keep_descent(output: Folder, fingerprint: str, descent: Descent) -> Descent:
    """Put it if there is none; returns the one that stands."""
    stated = {"version": descent.version, "ancestors": list(descent.ancestors)}
    data = orjson.dumps(stated, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    if output.put_if_absent(_descent_path(fingerprint), data):
        return descent
    return descent_of(output, fingerprint) or descent


def committed_versions(output: Folder, settings: str) -> tuple[str, ...]:
    """Versions whose decisions count, sorted."""
    names = output.names(f"{SPLITS_FOLDER}/{settings}")
    told = {name.removesuffix(".json") for name in names if name.endswith(".json")}
    rest = {name.rpartition("-")[0] for name in names if name.endswith(".parquet")} - told
    return tuple(sorted(told | {version for version in rest if output.exists(f"{version}/{MANIFEST}")}))


def known_rows(output: Folder, settings: str, versions: Sequence[str]) -> Known:
    """What these versions decided; of a row that several hold, the first one's word counts."""
    wanted = set(versions)
    names = sorted(n for n in output.names(f"{SPLITS_FOLDER}/{settings}") if n.endswith(".parquet"))
    paths = [f"{SPLITS_FOLDER}/{settings}/{name}" for name in names if name.rpartition("-")[0] in wanted]
    parts, relations = Growing(np.uint8), dict[str, Growing]()
    for table in in_order(lambda path: _table(output, path), paths):
        parts.extend(table.column(_PART).to_numpy())
        for name in table.column_names:
            if name != _PART:
                relations.setdefault(name, Growing(np.uint64)).extend(table.column(name).to_numpy())
    if not relations:
        return Known()
    again = column(len(parts.values), np.bool_)
    for _, rows in same(relations[ID].values):
        again[rows] = True
    kept = where(len(again), lambda span: ~again[span])
    return Known(some(parts.values, kept), {name: some(found.values, kept) for name, found in relations.items()})


def _table(output: Folder, path: str) -> pa.Table:
    try:
        return pq.read_table(pa.BufferReader(output.read(path)))
    except (pa.ArrowException, OSError) as error:
        remedy = "Put it back from a copy; if it is removed, its records may come into other splits than before."
        raise Damaged(f"{output.full(path)}, which says what was split before, is damaged. {remedy}") from error


def keep_rows(job: Job, parts: np.ndarray[Any, np.dtype[np.uint8]], relations: Relations) -> None:
    """Write the rows that this version decided first, some files of a million each."""
    settings = settings_digest(job.config)
    for number, start in enumerate(range(0, max(1, len(parts)), _ROWS)):
        rows = slice(start, start + _ROWS)
        columns = {_PART: pa.array(parts[rows])} | {name: pa.array(d[rows]) for name, d in relations.items()}
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table(columns), sink, compression="zstd", use_dictionary=[_PART], write_statistics=False)
        job.output.put(f"{SPLITS_FOLDER}/{settings}/{job.version}-{number:05d}.parquet", sink.getvalue().to_pybytes())


def count_in(job: Job) -> None:
    """Say that a version is committed, if it has decided anything; once is enough."""
    folder, mark = f"{SPLITS_FOLDER}/{settings_digest(job.config)}", f"{job.version}.json"
    there = job.output.names(folder)
    names = [n for n in there if n.startswith(f"{job.version}-")]
    if names and mark not in there:
        data = orjson.dumps({"files": sorted(names)}, option=orjson.OPT_APPEND_NEWLINE)
        job.output.put(f"{folder}/{mark}", data)


def _descent_path(fingerprint: str) -> str:
    return f"{SPLITS_FOLDER}/{fingerprint}.json"
