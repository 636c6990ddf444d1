"""Whole components -> parts (splits or folds), so that every class keeps its share as nearly as can be. Pure.

Records without relatives meet the shares to the record. Before them go the components: of very many, most are dealt in
the proportion of the shares, like ones evenly; the largest, and some of every class, are then placed one by one to make
up for what the others came to (`placing`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

import numpy as np
from numpy.typing import NDArray

from pipeline.splitting.assignment.bulk import ONE_BY_ONE, Dealing
from pipeline.splitting.assignment.hash_ranges import by_number, turns
from pipeline.splitting.assignment.label_counts import OPEN, Labeled
from pipeline.splitting.assignment.local_search import Left, placed
from pipeline.splitting.components import Components, PartNumbers
from pipeline.splitting.facts import Classes
from pipeline.storage.mapped_columns import made, spans, where


@dataclass(frozen=True, slots=True)
class Parts:
    """What there is to fill: the share of each part, and the order in which records without relatives fill them."""

    shares: tuple[float, ...]
    order: tuple[int, ...]


def share_out(
    found: Components,
    labels: tuple[Sequence[Classes], NDArray[np.int32]],
    numbers: NDArray[np.float64],
    taken: NDArray[np.int64],
    parts: Parts,
) -> PartNumbers:
    """The part of each component. `labels`: sets of classes, and which of them each row has. `numbers`: of components.

    `taken` (sets, parts): records that have their part already, by set of classes. A part without a share gets nothing.
    """
    used = [part for part, share in enumerate(parts.shares) if share > 0]
    if len(used) == 1:
        return made(len(found), np.int16, lambda _: used[0])
    order = [used.index(part) for part in parts.order if part in used]
    labeled = Labeled.of(found, *labels)
    left, sizes = _left(labeled, taken[:, used], [parts.shares[part] for part in used])
    chosen = made(len(found), np.int16, lambda _: OPEN)
    _place_wholes(labeled, numbers, (left, sizes), chosen)
    left -= labeled.of_parts(chosen, len(used))
    _fill_singles(labeled, numbers, left, order, chosen)
    names = np.array(used, np.int16)
    return made(len(found), np.int16, lambda span: names[chosen[span]])


def targets(sizes: Sequence[int], shares: Sequence[float]) -> list[list[int]]:
    """Records of each label for each part: within one of its share, and so that the parts' sums come out as well."""
    owed = [0.0] * len(shares)
    found = []
    for size in sizes:
        wanted = [size * share for share in shares]
        got = [floor(w + 1e-9) for w in wanted]
        open_parts = sorted(
            (p for p in range(len(shares)) if wanted[p] - got[p] > 1e-9),
            key=lambda p: (-(wanted[p] - got[p] + owed[p]), p),
        )
        for part in open_parts[: size - sum(got)]:
            got[part] += 1
        owed = [o + w - g for o, w, g in zip(owed, wanted, got, strict=True)]
        found.append(got)
    return found


def _left(labeled: Labeled, taken: NDArray[np.int64], shares: Sequence[float]) -> tuple[Left, NDArray[np.int64]]:
    """What each part still lacks of each label, and how many records each label has in all."""
    sizes: NDArray[np.int64] = labeled.sets.T @ (labeled.in_all() + taken.sum(1))
    held: Left = labeled.sets.T @ taken
    return np.array(targets(sizes.tolist(), shares), np.int64).reshape(-1, len(shares)) - held, sizes


def _place_wholes(
    labeled: Labeled, numbers: NDArray[np.float64], wishes: tuple[Left, NDArray[np.int64]], chosen: PartNumbers
) -> None:
    """Choose the parts of what is no single record. `wishes`: what is left of each label, and its records."""
    left, rarest = _share_of(wishes[0], labeled.wholes()), labeled.rarest(wishes[1])
    wholes = where(len(chosen), lambda span: labeled.single[span] == OPEN)
    if len(wholes) > ONE_BY_ONE:
        dealing = Dealing.of(labeled, rarest, numbers)
        open_places = np.maximum(wishes[0].sum(0), 0)  # of all that is left, so of some part at least
        dealing.deal((open_places / open_places.sum()).tolist(), chosen)
        left -= labeled.of_parts(chosen, left.shape[1])
        wholes = where(len(chosen), lambda span: dealing.chosen[span])
    wholes = wholes[np.lexsort((numbers[wholes], rarest[wholes], -labeled.found.sizes[wholes]))]
    if len(wholes):
        chosen[wholes] = placed(labeled.counts(wholes), left)


def _share_of(left: Left, held: NDArray[np.int64]) -> Left:
    """What components that hold so many records of each label are to fill; others fill the same share of the rest."""
    there = left.sum(1)
    share = left * (held / np.maximum(1, there))[:, None]
    return np.where((held == there)[:, None], left, np.rint(share)).astype(np.int64)


def _fill_singles(
    labeled: Labeled, numbers: NDArray[np.float64], left: Left, order: Sequence[int], chosen: PartNumbers
) -> None:
    """Records without relatives: of each label, in the order of their numbers, part after part."""
    single = labeled.single
    counts = sum(np.bincount(single[span] + 1, minlength=len(left) + 1)[1:] for span in spans(len(single)))
    wanted = [_filled(lack, count) for lack, count in zip(left[:, order].tolist(), np.asarray(counts), strict=True)]
    ends, seen = np.cumsum(wanted, axis=1), np.zeros(len(left), np.int64)
    for rows in by_number(numbers, lambda span: single[span] != OPEN):
        labels = single[rows]
        place = seen[labels] + turns(labels)
        behind = sum((place >= ends[labels, part]).astype(np.int64) for part in range(len(order) - 1))
        chosen[rows] = np.array(order, np.int16)[behind]
        seen += np.bincount(labels, minlength=len(seen))


def _filled(wanted: list[int], count: int) -> list[int]:
    """Wanted numbers as they can be had: none negative, `count` in all; what is too much comes off the largest."""
    found = [max(0, w) for w in wanted]
    while (excess := sum(found) - count) > 0:
        largest = max(range(len(found)), key=lambda p: (found[p], -p))
        found[largest] -= min(excess, found[largest])
    found[max(range(len(found)), key=lambda p: (wanted[p], -p))] += count - sum(found)
    return found
