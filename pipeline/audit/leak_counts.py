"""Rows that leak, file by file, and their sums: what of an audit a commit holds is small, whatever leaks."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pipeline.audit.digest_matching import Link, lightest
from pipeline.audit.leaks import CERTAIN, KINDS, NAMED, SPELLED_AS
from pipeline.audit.temporal_order import Extent
from pipeline.records import Split

_NEAR = KINDS.index("near")
_SPELLING = KINDS.index("spelling")
_SPELLED_AS = frozenset(KINDS.index(kind) for kind in SPELLED_AS)
ASKED = len(KINDS)
"""Stands for a near duplicate where the split was asked to keep them together."""
_STOPPING = frozenset((*(KINDS.index(kind) for kind in CERTAIN), ASKED))


@dataclass(slots=True)
class Findings:
    """Sums over parts and files.

    `read`: rows that were looked at, by split. `leaking`: by (split, kind). `stopping`: rows that leak in a way that
    may stop a commit. `links`: the lightest. `unreadable`: payloads that could not be signed; `left`: candidates that
    were too many to be compared.
    """

    read: Counter[str] = field(default_factory=Counter)
    leaking: Counter[tuple[int, int]] = field(default_factory=Counter)
    stopping: int = 0
    unreadable: int = 0
    unread: list[str] = field(default_factory=list)
    """Some of the rows with such payloads: the first by name."""
    left: int = 0
    links: list[Link] = field(default_factory=list)
    times: dict[Split, Extent] = field(default_factory=dict)
    timeless: int = 0
    """Rows without a time though the newest are to be held out."""

    def merge(self, other: "Findings") -> "Findings":
        """Take other sums in."""
        self.read.update(other.read)
        self.leaking.update(other.leaking)
        self.stopping += other.stopping
        self.unreadable += other.unreadable
        self.unread = first_names([*self.unread, *other.unread])
        self.left += other.left
        self.timeless += other.timeless
        for split, extent in other.times.items():
            self.times[split] = extent.over(self.times.get(split))
        self.links = lightest([*self.links, *other.links])
        return self


def first_names(names: Iterable[str]) -> list[str]:
    """A bounded number of them, whatever order they come in."""
    return sorted(set(names))[:NAMED]


def counted(file: tuple[int, int], found: Iterable[Sequence[tuple[int, int]]]) -> Findings:
    """One held-out file (split, index): each of its rows counts once for a kind, in how many parts it was found."""
    rows = {pair for part in found for pair in part}
    rows -= {(_SPELLING, row) for kind, row in rows if kind in _SPELLED_AS}
    leaking = Counter((file[0], kind) for kind, _ in {(_NEAR if kind == ASKED else kind, row) for kind, row in rows})
    return Findings(leaking=leaking, stopping=len({row for kind, row in rows if kind in _STOPPING}))
