"""Survey -> shards: blocks cut into shards of one split and about `shard_size` bytes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.copy_counts import Counted
from pipeline.cutting import ShardTable, SplitShards, cut_shards
from pipeline.job import Job
from pipeline.records import SPLITS, Shard, Split, Unit
from pipeline.survey import Survey

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
    """Cut the blocks of each split into shards, in input order."""
    table = surveyed.blocks
    parts: list[SplitShards] = []
    splits: dict[Split, SplitPlan] = {}
    for split in SPLITS:
        records = surveyed.of_split(split)
        if not records:
            continue
        held = table.of_split(split)
        chosen = np.flatnonzero(held)
        originals, copies = _samples(job, split, held, counted)
        original, copied = (each[table.unit[chosen]] for each in _bytes_each(table.units, probe))
        weights = originals[chosen] * original + copies[chosen] * copied
        parts.append(cut_shards(split, table, weights, int(job.config.output.shard_size)))
        splits[split] = SplitPlan(
            records, int(originals.sum() + copies.sum()), int(sum(weights.tolist())), len(parts[-1])
        )
    return Plan(ShardTable(tuple(parts)), splits, surveyed.classes, surveyed.records, surveyed.unlabeled, counted)


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
