"""The audit of what is written as Beam steps: each calls the function of `audit` that its comment names.

Digests of rows are dealt into parts and matched part by part, so no worker holds those of all rows. On one machine the
same functions run one after the other, see `audit.shard_audit`.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsIter, AsSingleton, TaggedOutput

from pipeline.audit.digest_matching import Found, Sieve, by_part, shared, sieve_of
from pipeline.audit.leak_counts import Findings, counted
from pipeline.audit.pair_check import settle, to_compare
from pipeline.audit.row_digests import TRAIN, Marks, Portion
from pipeline.audit.shard_audit import audited
from pipeline.audit.shard_reading import Seen
from pipeline.audit.signatures import Candidate, Sample, Signed, by_bucket, candidates, sampled
from pipeline.dataset.commit import to_audit
from pipeline.dataset.leak_certificate import looked_at, looks_for_near
from pipeline.dataset.totals import Tally
from pipeline.engines.beam import worker_pools
from pipeline.engines.beam.render_steps import InChildren, Sums
from pipeline.engines.local import pool as workers
from pipeline.engines.worker_environment import Surroundings, telling
from pipeline.planning.job import Job
from pipeline.sources.range_reads import in_order

HELD, SIGNED, SUMS = "held", "signed", "sums"
_AT_ONCE = 8


class Audit(beam.PTransform):  # type: ignore[misc]
    """Tally of all shards -> Findings, one element even if there is nothing to look at."""

    def __init__(
        self, job: Job, around: Surroundings, local: bool, processes: int | None = None, small: bool = False
    ) -> None:
        super().__init__()
        self.job, self.around, self.local, self.processes, self.small = job, around, local, processes, small

    def expand(self, tally: Any) -> Any:
        """The held-out side first: what it cannot share is left out of the training side."""
        if self.local:
            return tally | "InPool" >> beam.ParDo(AuditInPool(self.job))  # Findings
        if self.small:  # each shuffle costs an engine buffers, and small jobs most of their time
            here = AuditInOnePlace(self.job, self.around, self.processes)
            return tally | "InOnePlace" >> beam.ParDo(here)  # Findings
        files = tally | "Written" >> beam.ParDo(Written(self.job)).with_outputs(HELD, TRAIN)  # Portion
        held = files[HELD] | "SpreadHeldOut" >> beam.Reshuffle() | "LookAtHeldOut" >> self._look()  # (int, Marks)
        sieves = held[None] | "ByPart" >> beam.GroupByKey() | "Sieve" >> beam.MapTuple(sieve_of)  # Sieve
        spread = files[TRAIN] | "SpreadTrain" >> beam.Reshuffle()  # Portion
        train = spread | "LookAtTrain" >> self._look(AsIter(sieves))  # (int, Marks)
        found = (
            {HELD: held[None], TRAIN: train[None]}
            | "Sides" >> beam.CoGroupByKey()  # (int, {side: Marks})
            | "Match" >> beam.ParDo(Match(self.job)).with_outputs(SUMS)  # (int, rows of a file)
        )
        everything = [found]
        if looks_for_near(self.job.config):
            everything.append(self._near(held[SIGNED], train[SIGNED]))
        rows = (
            [found[None] for found in everything]
            | "Leaking" >> beam.Flatten()  # (int, rows of a file)
            | "ByFile" >> beam.GroupByKey()
            | "Count" >> beam.MapTuple(count)  # Findings
        )
        sums = [rows, held[SUMS], train[SUMS], *(found[SUMS] for found in everything)]
        together = sums | "Together" >> beam.Flatten()  # Findings
        return together | "AddUp" >> beam.CombineGlobally(Sums(Findings, Findings.merge))  # Findings

    def _look(self, *sieves: Any) -> Any:
        return beam.ParDo(Look(self.job, self.around, self.processes), *sieves).with_outputs(SIGNED, SUMS)

    def _near(self, held: Any, train: Any) -> Any:
        """Signatures of both sides -> rows that have near duplicates, as of `Match`."""
        middles = AsSingleton(held | "Middles" >> beam.CombineGlobally(Sums(Sample, sampled_too)))
        dealt = {
            HELD: held | "DealHeldOut" >> beam.FlatMap(by_bucket, middles),  # (int, Signed)
            TRAIN: train | "DealTrain" >> beam.FlatMap(by_bucket, middles),  # (int, Signed)
        }
        pairs = (
            dealt
            | "Buckets" >> beam.CoGroupByKey()  # (int, {side: Signed})
            | "Candidates" >> beam.FlatMapTuple(candidates_by_file)  # (int, Candidate)
            | "OfFile" >> beam.GroupByKey()
        )
        compare = beam.ParDo(Compare(self.job, self.around, self.processes))
        return pairs | "Compare" >> compare.with_outputs(SUMS)  # (int, rows of a file)


class Written(beam.DoFn):  # type: ignore[misc]
    """The Tally -> a Portion for each written file that is to be audited, by side: `commit.to_audit`."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def process(self, element: Tally) -> Iterator[Any]:
        """Small: names of files."""
        for portion in to_audit(self.job, element):
            yield TaggedOutput(TRAIN if portion.split == TRAIN else HELD, portion)


