"""Survey -> shards: blocks cut into shards of one split and about `shard_size` bytes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.planning.blocks import BlockTable
from pipeline.planning.copies.counts import Counted
from pipeline.planning.job import Job
from pipeline.planning.shard_mixing import mixed_order, reach_of
from pipeline.planning.shards import ShardTable, Sizing, SplitShards, cut_shards
from pipeline.planning.survey import Survey
from pipeline.records import SPLITS, Shard, Split, Unit

LINEAGE_BYTES = 300


@dataclass(frozen=True, slots=True)
class Probe:
    """What a few training records, rendered beforehand, tell of the rest: mean bytes and seconds.

    `payload_in`: of a record as it came; `payload_original`: of its copy 0; `payload_copy`: of one augmented copy.
    """

    records: int = 0
    payload_in: float = 0.0
    payload_original: float = 0.0
    payload_copy: float = 0.0
    seconds_per_sample: float = 0.0


@dataclass(frozen=True, slots=True)
class SplitPlan:
    """Totals of one split."""

    records: int
    samples: int
    bytes: int
    shards: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Every shard that the version consists of, and totals for people to look at."""

    shards: Sequence[Shard]
    splits: dict[Split, SplitPlan]
    classes: dict[tuple[Split, str], int]
    records: int
    refused: int
    counted: Counted | None = None
    """The copies of each class, where not all records get the same."""
    notes: tuple[str, ...] = ()
    """What people should know of the splits."""

    @property
    def samples(self) -> int:
        """Samples of all splits, if nothing is dropped."""
        return sum(s.samples for s in self.splits.values())


def make_plan(job: Job, surveyed: Survey, probe: Probe, counted: Counted | None = None) -> Plan:
    """Deal the blocks of each split to shards, mixed or in input order."""
    table = surveyed.blocks
    parts: list[SplitShards] = []
    splits: dict[Split, SplitPlan] = {}
    train_bytes = float(job.config.output.shard_size)
    for split in SPLITS:
        records = surveyed.of_split(split)
        if not records:
            continue
        held = table.of_split(split)
        chosen = np.flatnonzero(held)
        originals, copies = _samples(job, split, held, counted)
        original, copied = (each[table.unit[chosen]] for each in _bytes_each(table.units, probe))
        weights = originals[chosen] * original + copies[chosen] * copied
        train_bytes = sum(weights.tolist()) if split == "train" else train_bytes
        parts.append(
            cut_shards(split, table, weights, _sizing(job, split, train_bytes), _order(job, split, table, weights))
        )
        splits[split] = SplitPlan(
            records, int(originals.sum() + copies.sum()), int(sum(weights.tolist())), len(parts[-1])
        )
    return Plan(ShardTable(tuple(parts)), splits, surveyed.classes, surveyed.records, surveyed.unlabeled, counted)


def _sizing(job: Job, split: Split, train_bytes: float) -> Sizing:
    """`shard_count` is of training shards; those of other splits are about as large."""
    output = job.config.output
    if output.shard_count is None:
        return Sizing(float(output.shard_size))
    return Sizing(train_bytes / output.shard_count, output.shard_count if split == "train" else None)


def _order(job: Job, split: Split, table: BlockTable, weights: NDArray[np.float64]) -> NDArray[np.int64] | None:
    if job.config.output.order == "input":
        return None
    units = table.unit[np.flatnonzero(table.of_split(split))]
    return mixed_order(reach_of(job.reader.seekable, table.units), units, weights, job.config.seed)


def estimated_seconds(plan: Plan, probe: Probe, workers: int) -> float:
    """Time for rendering, from the seconds that each probed sample took; reading and writing weigh little."""
    return plan.samples * probe.seconds_per_sample / workers


def _samples(
    job: Job, split: Split, held: NDArray[np.int32], counted: Counted | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of each block: samples that are originals, and those that are copies. Only training records are multiplied."""
    records = held.astype(np.int64)
    if split != "train":
        return records, np.zeros_like(records)
    if counted is None:
        return records * job.config.keep_original, records * job.copies.default
    return counted.staying * job.config.keep_original, counted.copies


def _bytes_each(units: Sequence[Unit], probe: Probe) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Estimated bytes of an original and of a copy, for each unit."""
    sizes = np.array([unit.bytes for unit in units], np.int64)
    read = sizes / np.maximum(1, np.array([unit.rows for unit in units], np.int64))
    other = np.maximum(0.0, read - probe.payload_in) if probe.records else np.zeros(len(units))
    scale = np.where(probe.payload_in > read, read / (probe.payload_in or 1.0), 1.0)
    original = probe.payload_original * scale if probe.records else read
    copied = probe.payload_copy * scale if probe.records else read
    return LINEAGE_BYTES + other + original, LINEAGE_BYTES + other + copied
