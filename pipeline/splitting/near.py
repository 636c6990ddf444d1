"""Near duplicates of one field among all records: signatures on disk, candidates bucket by bucket, then distances.

All in tasks for the pool; the submitting machine holds row numbers and buckets, a few dozen bytes a record. What comes
out depends on the records alone, not on their order.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.job import Job
from pipeline.records import Unit
from pipeline.scratch import scratch_folder
from pipeline.similarity.neighbours import Centres, centroids
from pipeline.splitting.components import no_pairs
from pipeline.splitting.near_tasks import BucketTask, DistanceTask, PairTask, Rows, Signed, SignTask, StoreTask, load
from pipeline.splitting.pieces import signed_pieces
from pipeline.splitting.ranges import Digests
from pipeline.workers import Pool

BUCKET = 4_096
"""Records per centroid: each is compared with about twice as many others, however many there are."""
MOST_CENTROIDS, SAMPLED = 4_096, 32
_PAIRS_PER_TASK, _ROWS_PER_TASK = 4_096, 4_096
MOST_BUCKET = 2 * 65_536
"""Of a larger one, parts are looked at."""


def near_pairs(job: Job, units: Sequence[Unit], pool: Pool, field: str, ranks: Digests) -> NDArray[np.int64]:
    """(n, 2) rows whose payloads of `field` are near duplicates, the smaller row first, sorted.

    `ranks` of all rows choose the sample that buckets are made of.
    """
    with scratch_folder() as folder:
        tasks = [
            StoreTask(SignTask(piece, field), f"{folder}/{number:07d}.arrow")
            for number, piece in enumerate(signed_pieces(units))
        ]
        signed = tuple(pool.run("survey", tasks))
        signed = tuple(sorted((part for part in signed if len(part)), key=lambda part: part.first))
        candidates = candidate_pairs(pool, signed, ranks)
        chunks = [candidates[n : n + _PAIRS_PER_TASK] for n in range(0, len(candidates), _PAIRS_PER_TASK)]
        found = list(pool.run("survey", [DistanceTask(signed, field, chunk) for chunk in chunks]))
        near = np.concatenate([no_pairs(), *found])
        return near[np.lexsort((near[:, 1], near[:, 0]))]


def candidate_pairs(pool: Pool, signed: tuple[Signed, ...], ranks: Digests) -> NDArray[np.int64]:
    """(n, 2) rows that share a bucket and are near each other in it, each pair once."""
    if not signed:
        return no_pairs()
    buckets, rows = _bucketed(pool, signed, _centres(signed, ranks), ranks)
    looks = [PairTask(signed, some) for some in _together(buckets, rows)]
    return np.unique(np.concatenate([no_pairs(), *pool.run("survey", looks)]), axis=0)


def _centres(signed: tuple[Signed, ...], ranks: Digests) -> Centres:
    """Centroids of the signatures of the records with the smallest ranks; one is enough for a few records."""
    rows = np.concatenate([part.rows for part in signed])
    wanted = centroid_count(len(ranks))
    sample = rows[np.argsort(ranks[rows], kind="stable")[: wanted * SAMPLED]]
    return centroids(load(signed, sample, False), wanted)


def centroid_count(rows: int) -> int:
    """Of an input of so many rows."""
    return max(1, min(MOST_CENTROIDS, -(-rows // BUCKET)))


def _bucketed(
    pool: Pool, signed: tuple[Signed, ...], centres: Centres, ranks: Digests
) -> tuple[NDArray[np.uint64], Rows]:
    """Buckets, sorted, and the rows in them, by rank: of equal neighbours the same ones count in any order of rows."""
    parts = list(pool.run("survey", [BucketTask(part, centres) for part in signed]))
    buckets = np.concatenate([found for found, _ in parts])
    rows = np.concatenate([found for _, found in parts])
    order = np.lexsort((ranks[rows], buckets))
    return buckets[order], rows[order]


def _together(buckets: NDArray[np.uint64], rows: Rows) -> Iterator[tuple[Rows, ...]]:
    """Buckets of two and more rows, several small ones in a task."""
    ends = np.flatnonzero(np.append(buckets[1:] != buckets[:-1], True)) + 1
    waiting: list[Rows] = []
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
