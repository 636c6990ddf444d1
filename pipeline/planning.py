"""Survey -> shards: blocks cut into shards of one split and about `shard_size` bytes. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.cutting import ShardTable, SplitShards, cut_shards
from pipeline.fan_out import copies_of
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

    @property
    def samples(self) -> int:
        """Samples of all splits, if nothing is dropped."""
        return sum(s.samples for s in self.splits.values())


def make_plan(job: Job, surveyed: Survey, probe: Probe) -> Plan:
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
        weights = held[chosen] * _bytes_each(job, table.units, split, probe)[table.unit[chosen]]
        parts.append(cut_shards(split, table, weights, int(job.config.output.shard_size)))
        samples = records * len(copies_of(job.config, split))
        splits[split] = SplitPlan(records, samples, int(sum(weights.tolist())), len(parts[-1]))
    return Plan(ShardTable(tuple(parts)), splits, surveyed.classes, surveyed.records, surveyed.unlabeled)


def estimated_seconds(plan: Plan, probe: Probe, workers: int) -> float:
    """Time for rendering, from the seconds that each probed sample took; reading and writing weigh little."""
    return plan.samples * probe.seconds_per_sample / workers


def _bytes_each(job: Job, units: Sequence[Unit], split: Split, probe: Probe) -> NDArray[np.float64]:
    """Estimated bytes that a record of the split becomes, for each unit."""
    sizes = np.array([unit.bytes for unit in units], np.int64)
    read = sizes / np.maximum(1, np.array([unit.rows for unit in units], np.int64))
    other = np.maximum(0.0, read - probe.payload_in) if probe.records else np.zeros(len(units))
    scale = np.where(probe.payload_in > read, read / (probe.payload_in or 1.0), 1.0)
    original = probe.payload_original * scale if probe.records else read
    copied = probe.payload_copy * scale if probe.records else read
    total = np.zeros(len(units))
    for copy in copies_of(job.config, split):
        total = total + (LINEAGE_BYTES + other + (original if copy == 0 else copied))
    return total
