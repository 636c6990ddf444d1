import itertools
import os
import subprocess
import sys
from collections import defaultdict

import numpy as np
import pytest

from pipeline.modalities.similarity import neighbours
from pipeline.modalities.similarity.interface import LENGTH, NO_BANDS, NO_EMBEDDINGS, Signature, embedding
from pipeline.modalities.similarity.neighbours import (
    LEAST_COSINE,
    NEAREST_BUCKETS,
    buckets_of,
    centroids,
    pairs,
    pairs_within,
)

WIDTH = 24


def embedded(count: int, seed: int = 1) -> list[Signature]:
    rng = np.random.default_rng(seed)
    return [Signature(embedding(rng.normal(size=WIDTH))[np.newaxis], NO_BANDS, b"") for _ in range(count)]


def beside(signatures: list[Signature], noise: float = 0.05) -> list[Signature]:
    rng = np.random.default_rng(9)
    moved = [embedding(s.embeddings[0] + noise * LENGTH / WIDTH**0.5 * rng.normal(size=WIDTH)) for s in signatures]
    return [Signature(view[np.newaxis], NO_BANDS, b"") for view in moved]


def banded(*bands: int, detail: bytes = b"") -> Signature:
    return Signature(NO_EMBEDDINGS, np.array(bands, np.uint64), detail)


def by_hand(left: list[Signature], right: list[Signature], count: int) -> list[tuple[int, int]]:
    base = np.stack([s.embeddings[0] for s in left]).astype(np.int64)
    found = []
    for place, asked in enumerate(right):
        view = asked.embeddings[0].astype(np.int64)
        squares = ((base - view) ** 2).sum(1)
        cosines = base @ view / np.sqrt((base**2).sum(1) * (view**2).sum())
        nearest = np.argsort(squares, kind="stable")[:count]
        found += [(int(other), place) for other in nearest if cosines[other] >= LEAST_COSINE]
    return sorted(found)


def test_what_has_little_in_common_is_no_candidate() -> None:
    turned = [(120 * cosine, 120 * (1 - cosine**2) ** 0.5) for cosine in (1, 0.7, 0.3, -0.9)]
    views = [Signature(np.rint([view]).astype(np.int8), NO_BANDS, b"") for view in turned]
    assert pairs(views[:1], views) == [(0, 0), (0, 1)]


@pytest.mark.parametrize("block", [7, 64, 1000])
def test_neighbours_are_exact_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", block)
    left, right = embedded(150), embedded(40, seed=2)
    assert pairs(left, right, neighbours=5) == by_hand(left, right, 5)


def test_within_one_set_a_pair_is_named_once_and_nothing_is_its_own_neighbour() -> None:
    left = embedded(60)
    found = pairs(left, neighbours=3)
    assert found == sorted({(min(p), max(p)) for p in by_hand(left, left, 4) if p[0] != p[1]})


def test_ties_go_to_the_first() -> None:
    same = embedded(1) * 30
    assert pairs(same, embedded(1), neighbours=4) == [(place, 0) for place in range(4)]


def test_every_view_asks_and_is_found() -> None:
    one, two, three = (s.embeddings[0] for s in embedded(3))
    left = [Signature(np.stack([one, two]), NO_BANDS, b""), Signature(np.stack([three, 0 * three]), NO_BANDS, b"")]
    assert pairs(left, [Signature(two[np.newaxis], NO_BANDS, b"")], neighbours=1) == [(0, 0)]
    assert pairs(left, [Signature(np.stack([0 * one, three]), NO_BANDS, b"")], neighbours=1) == [(1, 0)]


def test_what_has_no_view_is_no_candidate() -> None:
    blank = Signature(np.zeros((2, WIDTH), np.int8), NO_BANDS, b"")
    assert pairs([blank, blank]) == []
    assert pairs([blank], embedded(2)) == []
    assert pairs(embedded(2), [blank]) == []
    assert pairs([]) == pairs([], []) == []
    assert buckets_of(blank, centroids(embedded(20), 4)) == ()