class Look(InChildren):
    """Portion -> its Marks by part, its Signed and its sums: `reading.look_at`."""

    def process(self, element: Portion, sieves: Iterable[Sieve] = ()) -> Iterator[Any]:
        """No payload leaves the child."""
        with telling(self.job, self.around.submission):
            self.look()
            seen = worker_pools.look_at(self.job, element)
        yield from told(seen, element, sieves)


class Compare(InChildren):
    """(held-out file, Candidates) -> its rows that have near duplicates, and links: `pair_check.compared_rows`."""

    def process(self, element: tuple[int, Iterable[Candidate]]) -> Iterator[Any]:
        """No payload leaves the child."""
        pairs, left = to_compare(element[1])
        with telling(self.job, self.around.submission):
            self.look()
            found = worker_pools.compare(self.job, pairs)
        settle(left, found)
        yield from rows_and_links(found, left.total())


class AuditInPool(beam.DoFn):  # type: ignore[misc]
    """Tally -> Findings: all steps at once, files read by the local pool."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def process(self, element: Tally) -> Iterator[Findings]:
        """Whichever process is free reads the next file: what is found does not depend on their order."""
        pool = workers.current()
        portions = to_audit(self.job, element)
        yield audited(portions, lambda some: pool.run("look", some), lambda some: pool.run("compare", some))


class AuditInOnePlace(InChildren):
    """As `AuditInPool`, in the children of one worker: for what is small enough to be read there."""

    def process(self, element: Tally) -> Iterator[Findings]:
        """No payload leaves the children."""
        with telling(self.job, self.around.submission):
            self.look()
            portions = to_audit(self.job, element)
            yield audited(
                portions,
                lambda some: in_order(lambda portion: worker_pools.look_at(self.job, portion), some, _AT_ONCE),
                lambda some: in_order(lambda pairs: worker_pools.compare(self.job, pairs), some, _AT_ONCE),
            )


class Match(beam.DoFn):  # type: ignore[misc]
    """(part, Marks of both sides) -> (file, its rows that leak), and the lightest links: `matching.shared`."""

    def __init__(self, job: Job) -> None:
        self.looked = looked_at(job)

    def process(self, element: tuple[int, dict[str, Iterable[Marks]]]) -> Iterator[Any]:
        """As many marks as make a part."""
        _, sides = element
        yield from rows_and_links(shared(list(sides[HELD]), list(sides[TRAIN]), self.looked), 0)


def sampled_too(sample: Sample, signed: Signed) -> Sample:
    """One more file: `signing.sampled`."""
    return sampled([signed], sample)


def told(seen: Seen, portion: Portion, sieves: Iterable[Sieve]) -> Iterator[Any]:
    """What leaves the worker of what a file showed; of training marks only what the sieves let through."""
    yield TaggedOutput(SUMS, seen.sums())
    for signed in seen.signed:
        yield TaggedOutput(SIGNED, signed)
    yield from by_part(seen.marks, portion.parts, sieves)


def rows_and_links(found: Found, left: int) -> Iterator[Any]:
    """Rows that leak, by file, and the sums."""
    yield from found.by_file()
    yield TaggedOutput(SUMS, Findings(left=left, links=found.links))


def candidates_by_file(_: int, sides: dict[str, Iterable[Signed]]) -> Iterator[tuple[int, Candidate]]:
    """Candidates of one bucket, each with the number of its held-out file."""
    for candidate in candidates(sides[HELD], sides[TRAIN]):
        yield Found.number_of(candidate.held), candidate


def count(file: int, found: Iterable[Any]) -> Findings:
    """The rows of one held-out file that leak, from all parts."""
    return counted(Found.file_of(file), found)
