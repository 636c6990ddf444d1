"""Gated families -> one data file, the files of what was dropped, and the receipt that proves them."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.schema import ImageField
from pipeline.dataset.parquet_writer import ROW_GROUP_BYTES, ParquetFile, Space, file_of, reused_space
from pipeline.dataset.publishing import publish_shard
from pipeline.dataset.rows import RowMaker, dropped_table
from pipeline.dataset.schema import output_schema
from pipeline.modalities.codecs.image.original_differences import Unlike, differences, merge
from pipeline.modalities.labels.counts import LabelCounts
from pipeline.planning.job import Job, Task
from pipeline.planning.seeds import unit_intervals
from pipeline.records import Dropped, FileReceipt, Gated, Receipt, Sample, Shard
from pipeline.sources.snapshot import refuse_changed
from pipeline.storage.layout import FAILED, REJECTED

_DROPPED = {"failed": FAILED, "rejected": REJECTED}


def write_shard(job: Job, task: Task, recipe: str, families: Iterator[Gated]) -> Receipt:
    """Build the shard's files whole, publish each with one put, then its receipt; see `publish_shard`.

    Returns the receipt that counts. Raises RunFailed.
    """
    with reused_space() as space:
        builder = ShardBuilder(job, task.shard, recipe, space)
        for gated in families:
            builder.add(gated)
        receipt, files = builder.finish()
        refuse_changed(job.reader.root, task.shard.blocks)
        return publish_shard(job.dataset, receipt, files, _paths(task.shard) - {path for path, _ in files})


class ShardBuilder:
    """Collects one shard: its samples, until all are there and their order is known, then the finished bytes."""

    def __init__(self, job: Job, shard: Shard, recipe: str, space: Space | None = None) -> None:
        self._shard, self._rows = shard, RowMaker(job, shard.split, recipe)
        self._file = ParquetFile(output_schema(job), plain_columns(job), space)
        self._shuffled, self._group_rows = job.config.output.order == "shuffled", job.config.output.row_group_rows
        self._seed = job.config.seed
        self._pending: list[Sample] = []
        self._pending_bytes = 0
        self._dropped: list[Dropped] = []
        self._count: Counter[str] = Counter()
        self._reasons: dict[str, Counter[str]] = {"failed": Counter(), "rejected": Counter()}
        self._classes: dict[str, list[int]] = {}
        self._balance: dict[str, list[int]] = {}
        self._labels = LabelCounts({name: field.bound() for name, field in job.config.fields.items()})
        self._as_is = {
            name: field.mode
            for name, field in job.config.fields.items()
            if isinstance(field, ImageField) and field.originals == "as_is" and field.augment and not field.prepare
        }
        self._unlike: Unlike = {}
        self._balanced = shard.split == "train" and not job.copies.alike

    def add(self, gated: Gated) -> None:
        """Take one family in."""
        self._tally(gated)
        samples, dropped = self._rows.without_sources(gated)
        self._dropped += dropped
        self._pending += samples
        if not self._shuffled:
            self._pending_bytes += sum(map(_bytes_of, gated.samples))
            if self._pending_bytes >= ROW_GROUP_BYTES or len(self._pending) >= self._group_rows:
                self._flush()

    def finish(self) -> tuple[Receipt, list[tuple[str, pa.Buffer]]]:
        """The receipt and the files, by path within the version folder."""
        self._flush()
        files: list[tuple[str, pa.Buffer]] = []
        data = None
        content, digest = self._file.close()
        if self._file.rows:
            data = FileReceipt(self._shard.path, self._file.rows, content.size, digest)
            files.append((self._shard.path, content))
        dropped_files = []
        for kind in ("failed", "rejected"):
            rows = [d for d in self._dropped if d.refusal.kind == kind]
            if rows:
                path = dropped_path(self._shard, kind)
                content, digest = file_of(dropped_table(rows, self._shard.split))
                dropped_files.append(FileReceipt(path, len(rows), content.size, digest))
                files.append((path, content))
        return self._receipt(data, tuple(dropped_files)), files

    def _flush(self) -> None:
        """Write what is pending as row groups. A group's payload is let go as soon as it is written."""
        samples, self._pending, self._pending_bytes = self._pending, [], 0
        if not samples:
            return
        order = shuffled(samples, self._seed) if self._shuffled else np.arange(len(samples))
        rows = self._rows.rows_of(samples, order)
        samples = [samples[n] for n in order.tolist()]
        groups = deque(_groups(samples, self._group_rows))
        del samples
        while groups:
            start, group = groups.popleft()
            self._file.add(rows.table(group, start))

    def _tally(self, gated: Gated) -> None:
        count = self._count
        count["records"] += 1
        count["kept_records"] += bool(gated.samples)
        count["samples"] += len(gated.samples)
        if self._labels.wanted:
            left = ({name: r.labels for name, r in sample.rendered.items() if r.labels} for sample in gated.samples)
            self._labels.add(gated.record.batch, gated.record.index, left)
        count["copies"] += gated.copies
        self._count_unlike(gated.samples)
        count["failed_records"] += any(d.refusal.kind == "failed" for d in gated.dropped)
        for dropped in gated.dropped:
            self._reasons[dropped.refusal.kind][dropped.refusal.reason] += 1
        for label in gated.record.labels:
            counts = self._classes.setdefault(label, [0, 0])
            counts[0] += 1
            counts[1] += len(gated.samples)
        if self._balanced and gated.samples:
            for name in gated.record.classes:
                _add(self._balance.setdefault(name, [0, 0, 0]), (1, len(gated.samples), len(gated.samples) ** 2))

    def _count_unlike(self, samples: Sequence[Sample]) -> None:
        """Count originals that people would take for another kind of picture than the copies beside them."""
        for name, mode in self._as_is.items():
            for payload in (s.rendered[name].payload for s in samples if not s.variant.copy):
                if isinstance(payload, bytes) and (found := differences(payload, mode)):
                    merge(self._unlike, {name: dict.fromkeys(found, 1)})

    def _receipt(self, data: FileReceipt | None, dropped_files: tuple[FileReceipt, ...]) -> Receipt:
        return Receipt(
            split=self._shard.split,
            index=self._shard.index,
            records=self._count["records"],
            samples=self._count["samples"],
            kept_records=self._count["kept_records"],
            data=data,
            dropped_files=dropped_files,
            failed=dict(sorted(self._reasons["failed"].items())),
            rejected=dict(sorted(self._reasons["rejected"].items())),
            failed_records=self._count["failed_records"],
            classes={label: (n[0], n[1]) for label, n in sorted(self._classes.items())},
            copies=self._count["copies"],
            balance={name: (n[0], n[1], n[2]) for name, n in sorted(self._balance.items())},
            labels=dict(sorted(self._labels.totals.items())),
            unlike={name: dict(sorted(counts.items())) for name, counts in sorted(self._unlike.items())},
        )


