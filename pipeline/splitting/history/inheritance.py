"""What earlier versions decided of the rows of an input and of their relatives. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.splitting.assignment.hash_ranges import Digests, same
from pipeline.splitting.components import Pairs, PartNumbers, components
from pipeline.splitting.facts import Facts
from pipeline.splitting.history.conflicts import UNPLACED, sided
from pipeline.storage.mapped_columns import Mask, Rows, column, joined, made, spans

ID = "id"
Relations = dict[str, Digests]
_LAST = np.iinfo(np.uint64).max


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Rows of earlier versions: their parts, and what relates others to them (ID: the digests of their ids)."""

    parts: NDArray[np.uint8] = field(default_factory=lambda: np.empty(0, np.uint8))
    relations: Mapping[str, Digests] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.parts)


def ids_of(facts: Facts) -> Digests:
    """Digests of ids; 0 for a record without one."""
    if all(facts.identified[span].all() for span in spans(len(facts))):
        return facts.keys
    return made(len(facts), np.uint64, lambda span: np.where(facts.identified[span], facts.keys[span], np.uint64(0)))


@dataclass(frozen=True, slots=True, eq=False)
class Inheritance:
    """Known rows and, behind them, those of an input, with all that relates them: `relations` has ID too."""

    known: Known
    facts: Facts
    relations: Relations
    pairs: Pairs

    @classmethod
    def of(cls, known: Known, facts: Facts, relations: Relations, pairs: Pairs) -> "Inheritance":
        """`relations`, `pairs`: of the input's rows."""
        own = {**relations, ID: ids_of(facts)}
        none = column(len(known), np.uint64)
        before = {name: joined(known.relations.get(name, none), digests) for name, digests in own.items()}
        return cls(known, facts, before, pairs + len(known))

    def parts(self) -> PartNumbers:
        """Of the input's rows that are known or have known relatives the parts, or BRIDGE; UNPLACED for the others."""
        ghosts = len(self.known)
        ranks = joined(made(ghosts, np.uint64, lambda _: _LAST), self.facts.keys)
        found = components(ranks, self.relations.values(), self.pairs)
        least = made(len(found), np.int16, lambda _: np.iinfo(np.int16).max)
        most = made(len(found), np.int16, lambda _: UNPLACED)
        for span in spans(ghosts):
            np.minimum.at(least, found.of[span], self.known.parts[span].astype(np.int16))
            np.maximum.at(most, found.of[span], self.known.parts[span].astype(np.int16))
        torn = made(len(found), np.bool_, lambda span: (most[span] >= 0) & (least[span] != most[span]))
        of = found.of[ghosts:]
        parts = made(len(of), np.int16, lambda span: np.where(torn[of[span]], UNPLACED, most[of[span]]))
        for row, part in self._sided(found.members(torn), ranks).items():
            if row >= ghosts:
                parts[row - ghosts] = part
        return parts

    def placed(self) -> Mask:
        """The input's rows whose id is known; without an id, rows all of whose relations are."""
        identified = self.facts.identified
        seen = self._seen(ID)
        for span in spans(len(seen)):
            seen[span] &= identified[span]
        others = [name for name in self.relations if name != ID]
        if not others or all(identified[span].all() for span in spans(len(seen))):
            return seen
        ghosts = len(self.known)
        missing, some = (column(len(seen), np.bool_) for _ in range(2))
        for name in others:
            known, digests = self._seen(name), self.relations[name][ghosts:]
            for span in spans(len(seen)):
                there = digests[span] != 0
                missing[span] |= there & ~known[span]
                some[span] |= there
        return made(len(seen), np.bool_, lambda span: seen[span] | (~identified[span] & some[span] & ~missing[span]))

    def _seen(self, name: str) -> Mask:
        """The input's rows that share a digest with a known row."""
        ghosts = len(self.known)
        found = column(len(self.facts), np.bool_)
        for firsts, rows in same(self.relations[name]):
            found[rows[(firsts < ghosts) & (rows >= ghosts)] - ghosts] = True
        return found

    def _sided(self, rows: Rows, ranks: Digests) -> dict[int, int]:
        """Row by row, in components that lie in several parts."""
        members, ghosts = rows.tolist(), len(self.known)
        if not members:
            return {}
        ties: dict[int, list[tuple[str, int]]] = {
            row: [(name, int(digests[row])) for name, digests in self.relations.items() if digests[row]]
            for row in members
        }
        for number, pair in enumerate(self.pairs.tolist()):
            for row in pair:
                if row in ties:
                    ties[row].append(("pair", number))
        fixed = {row: int(self.known.parts[row]) for row in members if row < ghosts}
        places = {int(self.relations[ID][row]): part for row, part in fixed.items()}
        for row in members[len(fixed) :]:
            own = int(self.relations[ID][row])
            if own and own in places:
                fixed[row] = places[own]
        new = sorted((row for row in members if row not in fixed), key=lambda row: (int(ranks[row]), row))
        return sided(fixed, ties, new)
