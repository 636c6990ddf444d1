"""Survey -> shards: blocks cut into shards of one split and about `shard_size` bytes. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.fan_out import copies_of
from pipeline.job import Job
from pipeline.records import SPLITS, Block, Shard, Split
from pipeline.survey import BlockTally, Survey

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

    shards: tuple[Shard, ...]
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
    shards: list[Shard] = []
    splits: dict[Split, SplitPlan] = {}
    for split in SPLITS:
        weighed = [(t.block, _bytes(job, t, split, probe)) for t in surveyed.blocks if t.records.get(split)]
        cut = list(cut_shards(split, weighed, int(job.config.output.shard_size)))
        shards += cut
        records = surveyed.of_split(split)
        if records:
            samples = records * len(copies_of(job.config, split))
            splits[split] = SplitPlan(records, samples, int(sum(b for _, b in weighed)), len(cut))
    return Plan(tuple(shards), splits, surveyed.classes, surveyed.records, surveyed.unlabeled)


def estimated_seconds(plan: Plan, probe: Probe, workers: int) -> float:
    """Time for rendering, from the seconds that each probed sample took; reading and writing weigh little."""
    return plan.samples * probe.seconds_per_sample / workers


def cut_shards(split: Split, blocks: Iterable[tuple[Block, float]], size: int) -> Iterator[Shard]:
    """Consecutive blocks go together until the next one would make the shard larger than `size` bytes.

    Of the last two shards' worth quarters are made: a worker that is done early finds something left to do.
    """
    weighed = list(blocks)
    left = sum(heavy for _, heavy in weighed)
    pending: list[Block] = []
    weight, index, room = 0.0, 0, _room(left, size)
    for block, heavy in weighed:
        if pending and weight + heavy > room:
            yield Shard(split, index, merged(pending))
            pending, weight, index, room = [], 0.0, index + 1, _room(left, size)
        pending.append(block)
        weight += heavy
        left -= heavy
    if pending:
        yield Shard(split, index, merged(pending))


def _room(left: float, size: int) -> float:
    """Bytes for the next shard where `left` bytes are to come."""
    return size if left > 2 * size else size / 4


def merged(blocks: list[Block]) -> tuple[Block, ...]:
    """Neighbouring blocks of one unit as one block, so that a shard reads each stretch once."""
    out: list[Block] = []
    for block in blocks:
        if out and out[-1].unit is block.unit and out[-1].stop == block.start:
            out[-1] = Block(block.unit, out[-1].start, block.stop)
        else:
            out.append(block)
    return tuple(out)


def _bytes(job: Job, tally: BlockTally, split: Split, probe: Probe) -> float:
    """Estimated bytes that a block's records of one split become."""
    unit = tally.block.unit
    read = unit.bytes / max(1, unit.rows)
    other = max(0.0, read - probe.payload_in) if probe.records else 0.0
    scale = read / probe.payload_in if probe.payload_in > read else 1.0
    original = probe.payload_original * scale if probe.records else read
    copied = probe.payload_copy * scale if probe.records else read
    total = sum(LINEAGE_BYTES + other + (original if c == 0 else copied) for c in copies_of(job.config, split))
    return tally.records[split] * total