def shuffled(samples: Sequence[Sample], seed: int) -> NDArray[np.int64]:
    """An order of samples that depends on the seed and their ids alone."""
    ids = (f"{s.record.key}/{s.variant.copy}".encode("utf-8", "surrogatepass") for s in samples)
    return np.argsort(unit_intervals(seed, ids, "order"), kind="stable")


def _groups(samples: Sequence[Sample], most_rows: int) -> Iterator[tuple[int, Sequence[Sample]]]:
    """Runs of samples, each a row group, with the place where it begins."""
    start, size = 0, 0
    for stop, sample in enumerate(samples, 1):
        size += _bytes_of(sample)
        if size >= ROW_GROUP_BYTES or stop - start == most_rows or stop == len(samples):
            yield start, samples[start:stop]
            start, size = stop, 0


def _bytes_of(sample: Sample) -> int:
    total = 0
    for rendered in sample.rendered.values():
        total += len(rendered.payload or b"")
    return total


def _add(total: list[int], more: Iterable[int]) -> None:
    total[:] = [a + b for a, b in zip(total, more, strict=True)]


def _paths(shard: Shard) -> set[str]:
    """Every file that a shard may have."""
    return {shard.path, dropped_path(shard, "failed"), dropped_path(shard, "rejected")}


def dropped_path(shard: Shard, kind: str) -> str:
    """`_failed/train-00000.parquet`."""
    return f"{_DROPPED[kind]}/{shard.name}.parquet"


def plain_columns(job: Job) -> frozenset[str]:
    """Fields whose bytes are compressed already: images, clips, sounds in FLAC, volumes in npz or nii.gz."""
    fields = job.config.fields.items()
    packed = {"audio": ("flac",), "volume": ("npz", "nii.gz")}
    kinds = {n: (f.type, f.encode.format) for n, f in fields if f.type != "text"}
    return frozenset(
        n for n, (kind, form) in kinds.items() if kind in ("image", "video") or form in packed.get(kind, ())
    )
