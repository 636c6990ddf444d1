"""Which pairs to look at: of all payloads at once, or bucket by bucket where they are too many for one machine.

With embeddings, the nearest neighbours of each view, searched exactly, as far as they are alike at all; a bucket is a
centroid, and every view goes to its nearest two. With bands, payloads that share one; a bucket is a band. Results are
sorted pairs of places in the given order and depend on nothing else: products of whole numbers are exact.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.similarity.interface import Embeddings, Signature
from transforms.interface import MissingLibrary

Pair = tuple[int, int]
Centres = NDArray[np.float32]
"""(count, width), whole numbers."""

NEIGHBOURS = 10
LEAST_COSINE = 0.4
"""Of neighbours that are candidates. Planted copies have 0.51 and more with their source (docs/leaks.md); of the
neighbours of distinct photos nine in ten have less, and a distance costs a millisecond."""
NEAREST_BUCKETS = 2
_BLOCK = 65_536
_WINDOW = 20
"""In a band, each text is paired with the next so many in the order of their details: equals stand side by side."""
_ROUNDS, _SEED = 10, 1


def pairs(
    left: Sequence[Signature], right: Sequence[Signature] | None = None, neighbours: int = NEIGHBOURS
) -> list[Pair]:
    """Candidates (place in `left`, place in `right`), or within `left` (smaller, larger) if there is no `right`.

    Memory: 4 bytes for each number of 65,536 embeddings, and the pairs.
    """
    found = set(_neighbours(left, right, neighbours))
    for band in _by_band(left, right):
        found.update(_in_order(*band))
    return sorted(found)


def pairs_within(
    left: Sequence[Signature], right: Sequence[Signature] | None = None, neighbours: int = NEIGHBOURS
) -> list[Pair]:
    """As `pairs`, of the members of one bucket; they need not be told apart by their other bands."""
    banded = [[s for s in side if len(s.bands)] for side in (left, right or ())]
    if not any(banded):
        return sorted(set(_neighbours(left, right, neighbours)))
    places = list(range(len(left)))
    return sorted(set(_in_order(places, left, None if right is None else list(range(len(right))), right)))


def centroids(sample: Sequence[Signature], count: int) -> Centres:
    """(at most `count`, width) by k-means of a sample's views; the same for the same sample in the same order."""
    views = _views(sample)[0]
    count = min(count, len(views))
    if count == 0:
        return np.zeros((0, 0), np.float32)
    means = _faiss().Kmeans(
        views.shape[1], count, niter=_ROUNDS, seed=_SEED, min_points_per_centroid=1, max_points_per_centroid=len(views)
    )
    means.train(views.astype(np.float32))
    centres: Centres = np.rint(means.centroids)
    return centres


def buckets_of(signature: Signature, centres: Centres) -> tuple[int, ...]:
    """The bands of a signature, or the centroids nearest to its views; sorted. None: nothing to be found by."""
    if len(signature.bands) or not len(centres):
        return tuple(sorted(set(signature.bands.tolist())))
    views = _views([signature])[0].astype(np.float32)
    if not len(views):
        return ()
    squares = np.einsum("ij,ij->i", centres, centres) - 2 * views @ centres.T
    nearest = np.argsort(squares, axis=1, kind="stable")[:, :NEAREST_BUCKETS]
    return tuple(sorted(set(nearest.ravel().tolist())))


def _views(signatures: Sequence[Signature]) -> tuple[Embeddings, NDArray[np.int64]]:
    """All views (rows, width), and to whom each belongs (rows,)."""
    stacks = [s.embeddings[s.embeddings.any(1)] for s in signatures]
    owners = np.repeat(np.arange(len(stacks)), [len(stack) for stack in stacks])
    return (np.concatenate(stacks) if len(owners) else np.zeros((0, 0), np.int8)), owners


