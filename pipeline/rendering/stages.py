"""The one list of stages. A cluster runs each as a step of its own; one machine composes them, a shard per task."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from pipeline.dataset.shard_writer import write_shard
from pipeline.planning.job import Job, Task
from pipeline.records import Family, Gated, Receipt, Watch
from pipeline.rendering.augment import augment
from pipeline.rendering.fan_out import fan_out
from pipeline.rendering.field_processor import recipe_digest, tools_of
from pipeline.rendering.gate import gate
from pipeline.rendering.read import rows_of_task
from pipeline.rendering.reuse.earlier_rows import taken
from pipeline.sources.payloads import watched


@dataclass(frozen=True, slots=True)
class ShardWork:
    """A task on its way through the stages; `flow` is lazy: nothing runs before the last stage pulls.

    It pickles as what it is, a description: the names of the stages applied so far. So an engine may weigh it, or move
    it to another worker, and no payload goes along.
    """

    job: Job
    task: Task
    flow: Iterator[Any] = field(default_factory=lambda: iter(()))
    applied: tuple[str, ...] = ()

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return begun, (self.job, self.task, self.applied)


Stage = Callable[[ShardWork], ShardWork]


def read(work: ShardWork, watch: Watch = iter) -> ShardWork:
    """The shard's records of its split."""
    return replace(work, flow=watched(work.job, rows_of_task(work.job, work.task), watch))


def multiply(work: ShardWork) -> ShardWork:
    """Each record with its variants, rendered where an earlier version has them."""
    return replace(work, flow=taken(work.job, fan_out(work.job, work.task.shard.split, work.flow)))


def _augment(work: ShardWork, modality: str) -> ShardWork:
    """Fields of one modality rendered."""
    if all(field.type != modality for field in work.job.config.fields.values()):
        return work
    return replace(work, flow=_rendered(work, modality))


def _rendered(work: ShardWork, modality: str) -> Iterator[Family]:
    """Lazy, libraries included: a Beam worker only passes the description on, and its children load them."""
    tools = tuple(t for t in tools_of(work.job.config) if t.modality == modality)
    yield from augment(tools, work.job.config.seed, work.flow, work.job) if tools else work.flow


def sort_out(work: ShardWork) -> ShardWork:
    """Samples that are kept; copies and records that are not, with reasons."""
    return replace(work, flow=gate(work.flow))


def write(work: ShardWork) -> ShardWork:
    """The shard's files published; its receipt is all that flows on."""
    receipt = write_shard(work.job, work.task, recipe_digest(work.job.config), work.flow)
    return replace(work, flow=iter((receipt,)))


_MODALITIES = {
    "AugmentImages": "image",
    "AugmentAudio": "audio",
    "AugmentText": "text",
    "AugmentVideo": "video",
    "AugmentVolumes": "volume",
}
STAGES: tuple[tuple[str, Stage], ...] = (
    ("Read", read),
    ("FanOut", multiply),
    *((name, partial(_augment, modality=modality)) for name, modality in _MODALITIES.items()),
    ("Gate", sort_out),
    ("Write", write),
)


def apply(name: str, work: ShardWork) -> ShardWork:
    """The stage of that name, and a note that it was applied."""
    return replace(dict(STAGES)[name](work), applied=(*work.applied, name))


def begun(job: Job, task: Task, applied: tuple[str, ...] = ()) -> ShardWork:
    """A task at the start of its way, or after some stages."""
    work = ShardWork(job, task)
    for name in applied:
        work = apply(name, work)
    return work


def render(job: Job, task: Task, watch: Watch = iter) -> Receipt:
    """All stages for one shard."""
    work = write(_upto_gate(job, task, watch))
    receipt: Receipt = next(work.flow)
    return receipt


def families(job: Job, task: Task, watch: Watch = iter) -> Iterator[Gated]:
    """All stages but the last: nothing is written."""
    flow: Iterator[Gated] = _upto_gate(job, task, watch).flow
    return flow


def _upto_gate(job: Job, task: Task, watch: Watch) -> ShardWork:
    work = replace(read(ShardWork(job, task), watch), applied=(STAGES[0][0],))
    for name, _ in STAGES[1:-1]:
        work = apply(name, work)
    return work
