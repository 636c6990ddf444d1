"""What identifies the rows of a written file, as digests: ids, sources, parents, groups, contents. 21 bytes each.

Two rows share something if two of their marks have one digest; the role says what the mark is to its row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.audit.contents import content_marks, contents_of, payload_columns
from pipeline.audit.leaks import Kind
from pipeline.audit.sides import DIGEST_BYTES, Field, Rows, loosely, single, texts_of
from pipeline.records import LINEAGE, SAMPLE_ID, Split
from pipeline.sources.folder import PATH

if TYPE_CHECKING:
    from pipeline.audit.signatures import NearField

MARK = np.dtype([("high", "<u8"), ("low", "<u8"), ("role", "u1"), ("row", "<u4")])
TRAIN: Split = "train"
ID = 0
"""The role of a sample's id."""
_SOURCE = "source"


@dataclass(frozen=True, slots=True)
class Looked:
    """What is looked at in a dataset: its fields of payload, in order, and its group columns.

    `near`: fields whose near duplicates are looked for; `copies`: of all training rows, not of the first of a record.
    """

    fields: tuple[Field, ...]
    groups: tuple[str, ...]
    ids: tuple[str, ...] = ()
    """Columns of ids, which stand for people or sources in the eyes of who wrote them."""
    near: tuple["NearField", ...] = ()
    copies: bool = False
    note: str = ""
    """Why something is not looked for."""
    time: str = ""
    """The column of times, if the newest are held out."""

    @classmethod
    def at(cls, config: Mapping[str, Any], order: Sequence[str]) -> "Looked":
        """As a manifest's config names them; a single group column or several."""
        fields = tuple(Field(name, config["fields"][name]["type"]) for name in order)
        time = config["split"]["column"] if config["split"].get("by") == "time" else ""
        return cls(fields, group_columns(config), id_columns(config), time=time)

    @property
    def telling(self) -> tuple[Field, ...]:
        """Fields that are compared unless somebody asks for more: captions beside a picture repeat by nature."""
        media = any(f.modality != "text" for f in self.fields)
        return tuple(f for f in self.fields if not (media and f.modality == "text"))

    @property
    def spelled(self) -> tuple[str, ...]:
        """Columns whose values are compared without what is easily written otherwise."""
        return tuple(dict.fromkeys((*self.groups, *self.ids)))

    @property
    def marked(self) -> tuple[tuple[Kind, str], ...]:
        """Each mark's kind, and the column that it is of; a mark's role is a place in here."""
        columns = [("group", name) for name in self.groups] + [("exact", name) for name in contents_of(self.fields)]
        own: tuple[tuple[Kind, str], ...] = (("id", SAMPLE_ID), ("source", _SOURCE), ("parent", _SOURCE))
        spelled = [("spelling", name) for name in self.spelled]
        return (*own, *columns, *spelled)  # type: ignore[arg-type]

    @property
    def roles(self) -> tuple[tuple[Kind, str], ...]:
        """Of all links: those of marks, then likeness by field."""
        return (*self.marked, *(("near", f.key) for f in self.fields))


@dataclass(frozen=True, slots=True)
class Portion:
    """One written file to look at, and for what.

    `parts`, `buckets`: into how many the marks and the signatures of all files are dealt. `skipped`: payloads (counted
    from 0 in the order in which they are signed) that end the process which decodes them.
    """

    split: Split
    index: int
    path: str
    rows: int
    looked: Looked
    parts: int = 1
    buckets: int = 1
    skipped: tuple[int, ...] = ()

    def without(self, record: int) -> "Portion":
        """The same but for a payload that its worker does not survive: it counts as unreadable."""
        return replace(self, skipped=(*self.skipped, record))


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


def id_columns(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The column of ids, unless it is what files of a folder are called."""
    name = config["input"].get("id")
    return () if name in (None, PATH) else (name,)


def first_of_each(values: NDArray[Any]) -> NDArray[Any]:
    """Of marks that differ in nothing but their row the first."""
    ordered = values[np.lexsort([values[name] for name in ("row", "role", "low", "high")])]
    same = np.ones(max(0, len(ordered) - 1), bool)
    for name in ("high", "low", "role"):
        same &= ordered[name][1:] == ordered[name][:-1]
    firsts: NDArray[Any] = ordered[np.concatenate([np.ones(min(1, len(ordered)), bool), ~same])]
    return firsts


def rows_of(batch: pa.RecordBatch, fields: Sequence[Field], groups: Sequence[str], ids: Sequence[str] = ()) -> Rows:
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
        **group_marks(batch, groups, ids),
    }
    payloads = payload_columns(batch, fields)
    return Rows([v or "" for v in texts_of(batch.column(SAMPLE_ID))], marks | content_marks(payloads, fields), payloads)


def group_marks(
    batch: pa.RecordBatch, groups: Sequence[str], ids: Sequence[str] = ()
) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    """Values of group columns as they are, and those and ids without what is easily written otherwise."""
    values = {name: texts_of(batch.column(name)) for name in dict.fromkeys((*groups, *ids))}
    return {
        **{("group", name): single(values[name]) for name in groups},
        **{
            ("spelling", name): single([v if v is None else loosely(v) for v in found])
            for name, found in values.items()
        },
    }


def of_role(number: int, role: tuple[Kind, str], rows: Rows, start: int) -> NDArray[Any]:
    """Marks of one role, the first of `rows` being row `start` of the file."""
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
