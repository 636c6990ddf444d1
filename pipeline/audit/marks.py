"""What identifies the rows of a written file, as digests: ids, sources, parents, groups, contents. 21 bytes each.

Two rows share something if two of their marks have one digest; the role says what the mark is to its row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.audit.contents import content_marks, payload_columns
from pipeline.audit.findings import Kind
from pipeline.audit.rows import DIGEST_BYTES, Field, Rows, single, texts_of
from pipeline.records import Split
from pipeline.schema import LINEAGE, SAMPLE_ID
from pipeline.storage import Folder

MARK = np.dtype([("high", "<u8"), ("low", "<u8"), ("role", "u1"), ("row", "<u4")])
TRAIN: Split = "train"
_READ_ROWS = 256
_SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked at in a dataset: its fields of payload, in order, and its group columns."""

    fields: tuple[Field, ...]
    groups: tuple[str, ...]

    @classmethod
    def at(cls, config: Mapping[str, Any], order: Sequence[str]) -> "Looked":
        """As a manifest's config names them; a single group column or several."""
        fields = tuple(Field(name, config["fields"][name]["type"]) for name in order)
        return cls(fields, group_columns(config))

    @property
    def roles(self) -> tuple[tuple[Kind, str], ...]:
        """Each mark's kind, and the column that it is of; a mark's role is a place in here."""
        media = any(f.modality != "text" for f in self.fields)
        told = [f.key for f in self.fields if not (media and f.modality == "text")]
        columns = [("group", name) for name in self.groups] + [("exact", name) for name in told]
        own: tuple[tuple[Kind, str], ...] = (("id", SAMPLE_ID), ("source", _SOURCE), ("parent", _SOURCE))
        return (*own, *columns)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Portion:
    """One written file to look at. `parts`: into how many parts the marks of all files are dealt."""

    split: Split
    index: int
    path: str
    rows: int
    parts: int = 1


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks of the rows of one file: (n,) of MARK. `rows`: how many were read."""

    split: Split
    index: int
    rows: int
    values: NDArray[Any]


def group_columns(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Columns whose values must not be on two sides: the group, and those that the split keeps together."""
    kept = (config["split"].get("keep_together") or {}).get("group") or ()
    named = (config["input"]["group"], *([kept] if isinstance(kept, str) else kept))
    return tuple(dict.fromkeys(name for name in named if name is not None))


def marks_of(folder: Folder, portion: Portion, looked: Looked) -> Marks:
    """Read a written file. Of training rows that share a mark the first one has it, of others every row."""
    found, count = [np.empty(0, MARK)], 0
    for rows in _read(folder, portion.path, looked):
        found += [_of_role(number, role, rows, count) for number, role in enumerate(looked.roles)]
        count += len(rows.ids)
    values = np.concatenate(found)
    if portion.split == TRAIN:
        values = _first_of_each(values)
    return Marks(portion.split, portion.index, count, values)


def _first_of_each(values: NDArray[Any]) -> NDArray[Any]:
    """Of marks that differ in nothing but their row the first."""
    ordered = values[np.lexsort([values[name] for name in ("row", "role", "low", "high")])]
    same = np.ones(max(0, len(ordered) - 1), bool)
    for name in ("high", "low", "role"):
        same &= ordered[name][1:] == ordered[name][:-1]
    firsts: NDArray[Any] = ordered[np.concatenate([np.ones(min(1, len(ordered)), bool), ~same])]
    return firsts


def rows_of(batch: pa.RecordBatch, fields: Sequence[Field], groups: Sequence[str]) -> Rows:
    """Rows of a file that carries lineage."""
    lineage = batch.column(LINEAGE)
    sources = texts_of(lineage.field("source_id"))
    parents = lineage.field("parents").to_pylist()
    marks = {
        ("id", SAMPLE_ID): single(texts_of(batch.column(SAMPLE_ID))),
        ("source", _SOURCE): single(sources),
        ("parent", _SOURCE): [
            tuple(p["source_id"] for p in row or () if p["source_id"] != own)
            for row, own in zip(parents, sources, strict=True)
        ],
        **{("group", name): single(texts_of(batch.column(name))) for name in groups},
    }
    payloads = payload_columns(batch, fields)
    return Rows([v or "" for v in texts_of(batch.column(SAMPLE_ID))], marks | content_marks(payloads, fields), payloads)


def _read(folder: Folder, path: str, looked: Looked) -> Iterator[Rows]:
    names = [*looked.groups, SAMPLE_ID, LINEAGE, *(f.name for f in looked.fields)]
    with folder.open(path) as source:
        for batch in pq.ParquetFile(source).iter_batches(_READ_ROWS, columns=names):
            yield rows_of(batch, looked.fields, looked.groups)


def _of_role(number: int, role: tuple[Kind, str], rows: Rows, start: int) -> NDArray[Any]:
    kind, name = role
    values = rows.marks[role]
    space = f"{_SOURCE if kind == 'parent' else kind}\0{name}\0".encode()
    digests = b"".join(_digest(space, value) for of_row in values for value in of_row)
    found = np.empty(len(digests) // DIGEST_BYTES, MARK)
    numbers = np.frombuffer(digests, "<u8").reshape(-1, 2)
    found["high"], found["low"], found["role"] = numbers[:, 0], numbers[:, 1], number
    found["row"] = np.repeat(np.arange(start, start + len(values)), [len(of_row) for of_row in values])
    return found


def _digest(space: bytes, value: str) -> bytes:
    return blake2b(space + value.encode("utf-8", "surrogatepass"), digest_size=DIGEST_BYTES).digest()
