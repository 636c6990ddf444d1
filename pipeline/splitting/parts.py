"""Facts and relations -> the part of every row: those that are known stay, the others follow the config. Pure.

Parts are what is divided into: the splits, or with folds the folds and the test set.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import InputError, Problem
from pipeline.records import SPLITS, Split
from pipeline.split import splits_of_numbers
from pipeline.split_settings import SplitConfig
from pipeline.splitting.bridges import UNPLACED, sided
from pipeline.splitting.by_time import newest_held_out
from pipeline.splitting.components import Components, PartNumbers, RowNumbers, components
from pipeline.splitting.facts import Digests, Facts

if TYPE_CHECKING:
    from pipeline.splitting.sharing import Parts

ID = "id"
TIMELESS = -3
"""Beside BRIDGE: what stands in place of a part for rows that fail."""
Relations = dict[str, Digests]


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Rows of earlier versions: their parts, and what relates others to them (ID: the digests of their ids)."""

    parts: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    relations: Mapping[str, Digests] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.parts)

    def of(self, name: str) -> Digests:
        """One relation."""
        return self.relations.get(name, np.zeros(len(self), np.uint64))


def parts_of(
    split: SplitConfig,
    facts: Facts,
    relations: Relations,
    pairs: NDArray[np.int64],
    alone: NDArray[np.bool_],
    known: Known,
) -> PartNumbers:
    """The part of each row, BRIDGE, or TIMELESS. Raises InputError if there are fewer relatives than folds.

    `alone`: rows that no relation and no pair joins to another one.
    """
    parts = _inherited(facts, relations, pairs, known)
    parts[facts.timeless] = TIMELESS
    if split.method == "hash":  # most records have no relatives, and need no one else
        own = (parts == UNPLACED) & alone
        parts[own] = splits_of_numbers(facts.numbers[own], split.shares())
    free = np.flatnonzero(parts == UNPLACED).astype(np.int32)
    if not len(free):
        return parts
    left = np.searchsorted(free, pairs[(parts[pairs] == UNPLACED).all(1)])
    of_free = (digests if len(free) == len(digests) else digests[free] for digests in (facts.keys, *relations.values()))
    found = components(next(of_free), of_free, left)
    parts[free] = _chosen(split, facts, found, free, parts)[found.of]
    return parts


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


def _inherited(facts: Facts, relations: Relations, pairs: NDArray[np.int64], known: Known) -> PartNumbers:
    """Parts of rows that have relatives among the known ones, or are known."""
    count, ghosts = len(facts), len(known)
    parts = np.full(count, UNPLACED, np.int16)
    if not ghosts:
        return parts
    own = {**relations, ID: np.where(facts.identified, facts.keys, np.uint64(0))}
    joined = {name: np.concatenate([known.of(name), digests]) for name, digests in own.items()}
    ranks = np.concatenate([np.full(ghosts, np.iinfo(np.uint64).max), facts.keys])
    found = components(ranks, joined.values(), pairs + ghosts)
    least = np.full(len(found), np.iinfo(np.int16).max, np.int16)
    most = np.full(len(found), UNPLACED, np.int16)
    np.minimum.at(least, found.of[:ghosts], known.parts.astype(np.int16))
    np.maximum.at(most, found.of[:ghosts], known.parts.astype(np.int16))
    one_part = (most >= 0) & (least == most)
    of = found.of[ghosts:]
    parts[one_part[of]] = most[of][one_part[of]]
    torn = (most >= 0) & ~one_part
    if torn.any():
        for row, part in _sided(found.members(torn), joined, pairs + ghosts, known, ranks).items():
            if row >= ghosts:
                parts[row - ghosts] = part
    return parts


def _sided(
    members: Mapping[int, RowNumbers],
    joined: Relations,
    pairs: NDArray[np.int64],
    known: Known,
    ranks: Digests,
) -> dict[int, int]:
    """Row by row, in components that lie in several parts."""
    rows = sorted(row for found in members.values() for row in found.tolist())
    ties: dict[int, list[tuple[str, int]]] = {
        row: [(name, int(digests[row])) for name, digests in joined.items() if digests[row]] for row in rows
    }
    for number, pair in enumerate(pairs.tolist()):
        for row in pair:
            if row in ties:
                ties[row].append(("pair", number))
    places = {int(digest): n for n, digest in enumerate(known.of(ID).tolist()) if digest}
    fixed = {row: int(known.parts[row]) for row in rows if row < len(known)}
    for row in rows:
        place = places.get(int(joined[ID][row])) if row >= len(known) else None
        if place is not None:
            fixed[row] = int(known.parts[place])
    new = sorted((row for row in rows if row not in fixed), key=lambda row: (int(ranks[row]), row))
    return sided(fixed, ties, new)


def _chosen(split: SplitConfig, facts: Facts, found: Components, free: RowNumbers, parts: PartNumbers) -> PartNumbers:
    """The part of each component of the free rows."""
    numbers = facts.numbers[free[found.heads]]
    if split.method == "hash":
        of_hash: PartNumbers = splits_of_numbers(numbers, split.shares()).astype(np.int16)
        return of_hash
    from pipeline.splitting.sharing import share_out  # scipy takes a while, and most runs need none

    shares = _shares(split)
    held = parts >= 0
    if split.time_column is not None and facts.times is not None:
        return newest_held_out(
            found, facts.times[free], np.bincount(parts[held], minlength=len(SPLITS)), split.shares()
        )
    if split.folds is not None and not held.any() and len(found) < split.folds.k:
        raise _too_many_folds(split.folds.k, len(found), len(facts))
    taken = np.zeros((len(facts.classes), len(shares.shares)), np.int64)
    np.add.at(taken, (facts.codes[held], parts[held]), 1)
    codes = facts.codes if len(free) == len(facts) else facts.codes[free]
    return share_out(found, (facts.classes, codes), numbers, taken, shares)


def _shares(split: SplitConfig) -> "Parts":
    from pipeline.splitting.sharing import Parts

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
