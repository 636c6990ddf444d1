"""Rows that leak, file by file, and their sums: what of an audit a commit holds is small, whatever leaks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.audit.findings import CERTAIN, KINDS
from pipeline.audit.matching import Link, lightest

_STOPPING = frozenset(KINDS.index(kind) for kind in CERTAIN)


@dataclass(slots=True)
class Findings:
    """Sums over parts and files.

    `read`: rows that were looked at, by split. `leaking`: by (split, kind). `certain`: rows that leak in any way that
    is a fact. `links`: the lightest.
    """

    read: Counter[str] = field(default_factory=Counter)
    leaking: Counter[tuple[int, int]] = field(default_factory=Counter)
    certain: int = 0
    links: list[Link] = field(default_factory=list)

    def merge(self, other: "Findings") -> "Findings":
        """Take other sums in."""
        self.read.update(other.read)
        self.leaking.update(other.leaking)
        self.certain += other.certain
        self.links = lightest([*self.links, *other.links])
        return self


def counted(file: tuple[int, int], found: Iterable[Sequence[tuple[int, int]]]) -> Findings:
    """One held-out file (split, index): each of its rows counts once for a kind, in how many parts it was found."""
    rows = {pair for part in found for pair in part}
    leaking = Counter((file[0], kind) for kind, _ in rows)
    return Findings(leaking=leaking, certain=len({row for kind, row in rows if kind in _STOPPING}))
