"""The newest components are held out: test gets the very newest, validation those before. Pure."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records import SPLITS, Split
from pipeline.splitting.components import Components, PartNumbers


def newest_held_out(
    found: Components, times: NDArray[Any], taken: NDArray[np.int64], shares: dict[Split, float]
) -> PartNumbers:
    """The part of each component, as places in SPLITS; a component is as new as its newest record.

    `times` of rows; `taken`: records that each split has already. What has one time goes one way, so that no held-out
    record is as old as a training record that is decided here. The cuts lie where the held-out records come nearest to
    the shares.
    """
    newest = times[found.heads].copy()
    np.maximum.at(newest, found.of, times)
    moments, of = np.unique(newest, return_inverse=True)
    sizes = np.bincount(of, found.sizes, len(moments)).astype(np.int64)
    parts, end = np.full(len(moments), SPLITS.index("train"), np.int16), len(moments)
    total = len(times) + int(taken.sum())
    for split in SPLITS[:0:-1]:
        place = SPLITS.index(split)
        begin = _begin(sizes[:end], total * shares.get(split, 0.0) - int(taken[place]))
        parts[begin:end] = place
        end = begin
    return parts[of]


def _begin(sizes: NDArray[np.int64], wanted: float) -> int:
    """Where the last moments begin that together come nearest to `wanted` records."""
    sums = np.concatenate([[0], np.cumsum(sizes[::-1])])
    return len(sizes) - int(np.argmin(np.abs(sums - max(0.0, wanted))))
