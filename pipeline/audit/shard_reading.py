"""Written files read for an audit: marks and signatures of all rows; some columns of some rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.audit.leak_counts import Findings, first_names
from pipeline.audit.row_digests import ID, MARK, TRAIN, Looked, Marks, Portion, first_of_each, of_role, rows_of
from pipeline.audit.signatures import Signed, Signer
from pipeline.audit.temporal_order import Extent, extent_of
from pipeline.records import LINEAGE, SAMPLE_ID, Record, Watch
from pipeline.storage.folder import Folder
from pipeline.storage.parquet_rows import groups_with

_READ_ROWS = 256
_NOTHING = pa.record_batch([pa.nulls(1)], names=[""])


@dataclass(frozen=True, slots=True)
class Seen:
    """What one file showed. `unread`: ids of rows whose payload could not be signed.

    `extent`: of the times of its rows; `timeless`: rows that have none though the newest are to be held out.
    """

    marks: Marks
    signed: tuple[Signed, ...] = ()
    unread: tuple[str, ...] = ()
    extent: Extent | None = None
    timeless: int = 0

    def sums(self) -> Findings:
        """What of it is added up over all files."""
        times = {} if self.extent is None else {self.marks.split: self.extent}
        read = Counter[str]({self.marks.split: self.marks.rows})
        found = Findings(read, unreadable=len(self.unread), times=times, timeless=self.timeless)
        found.unread = first_names(self.unread)
        return found


def look_at(folder: Folder, portion: Portion, watch: Watch = iter) -> Seen:
    """Read a written file. Of training rows that share a mark the first one has it, but for ids; of others every row.

    Signed are all rows of held-out files; of a training record its lowest copy, which is the original if there is one,
    or all of them if that was asked for. Rows of a file stand in any order. `watch` sees each row before it is signed.
    """
    signers = [Signer(near, near.measure()) for near in portion.looked.near]
    reading = _Reading(folder, portion)
    for number, record in enumerate(watch(reading.records(bool(signers)))):
        for signer in signers:
            signer.sign(record, number in portion.skipped)
    values = np.concatenate(reading.marks)
    if portion.split == TRAIN:
        ids = values["role"] == ID
        values = np.concatenate([values[ids], first_of_each(values[~ids])])
    marks = Marks(portion.split, portion.index, reading.rows, values)
    signed = tuple(_signed(portion, signer) for signer in signers)
    unread = tuple(name for signer in signers for name in signer.unread)
    return Seen(marks, signed, unread, reading.extent, reading.timeless)


class _Reading:
    """One file, batch by batch: marks and times of all rows, and the rows that are to be signed."""

    def __init__(self, folder: Folder, portion: Portion) -> None:
        self._folder, self._portion = folder, portion
        self.marks, self.rows = [np.empty(0, MARK)], 0
        self.extent: Extent | None = None
        self.timeless = 0

    def records(self, signed: bool) -> Iterator[Record]:
        """The rows to be signed, if any are."""
        looked, path = self._portion.looked, self._portion.path
        some = signed and self._portion.split == TRAIN and not looked.copies
        lowest = _lowest_copies(self._folder, path) if some else None
        for batch in _read(self._folder, path, looked):
            rows = rows_of(batch, looked.fields, looked.groups, looked.ids)
            if looked.time:
                here, without = extent_of(batch.column(looked.time))
                self.extent, self.timeless = here.over(self.extent) if here else self.extent, self.timeless + without
            self.marks += [of_role(number, role, rows, self.rows) for number, role in enumerate(looked.marked)]
            for place, name in enumerate(rows.ids) if signed else ():
                row = self.rows + place
                if lowest is None or row in lowest:
                    payloads = {key: values[place] for key, values in rows.payloads.items()}
                    yield Record(name, path, row, (), payloads, _NOTHING, 0)
            self.rows += len(rows.ids)


def rows_at(
    folder: Folder, path: str, rows: Iterable[int], columns: Sequence[str]
) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Some rows of a file, in order, each as a batch of one; only row groups that hold one of them are read."""
    wanted = np.unique(np.fromiter(rows, np.int64))
    places = iter(wanted.tolist())
    for here, batch in groups_with(folder, path, wanted, columns):
        yield from ((next(places), batch.slice(place, 1)) for place in here.tolist())


def _read(folder: Folder, path: str, looked: Looked) -> Iterator[pa.RecordBatch]:
    times = [looked.time] if looked.time else []
    names = dict.fromkeys([*looked.spelled, SAMPLE_ID, LINEAGE, *(f.name for f in looked.fields), *times])
    with folder.open(path) as source:
        yield from pq.ParquetFile(source).iter_batches(_READ_ROWS, columns=list(names))


def _lowest_copies(folder: Folder, path: str) -> frozenset[int]:
    """Of each record in a file, the row of its lowest copy."""
    with folder.open(path) as source:
        table = pq.ParquetFile(source).read(columns=[f"{LINEAGE}.source_id", f"{LINEAGE}.copy"])
    lineage = table.column(LINEAGE).combine_chunks()
    numbered = pa.table(
        {"source": lineage.field("source_id"), "copy": lineage.field("copy"), "row": np.arange(len(table))}
    )
    ordered = numbered.sort_by([("copy", "descending"), ("row", "descending")])
    return frozenset(dict(zip(*(ordered.column(name).to_pylist() for name in ("source", "row")), strict=True)).values())


def _signed(portion: Portion, signer: Signer) -> Signed:
    return Signed(
        signer.near,
        portion.split,
        portion.index,
        portion.path,
        portion.buckets,
        tuple(signer.rows),
        tuple(signer.signatures),
    )