def _neighbours(left: Sequence[Signature], right: Sequence[Signature] | None, count: int) -> Iterator[Pair]:
    """Of each view in `right`, or else in `left`, the nearest in `left`."""
    base, owners = _views(left)
    asked, askers = (base, owners) if right is None else _views(right)
    if not len(base) or not len(asked):
        return
    wanted = count if right is not None else count + 1  # a view is its own neighbour
    lengths = _squares(base)
    for start in range(0, len(asked), _BLOCK):
        some = asked[start : start + _BLOCK]
        squares, found = _nearest(some, base, wanted)
        alike = _alike(_squares(some)[:, np.newaxis], lengths[found], squares)
        for asker, row, near in zip(askers[start : start + _BLOCK].tolist(), found, alike, strict=True):
            for owner in owners[row[near]].tolist():
                if right is not None:
                    yield owner, asker
                elif owner != asker:
                    yield min(owner, asker), max(owner, asker)


def _squares(views: Embeddings) -> NDArray[np.int64]:
    """The square of each view's length."""
    exact = views.astype(np.int64)
    squares: NDArray[np.int64] = np.einsum("ij,ij->i", exact, exact)
    return squares


def _alike(ours: NDArray[np.int64], theirs: NDArray[np.int64], squares: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the cosine of two views, of these squared lengths and distance, is at least LEAST_COSINE."""
    twice: NDArray[np.int64] = ours + theirs - squares
    return (twice > 0) & (twice.astype(np.float64) ** 2 >= 4 * LEAST_COSINE**2 * ours * theirs)


def _nearest(asked: Embeddings, base: Embeddings, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(asked, count) squared distances and rows of `base`, by both; a base of any size, block by block."""
    queries, kept = asked.astype(np.float32), None
    for start in range(0, len(base), _BLOCK):
        block = base[start : start + _BLOCK].astype(np.float32)
        squares, rows = _faiss().knn(queries, block, min(count, len(block)))
        squares, rows = squares.astype(np.int64), rows + start
        if kept is not None:
            squares, rows = (np.concatenate(both, axis=1) for both in zip(kept, (squares, rows), strict=True))
        order = np.lexsort((rows, squares), axis=1)[:, :count]
        kept = np.take_along_axis(squares, order, 1), np.take_along_axis(rows, order, 1)
    none = np.zeros((len(asked), 0), np.int64)
    return kept or (none, none)


_Band = tuple[list[int], Sequence[Signature], list[int] | None, Sequence[Signature] | None]


def _by_band(left: Sequence[Signature], right: Sequence[Signature] | None) -> Iterator[_Band]:
    """The members of each band, as places of both sides."""
    sides = [_members(left), _members(right or ())]
    for band, members in sides[0].items():
        others = sides[1].get(band, [])
        if len(members) > 1 if right is None else others:
            yield members, left, None if right is None else others, right


def _members(signatures: Sequence[Signature]) -> dict[int, list[int]]:
    found = defaultdict(list)
    for place, signature in enumerate(signatures):
        for band in set(signature.bands.tolist()):
            found[band].append(place)
    return found


def _in_order(
    places: list[int], left: Sequence[Signature], others: list[int] | None, right: Sequence[Signature] | None
) -> Iterator[Pair]:
    """Pairs of a band, each with those near it in the order of details: bounded, however many share the band."""
    members = [(left[place].detail, 0, place) for place in places]
    members += [(right[place].detail, 1, place) for place in others or () if right is not None]
    members.sort()
    for at, (_, side, place) in enumerate(members):
        for _, other_side, other in members[at + 1 : at + 1 + _WINDOW]:
            if others is None:
                yield min(place, other), max(place, other)
            elif side != other_side:
                yield (other, place) if side else (place, other)


@cache
def _faiss() -> Any:
    """The package, with one thread: workers are processes. Raises MissingLibrary."""
    try:
        import faiss
    except ImportError as error:
        raise MissingLibrary("near duplicates need faiss-cpu: pip install faiss-cpu", name="faiss") from error
    faiss.omp_set_num_threads(1)
    return faiss
