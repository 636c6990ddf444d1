"""The nouns that flow, in the order in which they flow. Frozen; payload never leaves the worker that read it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import pyarrow as pa

from transforms.interface import Applied

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
SPLIT_ALIASES: dict[str, Split] = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
SAMPLE_ID, LINEAGE, LABEL_WEIGHTS = "sample_id", "lineage", "label_weights"
"""Columns that every dataset has beside those of the input."""
Payload = bytes | str


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file of the input snapshot: path relative to the input root, size in bytes, modification tag."""

    path: str
    size: int
    tag: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A record of a text table that cannot be read: row and bytes within its unit, its first line in the file, why."""

    row: int
    begin: int
    end: int
    line: int
    why: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A piece of the input that can be read alone.

    Parquet: row group `part` of `file`. Tables: bytes `begin`..`end` of `file`. Folders: the files `members`.
    `first_row` is the row number, within the file, of the unit's first row; `listed` the file as it was found.
    `broken`: rows that fail; `delimiter`: of CSV, where it is not the usual one.
    """

    file: str
    rows: int
    bytes: int
    part: int = 0
    first_row: int = 0
    begin: int = 0
    end: int = 0
    members: tuple[InputFile, ...] = ()
    listed: InputFile | None = None
    broken: tuple[Broken, ...] = ()
    delimiter: str = ""

    @property
    def place(self) -> tuple[str, int, int, int]:
        """What no other unit of the same listing has."""
        return self.file, self.part, self.begin, self.first_row


def unit_of(stated: Mapping[str, Any]) -> Unit:
    """A unit as JSON says it."""
    listed = stated["listed"]
    members = tuple(InputFile(**member) for member in stated["members"])
    broken = tuple(Broken(**line) for line in stated["broken"])
    return Unit(**{**stated, "members": members, "listed": InputFile(**listed) if listed else None, "broken": broken})


@dataclass(frozen=True, slots=True)
class Block:
    """Rows `start`..`stop` of a unit (counted within the unit); the smallest thing the planner moves.

    `splits`: a byte for each row where the survey decided, see `split_table`; empty where each row tells by itself.
    """

    unit: Unit
    start: int
    stop: int
    splits: bytes = b""

    def alone(self) -> "Block":
        """The same rows; of a folder's unit only their own files stay, so that a description of them is small."""
        unit, count = self.unit, self.stop - self.start
        if len(unit.members) <= count:
            return self
        own = unit.members[self.start : self.stop]
        alone = replace(unit, rows=count, bytes=unit.bytes // unit.rows * count, members=own)
        return Block(alone, 0, count, self.splits)

    def all_of(self, split: Split) -> "Block":
        """The same rows, as known to be of one split."""
        return replace(self, splits=bytes([SPLITS.index(split)]) * (self.stop - self.start))


@dataclass(frozen=True, slots=True)
class Shard:
    """One output file: a split, an index within the split, and the blocks that feed it."""

    split: Split
    index: int
    blocks: tuple[Block, ...]

    @property
    def name(self) -> str:
        """`train-00000`: names the receipt and the files of dropped records."""
        return f"{self.split}-{self.index:05d}"

    @property
    def path(self) -> str:
        """Path of the data file within the version folder."""
        return f"{self.split}/part-{self.index:05d}.parquet"


class Reference(str):
    """A payload that is not read yet: the path or URL of its file as the input has it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Record:
    """One labeled input row: key columns, payload per field, and where its other columns are."""

    key: str
    file: str
    row: int
    labels: tuple[str, ...]
    payloads: dict[str, Payload | None]
    batch: pa.RecordBatch
    index: int
    refusal: "Refusal | None" = None
    classes: tuple[str, ...] = ()
    """What it is counted as when copies are counted out: its labels unless the config says otherwise."""

    def without_payload(self) -> "Record":
        """The same, but for what it came with."""
        place = self.key, self.file, self.row
        return Record(*place, self.labels, {}, self.batch, self.index, self.refusal, self.classes)


Watch = Callable[[Iterator[Record]], Iterator[Record]]
"""Sees each record as it is rendered, and the end of the last one.

With a method `reading` it sees them also before the files that they refer to are read.
"""


@dataclass(frozen=True, slots=True)
class Variant:
    """One sample to make of a record. Copy 0 is the original; `seed` is 16 bytes, empty for copy 0."""

    copy: int
    seed: bytes


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a record or a copy is dropped. `kind` tells a failure (exception) from a rejection (quality)."""

    kind: Literal["failed", "rejected"]
    field: str
    stage: str
    reason: str
    error: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """Labels of one kind: those of the record, and those that are left in a sample, each once."""

    kind: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    clipped: int = 0
    repeated: int = 0
    numbers: bool = False
    """Whether they are class numbers of a mask instead of entries."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """One field of one variant after its recipe: the payload, the steps applied, or why there is none."""

    payload: Payload | None
    applied: tuple[Applied, ...] = ()
    refusal: Refusal | None = None
    changes: Mapping[str, pa.Array] = field(default_factory=dict)
    """New cells, of one row each, of the columns whose labels are bound to the field."""
    labels: tuple[Left, ...] = ()
    """What is left of each kind of them."""


@dataclass(frozen=True, slots=True)
class Family:
    """A record with its variants, and what was rendered of them so far: field -> one `Rendered` per variant."""

    record: Record
    variants: tuple[Variant, ...]
    rendered: dict[str, tuple[Rendered, ...]] = field(default_factory=dict)
    refusal: Refusal | None = None

    def refused(self, refusal: Refusal) -> "Family":
        """The same family, failed whole."""
        return replace(self, refusal=refusal)


@dataclass(frozen=True, slots=True)
class Sample:
    """One output row: its record, its variant, and the rendered fields."""

    record: Record
    variant: Variant
    rendered: dict[str, Rendered]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A record (`copy` None) or a copy that is not in the dataset, and why."""

    record: Record
    copy: int | None
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Gated:
    """What became of one family: its samples and what was dropped of it."""

    record: Record
    samples: tuple[Sample, ...]
    dropped: tuple[Dropped, ...]
    copies: int = 0
    """Copies that were to be made of it."""


@dataclass(frozen=True, slots=True)
class FileReceipt:
    """Proof of one written file: path within the version folder, rows, bytes, hex sha256."""

    path: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The proof that a shard is written; `classes` counts records and samples per label value."""

    split: Split
    index: int
    records: int
    samples: int
    kept_records: int
    data: FileReceipt | None
    dropped_files: tuple[FileReceipt, ...] = ()
    failed: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    failed_records: int = 0
    classes: dict[str, tuple[int, int]] = field(default_factory=dict)
    copies: int = 0
    """Copies that were to be made."""
    balance: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    """Where copies differ by class: records that stay, their samples, and the sum of the squares of each one's."""
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Bound labels of samples that steps changed, see `labels.counts`."""
    unlike: dict[str, dict[str, int]] = field(default_factory=dict)
    """Originals that are written as they came, and unlike copies, see `codecs.image.original_differences`."""

    @property
    def name(self) -> str:
        """`train-00000`."""
        return f"{self.split}-{self.index:05d}"

    @property
    def key(self) -> tuple[int, int]:
        """Order of shards in the manifest: by split, then by index."""
        return SPLITS.index(self.split), self.index


def split_of_name(name: str | None) -> Split | None:
    """Split by a column's value (train, validation, val, valid, dev, test; any case); None if it names no split."""
    return None if name is None else SPLIT_ALIASES.get(name.strip().lower())
