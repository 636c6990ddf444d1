"""The survey of payloads as Beam steps: each calls the function or task of `splitting` that its comment names.

Contents: every piece is digested where it lies; eight bytes a record are written beside the versions. Near duplicates:
signatures are dealt into buckets, and pairs are sought bucket by bucket; no worker holds those of all records.
"""

import heapq
from collections.abc import Iterable, Iterator
from struct import pack
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.pvalue import AsSingleton
from numpy.typing import NDArray

from pipeline.engines.beam import worker_pools
from pipeline.engines.beam.render_steps import InChildren
from pipeline.engines.worker_environment import Surroundings, same_libraries, telling
from pipeline.modalities.similarity.neighbours import Centres, buckets_of, centroids, pairs_within
from pipeline.planning.job import Job
from pipeline.rendering.held_out.written_digests import WrittenTask
from pipeline.splitting.duplicates.chunks import Piece, read_pieces
from pipeline.splitting.duplicates.exact import ContentTask
from pipeline.splitting.duplicates.exchange_files import keep_contents, keep_pairs
from pipeline.splitting.duplicates.near import MOST_BUCKET, SAMPLED, centroid_count
from pipeline.splitting.duplicates.near_tasks import Ranked, SignTask, near_enough, undetailed


class _Surveying(InChildren):
    """A step whose payload stays in a child of this process; nothing of a version is there yet to look for."""

    def look(self) -> None:
        """Once. Raises RunFailed on a worker with other libraries."""
        if not self.looked:
            same_libraries(self.job, self.around)
            self.looked = True

    def asked(self, task: Any) -> Any:
        """What a child makes of a task."""
        with telling(self.job, self.around.submission):
            self.look()
            return worker_pools.survey(self.job, task)


class TakePieces(beam.DoFn):  # type: ignore[misc]
    """Number of a file -> its Pieces: `pieces.read_pieces`."""

    def __init__(self, job: Job, around: Surroundings) -> None:
        self.job, self.around = job, around

    def process(self, element: int) -> Iterator[Piece]:
        """The first that a worker reads of the output."""
        with telling(self.job, self.around.submission):
            yield from read_pieces(self.job.output, self.around.submission, element)


class Digest(_Surveying):
    """Piece -> its number of rows; the digests of their contents are written down.

    `written`: of its held-out rows alone, as they will stand in the dataset.
    """

    def __init__(self, job: Job, around: Surroundings, written: bool = False, processes: int | None = None) -> None:
        super().__init__(job, around, processes)
        self.task = WrittenTask if written else ContentTask

    def process(self, element: Piece) -> Iterator[int]:
        """An engine may ask for it once more: the same bytes under the same name."""
        keep_contents(self.job.output, self.around.submission, self.asked(self.task(element)))
        yield len(element)


class Sign(_Surveying):
    """Piece -> the signature of each of its rows: `near_tasks.SignTask`."""

    def __init__(self, job: Job, around: Surroundings, field: str, processes: int | None = None) -> None:
        super().__init__(job, around, processes)
        self.field = field

    def process(self, element: Piece) -> Iterator[Ranked]:
        """A record that its worker does not survive has none."""
        yield from self.asked(SignTask(element, self.field))


class Smallest(beam.CombineFn):  # type: ignore[misc]
    """Signatures -> those of the records with the smallest ranks, without their details; a bounded number."""

    def __init__(self, count: int) -> None:
        self.count = count

    def create_accumulator(self) -> list[Ranked]:
        """None."""
        return []

    def add_input(self, accumulator: list[Ranked], element: Ranked) -> list[Ranked]:
        """Sorted out once there are twice as many as are wanted."""
        accumulator.append(undetailed(element))
        return accumulator if len(accumulator) < 2 * self.count else self._smallest(accumulator)

    def merge_accumulators(self, accumulators: Iterable[list[Ranked]]) -> list[Ranked]:
        """Of several workers."""
        return self._smallest(one for some in accumulators for one in some)

    def extract_output(self, accumulator: list[Ranked]) -> list[Ranked]:
        """By rank."""
        return self._smallest(accumulator)

    def _smallest(self, found: Iterable[Ranked]) -> list[Ranked]:
        return heapq.nsmallest(self.count, found, key=lambda one: one.rank)


