"""Relatives of records that lie in several parts already: each new one joins its side, and one that bridges is told.

Known records stay. From them the parts spread over what records share: a new record with relatives in one part takes
that part and hands it on; one with relatives in two bridges them, and hands nothing on.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

UNPLACED, BRIDGE = -1, -2


def sided(known: Mapping[int, int], ties: Mapping[int, Sequence[Hashable]], order: Sequence[int]) -> dict[int, int]:
    """Row -> part, BRIDGE, or UNPLACED for rows that no side reaches.

    `known`: rows and their parts. `ties`: of each row what it shares with others. `order`: the rows that are new; of
    two that would bring two parts to one tie in the same round, the first one does.
    """
    sides: dict[Hashable, set[int]] = {}
    for row, part in known.items():
        _spread(sides, ties[row], {part})
    found, waiting = dict(known), _Waiting.of(ties, order)
    reached = waiting.at(sides)
    while reached:
        opened: list[Hashable] = []
        for row in reached:
            parts = _parts(sides, ties[row])
            found[row] = BRIDGE if len(parts) > 1 else min(parts)
            if len(parts) == 1:
                opened += [tie for tie in ties[row] if tie not in sides]
                _spread(sides, ties[row], parts)
        reached = [row for row in waiting.at(opened) if row not in found]
    return found | {row: UNPLACED for row in order if row not in found}


@dataclass(frozen=True, slots=True)
class _Waiting:
    """New rows by what they share, so that a round looks only at those that the round before has reached."""

    turns: Mapping[int, int]
    rows: Mapping[Hashable, Sequence[int]]

    @classmethod
    def of(cls, ties: Mapping[int, Sequence[Hashable]], order: Sequence[int]) -> "_Waiting":
        rows: dict[Hashable, list[int]] = {}
        for row in order:
            for tie in ties[row]:
                rows.setdefault(tie, []).append(row)
        return cls({row: turn for turn, row in enumerate(order)}, rows)

    def at(self, ties: Iterable[Hashable]) -> list[int]:
        """Rows that have one of the ties, in their order."""
        return sorted({row for tie in ties for row in self.rows.get(tie, ())}, key=self.turns.__getitem__)


def _parts(sides: Mapping[Hashable, set[int]], ties: Sequence[Hashable]) -> set[int]:
    return {part for tie in ties for part in sides.get(tie, ())}


def _spread(sides: dict[Hashable, set[int]], ties: Sequence[Hashable], parts: set[int]) -> None:
    for tie in ties:
        sides.setdefault(tie, set()).update(parts)
