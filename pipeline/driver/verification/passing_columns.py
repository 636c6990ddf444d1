"""Columns that pass through a run unchanged: every row of a version is compared with its source, by id."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.config.schema import JobConfig
from pipeline.driver.verification.row_hashes import Hashes, column_hashes, row_hashes
from pipeline.errors import FanbeamError
from pipeline.modalities.labels.binding import columns_of
from pipeline.planning.keys import digests
from pipeline.records import LABEL_WEIGHTS, LINEAGE, SAMPLE_ID, Record, Unit
from pipeline.sources.folder import FolderReader
from pipeline.sources.moved_records import files_like
from pipeline.sources.source_files import SourceFile, as_folder, as_text, source_file
from pipeline.storage.folder import Folder

_NAMED = 3
_Keys = NDArray[np.uint64]


def passing_columns(config: JobConfig, schema: pa.Schema) -> list[str]:
    """Columns of a version that are neither made by a run nor changed with a field."""
    made = {SAMPLE_ID, LINEAGE, LABEL_WEIGHTS, *config.fields}
    moving = {name for f in config.fields.values() for name in columns_of(f.bound())}
    return [name for name in schema.names if name not in made | moving]


def differing_columns(own: pa.RecordBatch, record: Record, bound: Sequence[str]) -> list[str]:
    """Columns of one written row (without payloads) that are not those of its record; those `bound` to a field move."""
    theirs = record.batch.slice(record.index, 1)
    names = [n for n in own.schema.names if n in theirs.schema.names and n not in bound]
    return [n for n in names if _one(own.column(n)) != _one(_cast(theirs.column(n), own.schema.field(n).type))]


def _one(column: pa.Array) -> int:
    return int(column_hashes(column)[0])


def _cast(column: pa.Array, kind: pa.DataType) -> pa.Array:
    """A column in the type that the version has it in, which may be another one of the same meaning."""
    try:
        return column if column.type == kind else column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return column


@dataclass(slots=True)
class Passing:
    """What the rows of a version say: 16 bytes per row are kept until the sources are read."""

    config: JobConfig
    schema: pa.Schema | None = None
    files: set[str] = field(default_factory=set)
    shards: dict[str, list[tuple[_Keys, Hashes]]] = field(default_factory=lambda: defaultdict(list))

    def see(self, path: str, batch: pa.RecordBatch) -> None:
        """Rows of a shard, in order."""
        self.schema = self.schema or batch.schema
        lineage = batch.column(LINEAGE)
        self.files.update(lineage.field("source_file").unique().to_pylist())
        keys = _digests(lineage.field("source_id").to_pylist())
        self.shards[path].append((keys, self._hashes(batch)))

    def _hashes(self, batch: pa.RecordBatch) -> Hashes:
        names = passing_columns(self.config, self.schema)
        known = [batch.column(name) for name in names if name in batch.schema.names]
        return row_hashes(known, batch.num_rows)

    def differences(self, dataset: Folder, root: Folder) -> Iterator[str]:
        """What differs from the sources below `root`; nothing is said of files that cannot be read at all."""
        names = [] if self.schema is None else passing_columns(self.config, self.schema)
        if not names or self.schema is None:
            return
        sources = Sources(self.config, root, self.schema, sorted(self.files))
        lacking = [name for name in names if name not in sources.columns()]
        if lacking and sources.opened:
            yield f"the sources have no column {', '.join(map(repr, lacking))} any more"
            return
        keys, hashes = self._rows(sources, root, names)
        if sources.unread and sources.opened:
            yield f"{len(sources.unread)} source files cannot be read any more: {_listed(sources.unread)}"
        for path, parts in self.shards.items() if sources.opened else ():
            own, values = (np.concatenate(column) for column in zip(*parts, strict=True))
            at = np.minimum(np.searchsorted(keys, own), max(0, len(keys) - 1))
            there = keys[at] == own if len(keys) else np.zeros(len(own), np.bool_)
            gone, wrong = np.flatnonzero(~there), np.flatnonzero(there & (hashes[at] != values))
            if len(gone) and not sources.unread:
                ids = _ids(dataset, path, gone[:_NAMED].tolist())
                told = f"{len(gone)} samples have no source record in {root.url} any more: {_listed(ids)}"
                yield f"{path}: {told}"
            if len(wrong):
                yield self._named(dataset, path, sources, wrong)

    def _rows(self, sources: "Sources", root: Folder, names: Sequence[str]) -> tuple[_Keys, Hashes]:
        """Those of the sources; where records with ids are missing, of all files of the input."""
        keys, hashes = sources.rows(names)
        if self.config.input.id is None or any(isinstance(file.reader, FolderReader) for file in sources.opened):
            return keys, hashes  # a file of another name is another record
        if self._lost(keys) and self.schema is not None:
            others = Sources(self.config, root, self.schema, list(files_like(self.config, root, self.files)))
            sources.opened += others.opened
            keys, hashes = sources.rows(names)
        if not self._lost(keys):
            sources.unread.clear()  # all their records are elsewhere now
        return keys, hashes

    def _lost(self, keys: _Keys) -> bool:
        """Whether a record is not among those with these keys."""
        own = (keys_of for parts in self.shards.values() for keys_of, _ in parts)
        return any(not np.isin(some, keys).all() for some in own)

    def _named(self, dataset: Folder, path: str, sources: "Sources", wrong: NDArray[np.int64]) -> str:
        """The first samples of a shard that differ, each with its columns."""
        names = passing_columns(self.config, sources.schema)
        rows = _rows(dataset, path, [SAMPLE_ID, LINEAGE, *names], wrong[:_NAMED].tolist())
        keys = rows.column(LINEAGE).combine_chunks().field("source_id").to_pylist()
        theirs = sources.values(keys, names)
        told = []
        for number, (key, name) in enumerate(zip(keys, rows.column(SAMPLE_ID).to_pylist(), strict=True)):
            own = {n: _one(rows.column(n).slice(number, 1).combine_chunks()) for n in names}
            other = [n for n in names if theirs.get(key, own)[n] != own[n]]
            told.append(f"{name!r} ({', '.join(other)})")
        return f"{path}: {len(wrong)} samples differ from their sources in columns that pass through: {_listed(told)}"


def _without_own(schema: pa.Schema) -> pa.Schema:
    return pa.schema([field for field in schema if field.name not in (SAMPLE_ID, LINEAGE, LABEL_WEIGHTS)])


class Sources:
    """The source files of a version, as far as they can be read; ids and passing columns only."""

    def __init__(self, config: JobConfig, root: Folder, schema: pa.Schema, names: Sequence[str]) -> None:
        self.schema, self._config = schema, config
        self.opened: list[SourceFile] = []
        self._columns: set[str] = set()
        self.unread: list[str] = []
        """Files that cannot be read any more; samples that were rendered again say why."""
        for name in names:
            try:
                own = source_file(config, root, name)
                file = source_file(config, root, name, _without_own(schema))
            except FanbeamError:
                self.unread.append(name)
                continue
            self._columns |= {*own.listing.schema.names}
            folder = as_folder(file, names)
            self.opened = [folder] if folder else [*self.opened, file]
            if folder:
                return

    def columns(self) -> set[str]:
        """Those that any file has; where another one lacks them, they are null."""
        return self._columns

    def rows(self, names: Sequence[str]) -> tuple[_Keys, Hashes]:
        """Digests of all keys, sorted, and the hashes of their rows."""
        keys, hashes = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
        for file, unit, start, batch in self._batches(names):
            keys.append(_digests(self._keys(file, unit, start, batch)))
            hashes.append(
                row_hashes([_cast(batch.column(n), self.schema.field(n).type) for n in names], batch.num_rows)
            )
        joined = np.concatenate(keys)
        order = np.argsort(joined, kind="stable")
        return joined[order], np.concatenate(hashes)[order]

    def values(self, keys: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, int]]:
        """The hashes of each column of some records."""
        found: dict[str, dict[str, int]] = {}
        wanted = set(keys)
        for file, unit, start, batch in self._batches(names):
            for row, key in enumerate(self._keys(file, unit, start, batch)):
                if key in wanted and key not in found:
                    one = batch.slice(row, 1)
                    found[key] = {n: _one(_cast(one.column(n), self.schema.field(n).type)) for n in names}
        return found

    def _batches(self, names: Sequence[str]) -> Iterator[tuple[SourceFile, Unit, int, pa.RecordBatch]]:
        column = self._config.input.id
        wanted = [*names, *([column] if column and column not in names else [])]
        for file in self.opened:
            for unit, start, batch in file.batches(wanted):
                yield file, unit, start, batch

    def _keys(self, file: SourceFile, unit: Unit, start: int, batch: pa.RecordBatch) -> list[str]:
        """Keys as lineage has them: ids, and where there are none `file#row`."""
        column = self._config.input.id
        ids: list[str | None] = [None] * batch.num_rows
        if column is not None:
            ids = as_text(batch.column(column)).to_pylist()
        return [self._place(file, unit, start + n) if own is None else own for n, own in enumerate(ids)]

    def _place(self, file: SourceFile, unit: Unit, row: int) -> str:
        name, number = file.reader.locate(unit, row)
        return f"{name}#{number}"


def _digests(keys: Sequence[str]) -> _Keys:
    return digests(key.encode("utf-8", "surrogatepass") for key in keys)


def _rows(dataset: Folder, path: str, columns: Sequence[str], rows: Sequence[int]) -> pa.Table:
    with dataset.open(path) as file:
        return pq.read_table(file, columns=list(columns)).take(pa.array(rows))


def _ids(dataset: Folder, path: str, rows: Sequence[int]) -> list[str]:
    return [repr(name) for name in _rows(dataset, path, [SAMPLE_ID], rows).column(SAMPLE_ID).to_pylist()]


def _listed(names: Sequence[str]) -> str:
    more = ", …" if len(names) > _NAMED else ""
    return f"{', '.join(names[:_NAMED])}{more}"
