"""The stages as Beam steps: each DoFn calls the function of `rendering` of the same name, and nothing else."""

from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from typing import Any

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline.audit.leak_counts import Findings
from pipeline.dataset.totals import Tally
from pipeline.engines.beam import worker_pools
from pipeline.engines.local import pool as workers
from pipeline.engines.work_files import assigned_tasks, assigned_whole, end_detached, ended, with_candidates
from pipeline.engines.worker_environment import Surroundings, look_around, telling
from pipeline.planning.job import Job, Task
from pipeline.planning.shard_mixing import in_stretches
from pipeline.records import Receipt
from pipeline.rendering.stages import STAGES, ShardWork, apply, begun


class Looking(beam.DoFn):  # type: ignore[misc]
    """A step that looks around before the first thing that it does on a worker elsewhere."""

    def __init__(self, job: Job, around: Surroundings) -> None:
        self.job, self.around, self.looked = job, around, False

    def look(self) -> None:
        """Once. Raises RunFailed."""
        if not self.looked:
            look_around(self.job, self.around)
            self.looked = True


class InChildren(Looking):
    """A step whose work is done in children of the worker's process, `processes` of them at most."""

    def __init__(self, job: Job, around: Surroundings, processes: int | None = None) -> None:
        super().__init__(job, around)
        self.processes = processes

    def setup(self) -> None:
        """Children are shared by all bundles of the process."""
        worker_pools.enter(self.job, self.processes)

    def teardown(self) -> None:
        """The last one ends them."""
        worker_pools.leave(self.job)


class Take(Looking):
    """Number of a file -> its Tasks, read where they are needed: the graph does not grow with them."""

    def __init__(self, job: Job, around: Surroundings, local: bool) -> None:
        super().__init__(job, around)
        self.looked = local

    def process(self, element: int) -> Iterator[Task]:
        """The first that a worker reads of the output."""
        with telling(self.job, self.around.submission):
            self.look()
            yield from assigned_tasks(self.job.dataset, self.around.submission, element)


class Begin(beam.DoFn):  # type: ignore[misc]
    """Task -> ShardWork: the job joins the task on the worker."""

    def __init__(self, job: Job, submission: str) -> None:
        self.job, self.submission = job, submission

    def setup(self) -> None:
        """What grows with the number of classes stands beside the tasks."""
        self.job = with_candidates(self.job, self.submission)

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


class Write(InChildren):
    """ShardWork -> Receipt: the last stage. It pulls the payload through all of them, in a child of this process."""

    def process(self, element: ShardWork) -> Iterator[Receipt]:
        """The receipt is all that leaves the worker."""
        with telling(self.job, self.around.submission):
            self.look()
            yield worker_pools.render(element.job, element.task)


class Render(beam.PTransform):  # type: ignore[misc]
    """Task -> Receipt, every stage a step of its own name; the runner fuses them, so payload stays in the worker."""

    def __init__(self, job: Job, around: Surroundings, processes: int | None = None) -> None:
        super().__init__()
        self.job, self.around, self.processes = job, around, processes

    def expand(self, tasks: Any) -> Any:
        """One pipe per stage of the one list."""
        names = [name for name, _ in STAGES]
        work = tasks | "Begin" >> beam.ParDo(Begin(self.job, self.around.submission))  # ShardWork
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
        pool, ordered = workers.current(), sorted(self.tasks, key=lambda t: (t.shard.split, t.shard.index))
        train = [task for task in ordered if task.shard.split == "train"]
        others = [task for task in ordered if task.shard.split != "train"]
        for receipt in pool.run("render", [*in_stretches(train, pool.size), *others]):
            yield WindowedValue(receipt, MAX_TIMESTAMP, (GlobalWindow(),))


class Sums(beam.CombineFn):  # type: ignore[misc]
    """Elements -> one sum of them, wherever they are made: no worker holds all of them.

    `empty`: a class whose instances merge, and are made without arguments; `add` takes an element into one of them.
    """

    def __init__(self, empty: type[Any], add: Callable[[Any, Any], Any]) -> None:
        self.empty, self.add = empty, add

    def create_accumulator(self) -> Any:
        """Nothing yet."""
        return self.empty()

    def add_input(self, accumulator: Any, element: Any) -> Any:
        """One more."""
        return self.add(accumulator, element)

    def merge_accumulators(self, accumulators: Iterable[Any]) -> Any:
        """Those of several workers."""
        return reduce(self.empty.merge, accumulators, self.empty())

    def extract_output(self, accumulator: Any) -> Any:
        """All of them."""
        return accumulator


class Complete(beam.DoFn):  # type: ignore[misc]
    """The Tally of this run -> that of all shards, read back where earlier runs wrote them."""

    def __init__(self, job: Job, around: Surroundings) -> None:
        self.job, self.around = job, around

    def process(self, element: Tally) -> Iterator[Tally]:
        """The one element sums up every receipt of this run."""
        with telling(self.job, self.around.submission):
            yield assigned_whole(self.job, self.around.submission, element)


class Commit(beam.DoFn):  # type: ignore[misc]
    """The Tally -> the outcome: committed, or why not. Raises for limits only where nobody waits to be told."""

    def __init__(self, job: Job, around: Surroundings, detached: bool = False) -> None:
        self.job, self.around, self.detached = job, around, detached

    def process(self, element: Tally, found: Findings) -> Iterator[str]:
        """The one element sums up every receipt; `found` is what the audit of their shards found."""
        with telling(self.job, self.around.submission):
            name = self.around.submission
            end = end_detached if self.detached else ended
            yield end(self.job, name, element, found)
