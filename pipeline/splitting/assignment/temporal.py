"""The newest components are held out: test gets the very newest, validation those before. Pure."""

from math import floor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.records import SPLITS, Split
from pipeline.splitting.components import Components, PartNumbers
from pipeline.storage.mapped_columns import made, spans, taken


def newest_held_out(
    found: Components, times: NDArray[Any], held: NDArray[np.int64], shares: dict[Split, float]
) -> PartNumbers:
    """The part of each component, as places in SPLITS; a component is as new as its newest record.

    `times` of rows; `held`: records that each split has already. What has one time goes one way, so that no held-out
    record is as old as a training record that is decided here. The cuts lie where the held-out records come nearest to
    the shares.
    """
    newest = taken(times, found.heads)
    for span in spans(len(times)):
        np.maximum.at(newest, found.of[span], times[span])
    ordered = taken(newest, found.of)
    ordered.sort()
    total, end = len(times) + int(held.sum()), len(times)
    cuts = []
    for split in SPLITS[:0:-1]:
        wanted = total * shares.get(split, 0.0) - int(held[SPLITS.index(split)])
        begin = _begin(ordered[:end], wanted)
        cuts.append((SPLITS.index(split), begin, end))
        end = begin

    def parts(span: slice) -> PartNumbers:
        places = np.searchsorted(ordered, newest[span])
        of_span = np.full(len(places), SPLITS.index("train"), np.int16)
        for part, begin, end in cuts:
            of_span[(begin <= places) & (places < end)] = part
        return of_span

    return made(len(found), np.int16, parts)


def _begin(ordered: NDArray[Any], wanted: float) -> int:
    """Where the last moments begin that together come nearest to `wanted` records; of two the later one."""
    if wanted <= 0 or not len(ordered):
        return len(ordered)
    moment = ordered[max(0, floor(len(ordered) - wanted))]
    later, earlier = (int(np.searchsorted(ordered, moment, side)) for side in ("right", "left"))
    return min((later, earlier), key=lambda begin: abs(len(ordered) - begin - wanted))
