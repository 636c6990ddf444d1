"""Near duplicates of one field among all records: signatures on disk, candidates bucket by bucket, then distances.

All in tasks for the pool; the submitting machine keeps row numbers and buckets, twelve bytes each, of very many records
on disk. What comes out depends on the records alone, not on their order.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.similarity.neighbours import Centres, centroids
from pipeline.planning.job import Job
from pipeline.records import Unit
from pipeline.splitting.assignment.hash_ranges import Digests, alike
from pipeline.splitting.components import Pairs, no_pairs
from pipeline.splitting.duplicates.backends import TaskRunner
from pipeline.splitting.duplicates.chunks import signed_pieces
from pipeline.splitting.duplicates.near_tasks import BucketTask, DistanceTask, PairTask, SignTask, StoreTask
from pipeline.splitting.duplicates.signature_files import RowNumbers, Signatures
from pipeline.storage.mapped_columns import Growing, Rows
from pipeline.storage.scratch import scratch_folder

BUCKET = 4_096
"""Records per centroid: each is compared with about twice as many others, however many there are."""
MOST_CENTROIDS, SAMPLED = 4_096, 32
_PAIRS_PER_TASK, _ROWS_PER_TASK = 4_096, 4_096
MOST_BUCKET = 2 * 65_536
"""Of a larger one, parts are looked at."""


def near_pairs(job: Job, units: Sequence[Unit], pool: TaskRunner, field: str, ranks: Digests) -> NDArray[np.int64]:
    """(n, 2) rows whose payloads of `field` are near duplicates, the smaller row first, sorted.

    `ranks` of all rows choose the sample that buckets are made of.
    """
    with scratch_folder() as folder:
        tasks = (StoreTask(SignTask(piece, field), folder) for piece in signed_pieces(units))
        firsts = sorted(first for first in pool.run("survey", tasks) if first >= 0)
        signed = Signatures(folder, np.array(firsts, np.int64))
        candidates = candidate_pairs(pool, signed, ranks)
        chunks = (candidates[n : n + _PAIRS_PER_TASK] for n in range(0, len(candidates), _PAIRS_PER_TASK))
        found = list(pool.run("survey", (DistanceTask(signed, field, chunk) for chunk in chunks)))
        near = np.concatenate([no_pairs(), *found])
        return near[np.lexsort((near[:, 1], near[:, 0]))]


def candidate_pairs(pool: TaskRunner, signed: Signatures, ranks: Digests) -> Pairs:
    """(n, 2) rows that share a bucket and are near each other in it, each pair once."""
    if not len(signed.firsts):
        return no_pairs()
    centres = _centres(signed, ranks)
    buckets, rows = Growing(np.uint64), Growing(np.int32)
    for found, of in pool.run("survey", (BucketTask(signed, first, centres) for first in signed.firsts.tolist())):
        buckets.extend(found)
        rows.extend(of)
    looks = (PairTask(signed, some) for some in _together(buckets.values, rows.values, ranks))
    return np.unique(np.concatenate([no_pairs(), *pool.run("survey", looks)]), axis=0)


def _centres(signed: Signatures, ranks: Digests) -> Centres:
    """Centroids of the signatures of the records with the smallest ranks; one is enough for a few records."""
    wanted = centroid_count(len(ranks))
    sample, most = np.empty(0, np.int64), wanted * SAMPLED
    for first in signed.firsts.tolist():
        sample = np.concatenate([sample, signed.rows(first)])
        if len(sample) > 4 * most:
            sample = _lowest(sample, ranks, most)
    return centroids(signed.load(_lowest(sample, ranks, most), False), wanted)


def _lowest(rows: RowNumbers, ranks: Digests, count: int) -> RowNumbers:
    return rows[np.argsort(ranks[rows], kind="stable")[:count]]


def centroid_count(rows: int) -> int:
    """Of an input of so many rows."""
    return max(1, min(MOST_CENTROIDS, -(-rows // BUCKET)))


def _together(buckets: NDArray[np.uint64], rows: Rows, ranks: Digests) -> Iterator[tuple[RowNumbers, ...]]:
    """Rows of buckets of two and more, several small buckets in a task.

    By rank: of equal neighbours the same ones count in any order of rows.
    """
    for places in alike(buckets):
        names, of = buckets[places], rows[places].astype(np.int64)
        order = np.lexsort((of, ranks[of], names))
        yield from _portions(names[order], of[order])


def _portions(buckets: NDArray[np.uint64], rows: RowNumbers) -> Iterator[tuple[RowNumbers, ...]]:
    ends = np.flatnonzero(np.append(buckets[1:] != buckets[:-1], True)) + 1
    waiting: list[RowNumbers] = []
    held = start = 0
    for end in ends.tolist():
        if end - start > 1:
            parts = range(start, end, MOST_BUCKET)
            waiting += [rows[n : min(end, n + MOST_BUCKET)] for n in parts]
            held += end - start
        start = end
        if held >= _ROWS_PER_TASK:
            yield tuple(waiting)
            waiting, held = [], 0
    if waiting:
        yield tuple(waiting)
