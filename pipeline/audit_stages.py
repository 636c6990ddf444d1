"""The audit of what is written as Beam steps: each calls the function of `audit` that its comment names.

Digests of rows are dealt into parts and matched part by part, so no worker holds those of all rows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsIter, TaggedOutput
from apache_beam.transforms.window import GlobalWindow
from apache_beam.utils.timestamp import MAX_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from pipeline import children, workers
from pipeline.audit.counting import Findings, counted
from pipeline.audit.marks import TRAIN, Marks, Portion
from pipeline.audit.matching import Found, Sieve, by_part, shared, sieve_of
from pipeline.certificate import looked_at
from pipeline.commit import to_audit
from pipeline.job import Job
from pipeline.stages import Looking
from pipeline.surroundings import Surroundings, telling
from pipeline.tally import Tally

HELD, READ, SUMS = "held", "read", "sums"


class Audit(beam.PTransform):  # type: ignore[misc]
    """Tally of all shards -> Findings, one element even if there is nothing to look at."""

    def __init__(self, job: Job, around: Surroundings, local: bool) -> None:
        super().__init__()
        self.job, self.around, self.local = job, around, local

    def expand(self, tally: Any) -> Any:
        """The held-out side first: what it cannot share is left out of the training side."""
        files = tally | "Written" >> beam.ParDo(Written(self.job)).with_outputs(HELD, TRAIN)  # Portion
        held = files[HELD] | "SpreadHeldOut" >> beam.Reshuffle() | "MarkHeldOut" >> self._mark()  # (int, Marks)
        sieves = held[None] | "ByPart" >> beam.GroupByKey() | "Sieve" >> beam.MapTuple(sieve_of)  # Sieve
        train = (
            files[TRAIN] | "SpreadTrain" >> beam.Reshuffle() | "MarkTrain" >> self._mark(AsIter(sieves))
        )  # (int, Marks)
        found = (
            {HELD: held[None], TRAIN: train[None]}
            | "Sides" >> beam.CoGroupByKey()  # (int, {side: Marks})
            | "Match" >> beam.ParDo(Match(self.job)).with_outputs(SUMS)  # (int, rows of a file)
        )
        rows = found[None] | "ByFile" >> beam.GroupByKey() | "Count" >> beam.MapTuple(count)  # Findings
        sums = (rows, found[SUMS], held[READ], train[READ]) | "Together" >> beam.Flatten()  # Findings
        return sums | "AddUp" >> beam.CombineGlobally(AddUp())  # Findings

    def _mark(self, *sieves: Any) -> Any:
        mark = MarkInPool() if self.local else Mark(self.job, self.around)
        return beam.ParDo(mark, *sieves).with_outputs(READ)


class Written(beam.DoFn):  # type: ignore[misc]
    """The Tally -> a Portion for each written file that is to be audited, by side: `commit.to_audit`."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def process(self, element: Tally) -> Iterator[Any]:
        """Small: names of files."""
        for portion in to_audit(self.job, element):
            yield TaggedOutput(TRAIN if portion.split == TRAIN else HELD, portion)


class Mark(Looking):
    """Portion -> its Marks by part, and the count of its rows: `marks.marks_of`.

    Of training files only what the sieves let through.
    """

    def setup(self) -> None:
        """Children are shared by all bundles of the process."""
        children.enter(self.job)

    def teardown(self) -> None:
        """The last one ends them."""
        children.leave(self.job)

    def process(self, element: Portion, sieves: Iterable[Sieve] = ()) -> Iterator[Any]:
        """The file is read in a child; no payload leaves it."""
        with telling(self.job, self.around.submission):
            self.look()
            marks = children.mark(self.job, element)
        yield TaggedOutput(READ, Findings(Counter({marks.split: marks.rows})))
        yield from by_part(marks, element.parts, sieves)


class MarkInPool(beam.DoFn):  # type: ignore[misc]
    """As `Mark`, through the pool of local processes, a file per task."""

    def start_bundle(self) -> None:
        """Collect the bundle's files."""
        self.portions: list[Portion] = []
        self.sieves: Iterable[Sieve] = ()

    def process(self, element: Portion, sieves: Iterable[Sieve] = ()) -> Iterable[Any]:
        """Only take the file."""
        self.portions.append(element)
        self.sieves = sieves
        return ()

    def finish_bundle(self) -> Iterator[Any]:
        """Read all of them, whichever process is free."""
        sieves, read = list(self.sieves), Findings()
        for marks in workers.current().run("mark", self.portions):
            read.read[marks.split] += marks.rows
            for pair in by_part(marks, self.portions[0].parts, sieves):
                yield _outside(pair)
        yield TaggedOutput(READ, _outside(read))


class Match(beam.DoFn):  # type: ignore[misc]
    """(part, Marks of both sides) -> (file, its rows that leak), and the lightest links: `matching.shared`."""

    def __init__(self, job: Job) -> None:
        self.looked = looked_at(job)

    def process(self, element: tuple[int, dict[str, Iterable[Marks]]]) -> Iterator[Any]:
        """As many marks as make a part."""
        _, sides = element
        found = shared(list(sides[HELD]), list(sides[TRAIN]), self.looked)
        yield from found.by_file()
        yield TaggedOutput(SUMS, Findings(links=found.links))


def count(file: int, found: Iterable[Any]) -> Findings:
    """The rows of one held-out file that leak, from all parts."""
    return counted(Found.file_of(file), found)


class AddUp(beam.CombineFn):  # type: ignore[misc]
    """Findings -> their sum, wherever they are made."""

    def create_accumulator(self) -> Findings:
        """Nothing yet."""
        return Findings()

    def add_input(self, accumulator: Findings, element: Findings) -> Findings:
        """One more part, or file."""
        return accumulator.merge(element)

    def merge_accumulators(self, accumulators: Iterable[Findings]) -> Findings:
        """Those of several workers."""
        return reduce(Findings.merge, accumulators, Findings())

    def extract_output(self, accumulator: Findings) -> Findings:
        """All of them."""
        return accumulator


def _outside(value: object) -> WindowedValue:
    """What leaves a bundle that is over."""
    return WindowedValue(value, MAX_TIMESTAMP, (GlobalWindow(),))
