"""Render a few training records beforehand, so that shards come out at the size that was asked for."""

from dataclasses import asdict, replace

import numpy as np
import orjson

from pipeline.config.schema import JobConfig
from pipeline.errors import Damaged
from pipeline.planning.job import Job, Task
from pipeline.planning.plan import Probe
from pipeline.planning.survey import Survey
from pipeline.records import Gated, Payload, Shard
from pipeline.storage.folder import Folder
from pipeline.storage.layout import PLAN

PROBED_RECORDS = 6
PROBED_COPIES = 2


def probe_config(config: JobConfig) -> JobConfig:
    """The config with few copies: enough to weigh a copy against its original."""
    return config.model_copy(update={"copies": min(PROBED_COPIES, config.most_copies), "keep_original": True})


def probe_tasks(surveyed: Survey) -> tuple[Task, ...]:
    """One task for each of a few blocks: the block's first training record.

    Units are read forwards, so the blocks that stand first in their units are chosen, spread over the input; where
    there are too few of them also those that follow.
    """
    training = np.flatnonzero(surveyed.blocks.of_split("train"))
    units = surveyed.blocks.unit[training]
    ranks = np.arange(len(training)) - np.searchsorted(units, units)
    first = training[ranks == 0]
    if len(first) > PROBED_RECORDS:
        places = first[:: len(first) // PROBED_RECORDS][:PROBED_RECORDS]
    else:
        places = np.sort(training[np.argsort(ranks, kind="stable")[:PROBED_RECORDS]])
    blocks = [surveyed.blocks.block(place) for place in places.tolist()]
    return tuple(Task(Shard("train", n, (block,)), only=0) for n, block in enumerate(blocks))


def probe_job(job: Job) -> Job:
    """The job as it is probed."""
    return replace(job, config=probe_config(job.config), counted=None)


def weigh(gated: Gated, seconds: float) -> Probe:
    """What one probed record weighs; nothing if it was dropped."""
    originals = [s for s in gated.samples if s.variant.copy == 0]
    copies = [s for s in gated.samples if s.variant.copy]
    if not originals:
        return Probe()
    record_bytes = sum(_size(p) for p in gated.record.payloads.values())
    original = sum(_size(r.payload) for r in originals[0].rendered.values())
    copied = sum(_size(r.payload) for s in copies for r in s.rendered.values()) / len(copies) if copies else original
    return Probe(1, record_bytes, original, copied, seconds / len(gated.samples))


def remembered(dataset: Folder) -> Probe | None:
    """The probe that this version was planned with by an earlier run or by one beside us; None if there is none."""
    try:
        data = dataset.read(PLAN)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return Probe(**orjson.loads(data)["probe"])
    except (ValueError, TypeError, LookupError) as error:  # shards that are there were cut by it: no other will do
        raise Damaged(
            f"{dataset.full(PLAN)} is damaged. Remove the folder {dataset.url} and run the same command again: "
            "it is made anew, with the same bytes."
        ) from error


def remember(dataset: Folder, probe: Probe) -> Probe:
    """Keep the probe beside the shards, so that every run of this version cuts the same ones. Returns the one kept."""
    sizes = {k: v for k, v in asdict(probe).items() if k != "seconds_per_sample"}
    data = orjson.dumps({"probe": sizes}, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
    if dataset.put_if_absent(PLAN, data):
        return probe
    return remembered(dataset) or probe


def combine(probes: list[Probe]) -> Probe:
    """Means over the records that could be rendered."""
    seen = [p for p in probes if p.records]
    if not seen:
        return Probe()
    count = len(seen)
    return Probe(
        count,
        sum(p.payload_in for p in seen) / count,
        sum(p.payload_original for p in seen) / count,
        sum(p.payload_copy for p in seen) / count,
        sum(p.seconds_per_sample for p in seen) / count,
    )


def _size(payload: Payload | None) -> int:
    if payload is None:
        return 0
    return len(payload.encode("utf-8", "surrogatepass")) if isinstance(payload, str) else len(payload)
