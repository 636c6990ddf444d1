"""Relatives of records that lie in several parts already: each new one joins its side, and one that bridges is told.

Known records stay. From them the parts spread over what records share: a new record with relatives in one part takes
that part and hands it on; one with relatives in two bridges them, and hands nothing on.
"""

from collections.abc import Hashable, Mapping, Sequence

UNPLACED, BRIDGE = -1, -2


def sided(known: Mapping[int, int], ties: Mapping[int, Sequence[Hashable]], order: Sequence[int]) -> dict[int, int]:
    """Row -> part, BRIDGE, or UNPLACED for rows that no side reaches.

    `known`: rows and their parts. `ties`: of each row what it shares with others. `order`: the rows that are new; of
    two that would bring two parts to one tie in the same round, the first one does.
    """
    sides: dict[Hashable, set[int]] = {}
    for row, part in known.items():
        _spread(sides, ties[row], {part})
    found, waiting = dict(known), list(order)
    while waiting:
        reached = [row for row in waiting if _parts(sides, ties[row])]
        if not reached:
            break
        for row in reached:
            parts = _parts(sides, ties[row])
            found[row] = BRIDGE if len(parts) > 1 else min(parts)
            if len(parts) == 1:
                _spread(sides, ties[row], parts)
        waiting = [row for row in waiting if row not in found]
    return found | dict.fromkeys(waiting, UNPLACED)


def _parts(sides: Mapping[Hashable, set[int]], ties: Sequence[Hashable]) -> set[int]:
    return {part for tie in ties for part in sides.get(tie, ())}


def _spread(sides: dict[Hashable, set[int]], ties: Sequence[Hashable], parts: set[int]) -> None:
    for tie in ties:
        sides.setdefault(tie, set()).update(parts)