class Deal(beam.DoFn):  # type: ignore[misc]
    """Signature -> (bucket, signature), for each of its buckets: `neighbours.buckets_of`."""

    def process(self, element: Ranked, centres: Centres) -> Iterator[tuple[bytes, Ranked]]:
        """A bucket's name is eight bytes, which every engine sorts alike."""
        for bucket in buckets_of(element.signature, centres):
            yield pack(">Q", bucket), element


class Pair(beam.DoFn):  # type: ignore[misc]
    """(bucket, its signatures) -> pairs of rows that are near duplicates: `neighbours.pairs_within`."""

    def __init__(self, job: Job, field: str) -> None:
        self.job, self.field = job, field

    def process(self, element: tuple[bytes, Iterable[Ranked]]) -> Iterator[tuple[int, int]]:
        """In the order of ranks, as on one machine; a part of a bucket at a time if it is very large."""
        members = sorted(element[1], key=lambda one: one.rank)
        near = near_enough(self.job, self.field)
        for start in range(0, len(members), MOST_BUCKET):
            some = members[start : start + MOST_BUCKET]
            for one, other in pairs_within([member.signature for member in some]):
                if near(some[one].signature, some[other].signature):
                    first, second = sorted((some[one].row, some[other].row))
                    yield first, second


class Gather(beam.CombineFn):  # type: ignore[misc]
    """Pairs -> all of them in one array (n, 2): 16 bytes a pair, and only near duplicates are pairs."""

    def create_accumulator(self) -> list[tuple[int, int]]:
        """None."""
        return []

    def add_input(self, accumulator: list[tuple[int, int]], element: tuple[int, int]) -> list[tuple[int, int]]:
        """One more."""
        accumulator.append(element)
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[list[tuple[int, int]]]) -> list[tuple[int, int]]:
        """Of several workers."""
        return [pair for some in accumulators for pair in some]

    def extract_output(self, accumulator: list[tuple[int, int]]) -> NDArray[np.int64]:
        """Each once, sorted."""
        return np.unique(np.array(accumulator, np.int64).reshape(-1, 2), axis=0)


class Keep(beam.DoFn):  # type: ignore[misc]
    """The pairs -> their number; they are written down."""

    def __init__(self, job: Job, around: Surroundings, field: str) -> None:
        self.job, self.around, self.field = job, around, field

    def process(self, element: NDArray[np.int64]) -> Iterator[int]:
        """One object."""
        keep_pairs(self.job.output, self.around.submission, self.field, element)
        yield len(element)


class NearPairs(beam.PTransform):  # type: ignore[misc]
    """Piece -> the near duplicates of one field, written down."""

    def __init__(self, job: Job, around: Surroundings, field: str, rows: int, processes: int | None = None) -> None:
        super().__init__()
        self.job, self.around, self.field, self.rows, self.processes = job, around, field, rows, processes

    def expand(self, pieces: Any) -> Any:
        """Signatures are made once and go two ways: a sample of them to what the buckets are made of."""
        count = centroid_count(self.rows)
        signed = (
            pieces
            | "Sign" >> beam.ParDo(Sign(self.job, self.around, self.field, self.processes))
            | "Signed" >> beam.Reshuffle()  # Ranked; kept by the engine, so that no picture is decoded twice
        )
        centres = (
            signed
            | "Sample" >> beam.CombineGlobally(Smallest(count * SAMPLED))  # list[Ranked]
            | "Centroids" >> beam.Map(lambda sample: centroids([one.signature for one in sample], count))
        )
        return (
            signed
            | "Deal" >> beam.ParDo(Deal(), AsSingleton(centres))  # (bytes, Ranked)
            | "Buckets" >> beam.GroupByKey()
            | "Pair" >> beam.ParDo(Pair(self.job, self.field))  # (int, int)
            | "Gather" >> beam.CombineGlobally(Gather())
            | "Keep" >> beam.ParDo(Keep(self.job, self.around, self.field))
        )
