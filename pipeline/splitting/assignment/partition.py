"""Facts and relations -> the part of every row: those that are inherited stay, the others follow the config. Pure.

Parts are what is divided into: the splits, or with folds the folds and the test set.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.config.split import SplitConfig
from pipeline.errors import InputError, Problem
from pipeline.planning.hash_split import splits_of_numbers
from pipeline.records import SPLITS, Split
from pipeline.splitting.assignment.temporal import newest_held_out
from pipeline.splitting.components import Components, Pairs, PartNumbers, components
from pipeline.splitting.facts import Facts
from pipeline.splitting.history.conflicts import UNPLACED
from pipeline.splitting.history.inheritance import Relations
from pipeline.storage.mapped_columns import made, some, spans, taken, where

if TYPE_CHECKING:
    from pipeline.splitting.assignment.stratify import Parts

TIMELESS = -3
"""Beside BRIDGE: what stands in place of a part for rows that fail."""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The part of each row, BRIDGE, or TIMELESS. `related`: how many rows each relation joins, in their order."""

    parts: PartNumbers
    related: tuple[int, ...]


def parts_of(
    split: SplitConfig, facts: Facts, relations: Relations, pairs: Pairs, inherited: PartNumbers | None = None
) -> Found:
    """Divide all rows. `inherited`: parts of rows that earlier versions decided, BRIDGE, or UNPLACED.

    Raises InputError if there are fewer relatives than folds.
    """
    parts = made(len(facts), np.int16, lambda span: UNPLACED if inherited is None else inherited[span])
    for span in spans(len(parts)):
        parts[span][facts.timeless[span]] = TIMELESS
    free = where(len(parts), lambda span: parts[span] == UNPLACED)
    if not len(free):
        return Found(parts, (0,) * len(relations))
    left = np.searchsorted(free, pairs[(parts[pairs] == UNPLACED).all(1)].astype(np.int32))
    of_free = (some(digests, free) for digests in relations.values())
    free_facts = facts.of(free)
    found = components(free_facts.keys, of_free, left)
    chosen = _chosen(split, free_facts, found, _held(split, facts, parts))
    for span in spans(len(free)):
        parts[free[span]] = chosen[found.of[span]]
    return Found(parts, found.related)


def split_codes(split: SplitConfig, parts: PartNumbers) -> NDArray[np.uint8]:
    """Places in SPLITS; those of rows that fail are of train."""
    places = np.maximum(parts, 0)
    if split.folds is None:
        return places.astype(np.uint8)
    names: list[Split] = ["validation" if part == split.folds.fold else "train" for part in range(split.folds.k)]
    table = np.array([SPLITS.index(name) for name in [*names, "test"]], np.uint8)
    found = table[places]
    found[parts < 0] = SPLITS.index("train")
    return found


def _held(split: SplitConfig, facts: Facts, parts: PartNumbers) -> NDArray[np.int64]:
    """(sets of classes, parts): rows that have a part already."""
    number = max(len(SPLITS), split.folds.k + 1 if split.folds else 0)
    held = np.zeros(len(facts.classes) * number, np.int64)
    for span in spans(len(parts)):
        there = parts[span] >= 0
        codes = facts.codes[span][there].astype(np.int64)
        held += np.bincount(codes * number + parts[span][there], minlength=len(held))
    return held.reshape(-1, number)


def _chosen(split: SplitConfig, facts: Facts, found: Components, held: NDArray[np.int64]) -> PartNumbers:
    """The part of each component of free rows."""
    if split.method == "hash":
        shares = split.shares()
        return made(len(found), np.int16, lambda span: splits_of_numbers(facts.numbers[found.heads[span]], shares))
    from pipeline.splitting.assignment.stratify import share_out  # scipy takes a while, and most runs need none

    if split.time_column is not None and facts.times is not None:
        return newest_held_out(found, facts.times, held.sum(0)[: len(SPLITS)], split.shares())
    if split.folds is not None and not held.any() and len(found) < split.folds.k:
        raise _too_many_folds(split.folds.k, len(found), len(facts))
    parts = _shares(split)
    numbers = taken(facts.numbers, found.heads)
    return share_out(found, (facts.classes, facts.codes), numbers, held[:, : len(parts.shares)], parts)


def _shares(split: SplitConfig) -> "Parts":
    from pipeline.splitting.assignment.stratify import Parts

    if split.folds is None:
        names = ("test", "train", "validation")
        shares = {**split.shares(), "train": 1.0 - split.validation - split.test}
        return Parts(tuple(shares[name] for name in SPLITS), tuple(SPLITS.index(name) for name in names))
    each = (1.0 - split.test) / split.folds.k
    folds = range(split.folds.k)
    if not split.test:
        return Parts((each,) * len(folds), tuple(folds))
    return Parts((*(each for _ in folds), split.test), (split.folds.k, *folds))


def _too_many_folds(wanted: int, there: int, rows: int) -> InputError:
    message = f"split.by: {wanted} folds, and only {there} records or groups of relatives ({rows} records) to fill them"
    return InputError(message, (Problem("split", f"{message}.", f"Use k: {max(2, there)} or less, or more data."),))
