"""How many copies a record gets: by its classes, and among records of the same classes by the digest of its key.

A small table that travels with the job; what a record gets never depends on where it is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.config.copies import Balanced, PerClass
from pipeline.planning.copies.balance import Allotment, Classes
from pipeline.planning.keys import digests

DROPPED = -1
DOWNSAMPLED = "downsampled"
_ALL = 2**64


@dataclass(frozen=True, slots=True)
class Share:
    """What records of the same classes get: digests below `more_below` one more; from `kept_below` on none stays."""

    copies: int
    more_below: int = 0
    kept_below: int = _ALL

    def of(self, digest: int) -> int:
        """Copies; DROPPED for a record that does not stay."""
        return DROPPED if digest >= self.kept_below else self.copies + (digest < self.more_below)

    @property
    def alike(self) -> bool:
        """Whether the digest plays no part."""
        return not self.more_below and self.kept_below == _ALL


@dataclass(frozen=True, slots=True)
class CopyTable:
    """Copies by classes: those of the whole set, else the largest of its single classes, else the default."""

    default: int
    singles: Mapping[str, int] = field(default_factory=dict)
    sets: Mapping[Classes, Share] = field(default_factory=dict)
    most: int | None = None
    """Upper bound of copies; dropped records stay, then: for trials."""

    def of(self, classes: Sequence[str], key: str) -> int:
        """Copies of one record; DROPPED if it does not stay."""
        if self.alike and self.most is None:
            return self.default
        share = self.share(classes)
        copies = share.copies if share.alike else share.of(int(digests([key.encode("utf-8", "surrogatepass")])[0]))
        return copies if self.most is None else min(max(copies, 0), self.most)

    def share(self, classes: Sequence[str]) -> Share:
        """What records of these classes get."""
        found = self.sets.get(tuple(sorted(set(classes)))) if self.sets else None
        return found or Share(max((self.singles.get(name, self.default) for name in classes), default=self.default))

    @property
    def alike(self) -> bool:
        """Whether all records get the same."""
        return not self.singles and not self.sets

    def of_rows(self, classes: Sequence[Classes], keys: pa.Array) -> NDArray[np.int64]:
        """Copies of many records, by their classes and keys (binary)."""
        if self.alike:
            return np.full(len(classes), self.default, np.int64)
        shares = {found: self.share(found) for found in set(classes)}
        chosen = [shares[found] for found in classes]
        copies = np.array([share.copies for share in chosen], np.int64)
        decided = np.flatnonzero([not share.alike for share in chosen])
        if len(decided):
            found = digests(keys.take(pa.array(decided)).to_pylist()).tolist()
            copies[decided] = [chosen[n].of(d) for n, d in zip(decided.tolist(), found, strict=True)]
        return copies


def table_of(settings: int | PerClass | Balanced) -> CopyTable:
    """The table as far as it is known without the data."""
    if isinstance(settings, PerClass):
        return CopyTable(settings.default, dict(settings.per_class))
    return CopyTable(settings.balance.min_copies if isinstance(settings, Balanced) else settings)


def balanced_table(allotments: Mapping[Classes, Allotment], found: Mapping[Classes, NDArray[np.uint64]]) -> CopyTable:
    """The table of a balance; `found`: for each set of classes the digests of its records' keys."""
    return CopyTable(0, sets={classes: _share(a, found[classes]) for classes, a in allotments.items()})


def _share(allotment: Allotment, found: NDArray[np.uint64]) -> Share:
    kept = _ALL if allotment.staying >= len(found) else _at(found, allotment.staying)
    return Share(allotment.copies, _at(found, allotment.more) if allotment.more else 0, kept)


def _at(found: NDArray[np.uint64], place: int) -> int:
    """The digest that `place` others are smaller than."""
    return int(np.partition(found, place)[place])
