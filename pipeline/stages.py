"""The stages as Beam steps: each DoFn calls the function of `rendering` of the same name, and nothing else."""

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline import children, workers
from pipeline.commit import Expected, commit_detached, commit_outcome
from pipeline.job import Job, ShardWork, Task
from pipeline.records import Receipt
from pipeline.rendering import STAGES, apply, begun
from pipeline.surroundings import Surroundings, look_around, telling


class Begin(beam.DoFn):  # type: ignore[misc]
    """Task -> ShardWork: the job joins the task on the worker."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def process(self, element: Task) -> Iterator[ShardWork]:
        """Nothing is read yet."""
        yield begun(self.job, element)


class Apply(beam.DoFn):  # type: ignore[misc]
    """ShardWork -> ShardWork: one stage."""

    def __init__(self, name: str) -> None:
        self.name = name

    def process(self, element: ShardWork) -> Iterator[ShardWork]:
        """Lazy: the last stage pulls the payload through, inside one worker."""
        yield apply(self.name, element)


class Write(beam.DoFn):  # type: ignore[misc]
    """ShardWork -> Receipt: the last stage. It pulls the payload through all of them, in a child of this process."""

    def __init__(self, job: Job, around: Surroundings, processes: int | None) -> None:
        self.job, self.around, self.processes = job, around, processes

    def setup(self) -> None:
        """Children are shared by all bundles of the process."""
        children.enter(self.job, self.processes)
        self.looked = False

    def teardown(self) -> None:
        """The last one ends them."""
        children.leave(self.job)

    def process(self, element: ShardWork) -> Iterator[Receipt]:
        """The receipt is all that leaves the worker."""
        with telling(self.job, self.around.submission):
            if not self.looked:
                look_around(self.job, self.around)
                self.looked = True
            yield children.render(element.job, element.task)


class Render(beam.PTransform):  # type: ignore[misc]
    """Task -> Receipt, every stage a step of its own name; the runner fuses them, so payload stays in the worker."""

    def __init__(self, job: Job, around: Surroundings, processes: int | None = None) -> None:
        super().__init__()
        self.job, self.around, self.processes = job, around, processes

    def expand(self, tasks: Any) -> Any:
        """One pipe per stage of the one list."""
        names = [name for name, _ in STAGES]
        work = tasks | "Begin" >> beam.ParDo(Begin(self.job))  # ShardWork
        for name in names[:-1]:
            work = work | name >> beam.ParDo(Apply(name))  # ShardWork
        return work | names[-1] >> beam.ParDo(Write(self.job, self.around, self.processes))  # Receipt


class RenderInPool(beam.DoFn):  # type: ignore[misc]
    """Task -> Receipt through the pool of local processes, which composes the same stages; a shard per task."""

    def start_bundle(self) -> None:
        """Collect the bundle's tasks: specs, no payload."""
        self.tasks: list[Task] = []

    def process(self, element: Task) -> Iterable[Receipt]:
        """Only take the task."""
        self.tasks.append(element)
        return ()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Render all of them, whichever process is free."""
        ordered = sorted(self.tasks, key=lambda t: (t.shard.split != "train", t.shard.split, t.shard.index))
        for receipt in workers.current().run("render", ordered):
            yield WindowedValue(receipt, MAX_TIMESTAMP, (GlobalWindow(),))


class Commit(beam.DoFn):  # type: ignore[misc]
    """All receipts -> the outcome: committed, or why not. Raises for limits only where nobody waits to be told."""

    def __init__(self, job: Job, expected: Expected, around: Surroundings, detached: bool = False) -> None:
        self.job, self.expected, self.around, self.detached = job, expected, around, detached

    def process(self, element: list[Receipt]) -> Iterator[str]:
        """The one element holds every receipt of this run."""
        with telling(self.job, self.around.submission):
            committed = commit_detached if self.detached else commit_outcome
            yield committed(self.job, self.expected, element)
