"""Facts that two sides share: ids, sources, groups, parents, contents. The smaller side is held as digests."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.audit.leaks import Kind, Pair
from pipeline.audit.sides import DIGEST_BYTES, Digests, Rows, digests
from pipeline.escaping.url_credentials import masked

Mark = tuple[str, str]

OPPOSITE: dict[str, tuple[str, ...]] = {
    "id": ("id",),
    "source": ("source",),
    "group": ("group",),
    "exact": ("exact",),
    "spelling": ("spelling",),
    "parent": ("source", "id"),
}
"""Of what kind the mark on the other side is: a parent is the source of some other row."""


@dataclass(slots=True)
class _Column:
    digests: list[Digests] = field(default_factory=list)
    rows: list[NDArray[np.int64]] = field(default_factory=list)
    found: Digests = field(default_factory=lambda: np.empty(0, f"S{DIGEST_BYTES}"))
    places: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))

    def close(self) -> None:
        """Sort, so that the other side can look up."""
        if self.digests:
            everything, places = np.concatenate(self.digests), np.concatenate(self.rows)
            order = np.argsort(everything, kind="stable")
            self.found, self.places = everything[order], places[order]
            self.digests, self.rows = [], []


class Held:
    """The held-out side: for each kind of mark the digests of its values, about 24 bytes each, and the ids of rows."""

    def __init__(self, side: str) -> None:
        self.side = side
        self.ids: list[str] = []
        self._columns: dict[Mark, _Column] = {}

    def close(self) -> None:
        """All rows are taken: make them ready to be looked up."""
        for column in self._columns.values():
            column.close()

    def take(self, batch: Rows) -> None:
        """Take some rows in."""
        start = len(self.ids)
        self.ids += batch.ids
        for mark, values in batch.marks.items():
            flat, places = _flat(values, start)
            column = self._columns.setdefault(mark, _Column())
            column.digests.append(digests(flat))
            column.rows.append(places)

    def shared(self, batch: Rows) -> Iterator[Pair]:
        """Pairs of rows of the other side with rows of this one."""
        for (kind, name), values in batch.marks.items():
            flat, places = _flat(values, 0)
            mine = digests(flat)
            for other in OPPOSITE[kind]:
                yield from self._pairs(kind, (other, name), batch, (flat, mine, places))
        for (kind, name), column in self._columns.items():
            if kind == "parent":
                yield from self._parents(name, column, batch)

    def _pairs(
        self, kind: str, mark: Mark, batch: Rows, looked: tuple[list[str], Digests, NDArray[np.int64]]
    ) -> Iterator[Pair]:
        column = self._columns.get(mark)
        flat, mine, places = looked
        if column is not None:
            for number, place in _matches(column, mine):
                what = f"{mark[1]}={masked(flat[number], False)}" if kind in ("group", "spelling") else mark[1]
                yield _pair(kind, batch.ids[places[number]], self.ids[place], what, self.side)

    def _parents(self, name: str, column: _Column, batch: Rows) -> Iterator[Pair]:
        """Rows of this side whose parents lie on the other."""
        for kind in OPPOSITE["parent"]:
            values = batch.marks.get((kind, name))
            if values is not None:
                flat, places = _flat(values, 0)
                for number, place in _matches(column, digests(flat)):
                    yield _pair("parent", batch.ids[places[number]], self.ids[place], name, self.side)


def _matches(column: _Column, mine: Digests) -> Iterator[tuple[int, int]]:
    """(index in `mine`, row of the held-out side), in order."""
    if not len(column.found) or not len(mine):
        return
    begins = np.searchsorted(column.found, mine, "left")
    ends = np.searchsorted(column.found, mine, "right")
    for number in np.flatnonzero(ends > begins):
        yield from ((int(number), int(column.places[at])) for at in range(begins[number], ends[number]))


def _flat(values: list[tuple[str, ...]], start: int) -> tuple[list[str], NDArray[np.int64]]:
    flat = [v for row in values for v in row]
    return flat, np.repeat(np.arange(start, start + len(values)), [len(row) for row in values])


def _pair(kind: str, train: str, held: str, what: str, side: str) -> Pair:
    known: Kind = kind  # type: ignore[assignment]
    return Pair(known, train, held, 0.0, what, side)