def test_buckets_hold_what_is_near() -> None:
    left = embedded(400)
    right = beside(left)
    centres = centroids(left, 12)
    assert centres.shape == (12, WIDTH)
    assert all(len(buckets_of(s, centres)) == NEAREST_BUCKETS for s in left)
    found = set()
    for members in _grouped(left, right, centres):
        places = [[place for place, _ in side] for side in members]
        inside = pairs_within([s for _, s in members[0]], [s for _, s in members[1]], neighbours=1)
        found |= {(places[0][one], places[1][other]) for one, other in inside}
    assert sum((place, place) in found for place in range(400)) >= 396


def _grouped(left: list[Signature], right: list[Signature], centres: np.ndarray) -> list[tuple[list, list]]:
    groups: dict[int, tuple[list, list]] = defaultdict(lambda: ([], []))
    for side, signatures in enumerate((left, right)):
        for place, signature in enumerate(signatures):
            for bucket in buckets_of(signature, centres):
                groups[bucket][side].append((place, signature))
    return [groups[bucket] for bucket in sorted(groups)]


def test_no_more_centroids_than_views_and_none_of_nothing() -> None:
    assert len(centroids(embedded(3), 10)) == 3
    assert len(centroids([banded(1)], 10)) == 0


def test_bands_in_common_make_candidates() -> None:
    texts = [banded(1, 2), banded(2, 3), banded(4), banded(3, 4), banded()]
    assert pairs(texts) == [(0, 1), (1, 3), (2, 3)]
    assert pairs(texts, [banded(4, 9), banded(1)]) == [(0, 1), (2, 0), (3, 0)]
    assert buckets_of(texts[1], centroids([], 3)) == (2, 3)
    assert buckets_of(texts[4], centroids([], 3)) == ()


def test_buckets_of_bands_find_the_same_pairs() -> None:
    rng = np.random.default_rng(4)
    texts = [banded(*rng.integers(0, 60, 3).tolist(), detail=bytes([place])) for place in range(80)]
    found = set()
    for band in {b for text in texts for b in buckets_of(text, centroids([], 1))}:
        members = [place for place, text in enumerate(texts) if band in text.bands]
        inside = pairs_within([texts[place] for place in members])
        found |= {(members[one], members[other]) for one, other in inside}
    assert sorted(found) == pairs(texts)


def test_a_band_that_everybody_shares_stays_bounded_and_joins_equals() -> None:
    texts = [banded(1, detail=bytes([place % 7])) for place in range(300)]
    found = pairs(texts)
    assert len(found) < 300 * 21
    joined = {place: place for place in range(300)}
    for one, other in found:
        if texts[one].detail == texts[other].detail:
            old, new = joined[other], joined[one]
            joined = {place: new if root == old else root for place, root in joined.items()}
    assert len(set(joined.values())) == 7


def test_across_sets_equals_meet_in_a_full_band() -> None:
    left = [banded(1, detail=bytes([place])) for place in range(200)]
    found = pairs(left, [banded(1, detail=bytes([place])) for place in (3, 150)])
    assert {(3, 0), (150, 1)} <= set(found)
    assert all(abs(one - (3, 150)[other]) <= 21 for one, other in found)


def test_embeddings_keep_their_length_and_zeros_stay() -> None:
    view = embedding(np.random.default_rng(1).normal(size=640))
    assert np.linalg.norm(view.astype(float)) == pytest.approx(LENGTH, rel=0.02)
    assert not embedding(np.zeros(9)).any()
    assert embedding(np.array([1.0, 0.0])).tolist() == [127, 0]


SCRIPT = """
import sys
sys.path[:0] = ["tests/support", "tests/modalities/similarity"]
from test_neighbours import beside, embedded
from pipeline.modalities.similarity.neighbours import buckets_of, centroids, pairs
left = embedded(300)
centres = centroids(left, 9)
print(centres.tolist(), [buckets_of(s, centres) for s in left], pairs(left, beside(left), 4))
"""


def test_the_same_in_another_process() -> None:
    printed = []
    for hash_seed, threads in itertools.product("12", "12"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": ".", "OMP_NUM_THREADS": threads}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True, timeout=120
        )
        printed.append(done.stdout)
    assert len(set(printed)) == 1
    assert printed[0]


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    neighbours._faiss.cache_clear()
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ImportError, match="pip install faiss-cpu"):
        pairs(embedded(3))
    neighbours._faiss.cache_clear()
