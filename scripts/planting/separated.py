"""Plant copies of every kind beside their sources, split all of it, and count the copies that are not with theirs."""

from collections import defaultdict
from collections.abc import Mapping
from random import Random

import numpy as np

from pipeline.modalities.similarity.interface import Signature
from pipeline.modalities.similarity.neighbours import buckets_of, centroids, pairs_within
from pipeline.planning.hash_split import splits_of_numbers
from pipeline.planning.keys import digests
from pipeline.planning.seeds import unit_intervals
from pipeline.records import Split
from pipeline.splitting.components import components
from pipeline.splitting.duplicates.near import SAMPLED, centroid_count
from scripts.planting.changes import Change
from scripts.planting.trial import PLANTED, Trial

SHARES: dict[Split, float] = {"validation": 0.2, "test": 0.2}


def separated(trial: Trial, changes: Mapping[str, Change]) -> dict[str, tuple[int, int, int]]:
    """By kind: planted copies, those that are no relatives of their source, and those that lie in another split."""
    signed, kinds, sources = trial.signed(), [], []
    count = len(signed)
    for kind, change in changes.items():
        random = Random(kind)
        places = random.choices(range(count), k=PLANTED)
        signed += [trial.sign(change(trial.payloads[place], random)) for place in places]
        kinds += [kind] * PLANTED
        sources += places
    keys = [b"%d" % n for n in range(len(signed))]
    ranks = digests(keys)
    found = components(ranks, [], _near(trial, signed, ranks))
    numbers = unit_intervals(0, keys, "split", b"key:")
    splits = splits_of_numbers(numbers[found.heads], SHARES)[found.of]
    told: dict[str, tuple[int, int, int]] = {}
    for kind in changes:
        rows = [(count + n, source) for n, (k, source) in enumerate(zip(kinds, sources, strict=True)) if k == kind]
        apart = sum(found.of[copy] != found.of[source] for copy, source in rows)
        told[kind] = len(rows), int(apart), int(sum(splits[copy] != splits[source] for copy, source in rows))
    return told


def _near(trial: Trial, signed: list[Signature], ranks: np.ndarray) -> np.ndarray:
    """As the survey of payloads finds them: in buckets, by rank."""
    order = np.argsort(ranks, kind="stable").tolist()
    wanted = centroid_count(len(signed))
    centres = centroids([signed[place] for place in order[: wanted * SAMPLED]], wanted)
    buckets = defaultdict(list)
    for place in order:
        for bucket in buckets_of(signed[place], centres):
            buckets[bucket].append(place)
    candidates = {
        (min(rows[one], rows[other]), max(rows[one], rows[other]))
        for rows in buckets.values()
        for one, other in pairs_within([signed[place] for place in rows])
    }
    limit = trial.measure.threshold
    near = [p for p in candidates if trial.measure.distance(signed[p[0]].detail, signed[p[1]].detail) <= limit]
    return np.array(near, np.int64).reshape(-1, 2)
