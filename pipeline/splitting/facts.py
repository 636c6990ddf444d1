"""What of every record decides its split: key columns read once, eight bytes a record and fact."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.config.schema import JobConfig
from pipeline.errors import InputError, Problem
from pipeline.planning.hash_split import numbers_of
from pipeline.planning.job import Job
from pipeline.planning.keys import KeyBlock, digests
from pipeline.planning.survey import keyed_batches, side_by_side
from pipeline.records import Unit
from pipeline.sources.key_columns import text_of, texts
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.diagnostics.contradictions import label_digests
from pipeline.storage.mapped_columns import Rows, column, some

Classes = tuple[str, ...]
NO_CLASS: Classes = ()


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """All rows of the input, in the order of its units.

    `keys`: digests of the records' keys; `identified`: the key is an id. `numbers`: 0 <= u < 1, by group or key.
    `groups`: per group column. `classes[codes[n]]`: the labels of row n, where classes keep their shares. `times`: one
    for each row, `timeless` where it is null, where times decide.
    """

    keys: Digests
    identified: NDArray[np.bool_]
    numbers: NDArray[np.float64]
    groups: dict[str, Digests]
    classes: list[Classes]
    codes: NDArray[np.int32]
    times: NDArray[Any] | None
    timeless: NDArray[np.bool_]
    labels: Digests = field(default_factory=lambda: np.empty(0, np.uint64))
    """A number for the labels of each row, 0 where there is none; empty if nobody compares contents with them."""

    def __len__(self) -> int:
        return len(self.keys)

    def of(self, rows: Rows) -> "Facts":
        """Those of some rows, ascending."""
        return Facts(
            some(self.keys, rows),
            some(self.identified, rows),
            some(self.numbers, rows),
            {name: some(found, rows) for name, found in self.groups.items()},
            self.classes,
            some(self.codes, rows),
            None if self.times is None else some(self.times, rows),
            some(self.timeless, rows),
        )


def facts_of(job: Job, units: Sequence[Unit]) -> Facts:
    """Read the key columns. Raises InputError for a column of times that holds something else."""
    filling = _Filling(job.config, sum(unit.rows for unit in units))
    for found in side_by_side(job, units, lambda unit: list(_parts(job, unit))):
        for part in found:
            filling.add(part)
    if not filling.filled:
        raise InputError(f"the input {job.config.input.path!r} has no records")
    return filling.facts()


def compares_labels(config: JobConfig) -> bool:
    """Whether records of one content are looked at for labels that contradict each other."""
    return config.input.label is not None and config.split.keep_together.exact


class _Filling:
    """Facts of all rows, written where they belong as they come: nothing stands in memory twice."""

    def __init__(self, config: JobConfig, rows: int) -> None:
        self.config, self.rows, self.filled = config, rows, 0
        self.keys, self.numbers = column(rows, np.uint64), column(rows, np.float64)
        self.identified, self.timeless = column(rows, np.bool_), column(rows, np.bool_)
        self.groups = {name: column(rows, np.uint64) for name in config.group_columns}
        self.classes: dict[Classes, int] = {}
        self.codes = column(rows, np.int32)
        self.times: NDArray[Any] | None = None
        self.timed = False
        self.labels = column(rows if compares_labels(config) else 0, np.uint64)

    def add(self, part: Facts) -> None:
        """The next rows. Raises InputError if their times are of another kind than those before."""
        here = slice(self.filled, self.filled + len(part))
        self.keys[here], self.numbers[here] = part.keys, part.numbers
        if len(self.labels):
            self.labels[here] = part.labels
        self.identified[here], self.timeless[here] = part.identified, part.timeless
        for name, found in part.groups.items():
            self.groups[name][here] = found
        numbers = [self.classes.setdefault(labels, len(self.classes)) for labels in part.classes]
        self.codes[here] = np.array(numbers, np.int32)[part.codes]
        if part.times is not None:
            if self.times is None or not self.timed:
                self.times = column(self.rows, part.times.dtype)
            if part.timeless.all():
                pass  # of no kind
            elif self.times.dtype.kind != part.times.dtype.kind:
                raise _no_time(self.config, "holds dates in one place and numbers in another")
            else:
                self.times[here] = part.times
        self.timed |= part.times is not None and not part.timeless.all()
        self.filled += len(part)

    def facts(self) -> Facts:
        """All of them."""
        keyed = self.keys, self.identified, self.numbers, self.groups
        own = *keyed, list(self.classes), self.codes, self.times, self.timeless
        return Facts(*own, labels=self.labels)


def digests_of(values: Sequence[bytes | None]) -> Digests:
    """Digests of values; 0 for those that are null or empty."""
    known = [n for n, value in enumerate(values) if value]
    found = np.zeros(len(values), np.uint64)
    if known:
        found[known] = np.maximum(digests(values[n] or b"" for n in known), 1)
    return found


def rank_of(key: str) -> int:
    """The digest of one key, as `Facts.keys` has it."""
    return int(np.maximum(digests([key.encode("utf-8", "surrogatepass")]), 1)[0])


def _parts(job: Job, unit: Unit) -> Iterator[Facts]:
    config = job.config
    for block, batch in keyed_batches(job, unit):
        groups = {name: _of_texts(batch.column(name)) for name in config.group_columns}
        classes, codes = _classes(block) if config.split.stratified else ([NO_CLASS], np.zeros(len(block), np.int32))
        times, timeless = _times(config, batch)
        yield Facts(
            np.maximum(digests(block.keys.to_pylist()), 1),
            block.identified,
            numbers_of(block.keys, block.groups, config.split.seed),
            groups,
            classes,
            codes,
            times,
            timeless,
            labels=label_digests(block.labels, len(block)) if compares_labels(config) else np.empty(0, np.uint64),
        )


def _of_texts(column: pa.Array) -> Digests:
    """Of a column of few different values."""
    coded = pa.array(texts(column), pa.string()).dictionary_encode()
    found = digests_of(
        [None if v is None else v.encode("utf-8", "surrogatepass") for v in coded.dictionary.to_pylist()]
    )
    indices = coded.indices.fill_null(len(found)).to_numpy(zero_copy_only=False)
    of_rows: Digests = np.append(found, np.uint64(0))[indices]
    return of_rows


def _classes(block: KeyBlock) -> tuple[list[Classes], NDArray[np.int32]]:
    """Different sets of labels, sorted, and which of them each row has."""
    numbers: dict[Classes, int] = {}
    sets = (tuple(sorted(set(found))) for found in block.labels.of(np.arange(len(block))))
    codes = [numbers.setdefault(found, len(numbers)) for found in sets]
    return list(numbers), np.array(codes, np.int32)


def _times(config: JobConfig, batch: pa.RecordBatch) -> tuple[NDArray[Any] | None, NDArray[np.bool_]]:
    """Times as numbers that grow, and where there are none."""
    name = config.split.time_column
    if name is None:
        return None, np.zeros(batch.num_rows, np.bool_)
    column = batch.column(name)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.utf8_trim_whitespace(text_of(column)[0])
        column = pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    found = _numbered(config, column).fill_null(0).to_numpy(zero_copy_only=False)
    if found.dtype.kind == "f" and np.isnan(found).any():
        missing = missing | np.isnan(found)
        found = np.nan_to_num(found)
    return found, missing


def _numbered(config: JobConfig, column: pa.Array) -> pa.Array:
    """int64 or float64."""
    kind = column.type
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return column.cast(pa.float64())
    if pa.types.is_uint64(kind):  # in the order of the numbers, though not all of them fit
        return pc.bit_wise_xor(column, pa.scalar(1 << 63, kind)).view(pa.int64())
    if pa.types.is_integer(kind):
        return column.cast(pa.int64())
    if pa.types.is_temporal(kind):
        short = pa.types.is_date32(kind) or pa.types.is_time32(kind)
        return column.cast(pa.int32()).cast(pa.int64()) if short else column.cast(pa.int64())
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.int64())
    for wanted in (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.float64()):
        try:
            found = column.cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
        return found.cast(pa.int64()) if pa.types.is_timestamp(wanted) else found
    example = next((v for v in column.drop_null().unique() if not _is_time(v)), column.drop_null()[0])
    raise _no_time(config, f"holds {example.as_py()!r}, which is no time, or times of several kinds")


def _is_time(value: pa.Scalar) -> bool:
    for wanted in (pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.float64()):
        try:
            value.cast(wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            continue
        return True
    return False


def _no_time(config: JobConfig, what: str) -> InputError:
    message = f"column {config.split.column!r} {what}"
    remedy = "Use timestamps, dates (2024-01-31, with or without a time of day), or numbers that grow with time."
    return InputError(message, (Problem("split.column", f"{message}.", remedy),))
