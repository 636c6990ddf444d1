"""The donor shelf: a sample of fixed size, spread over the classes, of records with the smallest digests of their keys.

The first of each class come before the second of any, and so on (bottom-k, stratified). It is a pure function of the
set of records: samples of two parts merge into that of the whole, and a record that is added or removed changes at most
two places. What is held meanwhile is bounded by the size, whatever the number of records and classes.
"""

import heapq
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")
LARGEST = 2**64 - 1
_Entry = tuple[int, str, T]
_Place = tuple[int, int, str]
"""Rank within its class, digest, key: the order in which places are given."""


class Shelf(Generic[T]):
    """Records of each class by digest, as far as they may still get a place."""

    __slots__ = ("_bounds", "_classes", "_held", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._classes: dict[str | None, dict[str, _Entry[T]]] = {}
        self._held = 0
        self._bounds: tuple[int, dict[str | None, int]] = (LARGEST, {})

    @property
    def size(self) -> int:
        """How many places there are."""
        return self._size

    def add(self, name: str | None, digest: int, key: str, record: T) -> None:
        """Take a record of a class (None: of none) in; one that is there already changes nothing."""
        held = self._classes.setdefault(name, {})
        self._held += key not in held
        held[key] = (digest, key, record)
        if self._held > 2 * self._size:
            self._cut()

    def merge(self, other: "Shelf[T]") -> "Shelf[T]":
        """Take the sample of another part of the records in."""
        for name, held in other._classes.items():
            for digest, key, record in held.values():
                self.add(name, digest, key, record)
        return self

    def bound(self, name: str | None) -> int:
        """A digest above which a record of a class gets no place any more; a little too large now and then."""
        default, bounds = self._bounds
        return bounds.get(name, default)

    def found(self) -> list[T]:
        """The records on the shelf, in the order of their places."""
        self._cut()
        placed = sorted((place, name) for place, name in self._places())
        return list({place[2]: self._classes[name][place[2]][2] for place, name in placed}.values())

    def _cut(self) -> None:
        """Forget records behind the last place: no record that comes later brings one of them forward."""
        if self._held <= self._size:
            return
        chosen = heapq.nsmallest(self._size, self._places())
        last = chosen[-1][0]
        kept: dict[str | None, dict[str, _Entry[T]]] = {}
        bounds: dict[str | None, int] = {}
        for (rank, digest, key), name in chosen:
            kept.setdefault(name, {})[key] = self._classes[name][key]
            if rank == last[0] - 1:
                bounds[name] = max(digest, last[1])
        self._classes, self._held = kept, len(chosen)
        self._bounds = (last[1] if last[0] == 0 else LARGEST, bounds)

    def _places(self) -> Iterator[tuple[_Place, str | None]]:
        for name, held in self._classes.items():
            for rank, (digest, key) in enumerate(sorted(entry[:2] for entry in held.values())):
                yield (rank, digest, key), name
