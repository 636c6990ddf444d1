"""Ids that stand twice in one set: 8 bytes a row are held, and the set is read again only if there are any."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.audit.digest_matching import among, distinct
from pipeline.audit.leaks import Pair
from pipeline.audit.sides import Rows, Set, digests


class Ids:
    """The ids of a set's rows, as they stream by."""

    def __init__(self) -> None:
        self._halves: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]

    def take(self, batch: Rows) -> None:
        """Take some rows in; rows without an id, and sets of which none is named, add nothing."""
        self._halves += [_halves(values) for values, _ in _ids(batch)]

    def repeated(self, side: Set) -> Iterator[Pair]:
        """One pair for each row of the set whose id an earlier one has."""
        ordered = np.sort(np.concatenate(self._halves))
        twice = distinct(ordered[1:][ordered[1:] == ordered[:-1]])
        seen: set[str] = set()
        for batch in side.read(()) if len(twice) else ():
            for values, name in _ids(batch):
                for value in [v for v, known in zip(values, among(_halves(values), twice), strict=True) if known]:
                    if value in seen:
                        yield Pair("id", value, value, 0.0, name, side.name, first_side=side.name)
                    seen.add(value)


def _ids(batch: Rows) -> Iterator[tuple[list[str], str]]:
    """The values of each column of ids, with its name."""
    for (kind, name), rows in batch.marks.items():
        if kind == "id":
            yield [value for values in rows for value in values], name


def _halves(values: list[str]) -> NDArray[np.uint64]:
    return digests(values).view("<u8")[::2]
