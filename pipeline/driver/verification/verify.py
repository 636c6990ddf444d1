"""Check a committed dataset against its manifest, its own promises, and its sources. Every damage is reported."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b, sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.dataset.ancestry import foreign_parents, parent_problems
from pipeline.dataset.commit import receipted
from pipeline.dataset.completeness import described_files
from pipeline.dataset.reader import Dataset
from pipeline.dataset.receipts import read_receipt
from pipeline.dataset.rows import digest
from pipeline.dataset.totals import Tally, machine_warnings
from pipeline.driver.replay import environment_differences, replay, row_of
from pipeline.driver.verification.documents import rewritten
from pipeline.driver.verification.passing_columns import Passing
from pipeline.driver.verification.sample_sources import Replayed, config_of, input_root
from pipeline.driver.verification.unknown_files import leftovers, strangers
from pipeline.errors import FanbeamError, RunFailed
from pipeline.planning.fingerprint import fingerprint_of
from pipeline.planning.keys import digests
from pipeline.records import LABEL_WEIGHTS, LINEAGE, SAMPLE_ID, Receipt
from pipeline.sources.key_columns import texts
from pipeline.sources.payloads import payloads_of
from pipeline.sources.range_reads import in_order
from pipeline.storage.layout import MANIFEST, receipt_path

_READ_ROWS = 256


@dataclass(slots=True)
class Report:
    """What was checked and every difference found, each with its place."""

    files: int = 0
    rows: int = 0
    rendered: int = 0
    differences: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


@dataclass(slots=True)
class _Seen:
    """What must be compared across files: digests of ids, sources and groups, with the split they were seen in."""

    wanted: int
    samples: list[NDArray[np.uint64]] = field(default_factory=list)
    sources: list[tuple[str, NDArray[np.uint64]]] = field(default_factory=list)
    groups: list[tuple[str, NDArray[np.uint64]]] = field(default_factory=list)
    parents: set[str] = field(default_factory=set)
    """Keys of records that were blended into others: no more than the donor shelf has."""
    candidates: list[tuple[bytes, dict[str, Any]]] = field(default_factory=list)
    passing: Passing | None = None
    """What is compared with the sources; None if nothing is read from them."""
    counts: dict[str, Counter[str]] = field(default_factory=dict)


def verify(dataset: Dataset, samples: int, input_path: str | None = None) -> Report:
    """Check manifest, checksums, ids, counts, splits, and render `samples` samples again from their sources."""
    report, seen = Report(), _Seen(samples)
    if samples:
        seen.passing = Passing(config_of(dataset))
    for shard in dataset.manifest["shards"]:
        data = _whole_file(dataset, shard, report)
        if data is not None:
            report.rows += _check_rows(dataset, shard, data, report, seen)
    for file in (*dataset.manifest["dropped_shards"], *described_files(dataset.manifest)):
        _whole_file(dataset, file, report)
    report.differences += [*_edited(dataset), *rewritten(dataset), *strangers(dataset)]
    report.notes += [*leftovers(dataset), *machine_warnings(dataset.manifest)]
    admitted = dataset.manifest.get("leaks", {}).get("leaking", {})
    for kind, crossing in _crossing(seen):
        (report.notes if admitted.get(kind) else report.differences).append(crossing)
    report.differences += [*_doubled(seen), *_miscounted(dataset, seen), *_outside(dataset, seen)]
    _render_again(dataset, input_path, report, seen)
    return report


def _whole_file(dataset: Dataset, shard: dict[str, Any], report: Report) -> bytes | None:
    """The content of one file if its size and checksum are right."""
    report.files += 1
    path = shard["path"]
    try:
        data = dataset.folder.read(path)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        report.differences.append(f"{path}: {'is missing' if missing else f'cannot be read: {error.strerror}'}")
        return None
    if len(data) != shard["bytes"]:
        report.differences.append(f"{path}: has {len(data)} bytes, the manifest says {shard['bytes']}")
    elif sha256(data).hexdigest() != shard["sha256"]:
        report.differences.append(f"{path}: its content has changed: sha256 differs from the manifest")
    else:
        return data
    return None


def _check_rows(dataset: Dataset, shard: dict[str, Any], data: bytes, report: Report, seen: _Seen) -> int:
    rows = 0
    for batch in pq.ParquetFile(pa.BufferReader(data)).iter_batches(_READ_ROWS):
        rows += batch.num_rows
        _check_batch(dataset, shard, batch, report)
        _remember(dataset, shard["split"], batch, seen)
        if seen.passing is not None:
            seen.passing.see(shard["path"], batch)
    if rows != shard["rows"]:
        report.differences.append(f"{shard['path']}: has {rows} rows, the manifest says {shard['rows']}")
    return rows


def _check_batch(dataset: Dataset, shard: dict[str, Any], batch: pa.RecordBatch, report: Report) -> None:
    """Each row against its own lineage."""
    payloads = [payloads_of(batch.column(name)) for name in dataset.manifest["field_order"]]
    ids = batch.column(SAMPLE_ID).to_pylist()
    weights = batch.column(LABEL_WEIGHTS).to_pylist() if LABEL_WEIGHTS in batch.schema.names else [None] * len(ids)
    for number, (sample_id, lineage) in enumerate(zip(ids, batch.column(LINEAGE).to_pylist(), strict=True)):
        of_row = _row_problems(shard["split"], sample_id, lineage, [column[number] for column in payloads])
        for problem in (*of_row, *parent_problems(lineage, weights[number])):
            report.differences.append(f"{shard['path']}: sample {sample_id!r} {problem}")


def _row_problems(split: str, sample_id: str, lineage: dict[str, Any], payloads: list[Any]) -> Iterator[str]:
    if sample_id != f"{lineage['source_id']}/{lineage['copy']}":
        yield f"has the lineage of {lineage['source_id']}/{lineage['copy']}"
    if lineage["split"] != split:
        yield f"lies in {split}, its lineage says {lineage['split']}"
    if lineage["copy"] and split != "train":
        yield f"is a copy in {split}; only training records are multiplied"
    if digest(payloads) != lineage["sha256"]:
        yield "does not have the sha256 of its lineage"


def _remember(dataset: Dataset, split: str, batch: pa.RecordBatch, seen: _Seen) -> None:
    lineage = batch.column(LINEAGE)
    ids = batch.column(SAMPLE_ID).to_pylist()
    seen.samples.append(_hashes(ids))
    own = lineage.field("source_id").to_pylist()
    seen.sources.append((split, _hashes(own)))
    for key, parents in zip(own, lineage.field("parents").to_pylist(), strict=True):
        seen.parents.update(p["source_id"] for p in parents or () if p["source_id"] != key)
    for column in dataset.config("-", dataset.path).group_columns:
        known = [f"{column}\0{group}" for group in texts(batch.column(column)) if group is not None]
        seen.groups.append((split, _hashes(known)))
    seen.counts.setdefault(split, Counter())["samples"] += len(ids)
    config = dataset.config("-", dataset.path)
    ranked = [(blake2b(i.encode(), digest_size=8).digest(), n) for n, i in enumerate(ids)]
    for rank, number in sorted(ranked)[: seen.wanted]:
        if len(seen.candidates) < seen.wanted or rank < seen.candidates[-1][0]:
            seen.candidates.append((rank, row_of(batch, number, config)))
    seen.candidates = sorted(seen.candidates, key=lambda c: c[0])[: seen.wanted]


def _hashes(values: list[str]) -> NDArray[np.uint64]:
    return digests(value.encode("utf-8", "surrogatepass") for value in values)


def _edited(dataset: Dataset) -> Iterator[str]:
    """Whether the manifest is what was committed: its version follows from its words, its counts from receipts."""
    manifest = dataset.manifest
    version = fingerprint_of(manifest)
    if version != dataset.version:
        yield f"{MANIFEST}: names version {dataset.version}, but its config, input and libraries make {version}"
    tally = Tally()
    for name, receipt in in_order(lambda n: (n, _receipt(dataset, n)), sorted(receipted(dataset.folder))):
        if receipt is None:
            yield f"{receipt_path(name)}: is damaged"
        else:
            tally.add(receipt)
    made = tally.as_json()
    for part in ("shards", "dropped_shards"):
        proven = {s["path"] for s in made[part]}
        yield from (f"{s['path']}: has no receipt" for s in manifest[part] if s["path"] not in proven)
    yield from (
        f"{MANIFEST}: {part} are not what the receipts say" for part in made if manifest.get(part) != made[part]
    )
    if manifest["input"]["records"] != tally.records:
        yield f"{MANIFEST}: has {manifest['input']['records']} input records, the receipts say {tally.records}"


def _receipt(dataset: Dataset, name: str) -> Receipt | None:
    try:
        return read_receipt(dataset.folder, name)
    except (OSError, RunFailed):
        return None


def _doubled(seen: _Seen) -> list[str]:
    everything = np.concatenate(seen.samples) if seen.samples else np.empty(0, np.uint64)
    count = len(everything) - len(np.unique(everything))
    return [f"{count} sample ids occur more than once"] if count else []


def _crossing(seen: _Seen) -> list[tuple[str, str]]:
    """Records or groups that are in two splits, each with the word of the certificate that would admit it."""
    found = []
    for kind, parts in (("source", seen.sources), ("group", seen.groups)):
        what = {"source": "records", "group": "groups"}[kind]
        splits = {s: np.unique(_joined(parts, s)) for s in {n for n, _ in parts}}
        named = sorted(splits)
        for number, one in enumerate(named):
            for other in named[number + 1 :]:
                shared = len(np.intersect1d(splits[one], splits[other]))
                if shared:
                    found.append((kind, f"{shared} {what} are in both {one} and {other}"))
    return found


def _outside(dataset: Dataset, seen: _Seen) -> Iterator[str]:
    """Parents that are no training records."""
    if seen.parents:
        named = sorted(seen.parents)
        hashes = _hashes(named)
        held = {s: _joined(seen.sources, s) for s in ("validation", "test")}
        crossing = {
            s: {n for n, there in zip(named, np.isin(hashes, h), strict=True) if there} for s, h in held.items()
        }
        yield from foreign_parents(dataset.folder, seen.parents, crossing)


def _joined(parts: list[tuple[str, NDArray[np.uint64]]], split: str) -> NDArray[np.uint64]:
    return np.concatenate([np.empty(0, np.uint64), *(hashes for name, hashes in parts if name == split)])


def _miscounted(dataset: Dataset, seen: _Seen) -> list[str]:
    found = []
    for split, totals in dataset.manifest["splits"].items():
        counted = seen.counts.get(split, Counter())["samples"]
        if counted != totals["samples"]:
            found.append(f"{split}: {counted} samples could be read, the manifest says {totals['samples']}")
    return found


def _render_again(dataset: Dataset, input_path: str | None, report: Report, seen: _Seen) -> None:
    """Some samples, chosen by the hash of their ids, from their sources."""
    if not seen.candidates:
        return
    try:
        replayed = replay(dataset, [row for _, row in seen.candidates], input_path)
        if seen.passing is not None:
            report.differences += seen.passing.differences(dataset.folder, input_root(dataset, input_path))
    except FanbeamError as error:
        report.differences.append(f"no sample could be rendered again: {error.message}")
        return
    report.rendered = len(replayed)
    report.differences += _told(replayed)
    changed = environment_differences(dataset)
    if changed:
        report.notes.append(changed)


def _told(replayed: Sequence[Replayed]) -> Iterator[str]:
    """Each difference once, with the samples that have it: all those of a source that is gone have the same."""
    samples: dict[str, list[str]] = {}
    for one in replayed:
        if one.difference:
            samples.setdefault(one.difference, []).append(repr(one.sample_id))
    for difference, ids in samples.items():
        more = "" if len(ids) == 1 else f" and {len(ids) - 1} more"
        yield f"sample {ids[0]}{more}: {difference}"
