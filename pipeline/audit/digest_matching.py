"""Marks of both sides -> what they share. Each part of the digests can be matched alone, whoever has the others."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.audit.leaks import KEPT_PAIRS, KINDS, Kind
from pipeline.audit.row_digests import ID, MARK, TRAIN, Looked, Marks
from pipeline.records import SPLITS

_MARKS_PER_PART = 2**18
_BITS_PER_MARK, _MOST_BITS = 16, 2**29
PLACED = np.dtype([*((name, MARK[name]) for name in MARK.names or ()), ("split", "u1"), ("file", "<i4")])
"""A mark with the place of its file: its split's among SPLITS, and its index."""
_ALIKE: dict[tuple[Kind, Kind], Kind] = {
    ("source", "source"): "source",
    ("group", "group"): "group",
    ("exact", "exact"): "exact",
    ("spelling", "spelling"): "spelling",
    ("parent", "source"): "parent",
    ("source", "parent"): "parent",
}


class Place(NamedTuple):
    """A row: the place of its split among SPLITS, the index of its file, its number in it."""

    split: int
    file: int
    row: int


class Link(NamedTuple):
    """A held-out row that leaks and the first training row that it shares something with; they sort by weight.

    Of an id that stands twice: a row that repeats it, in whatever split, and the first row that has it.
    """

    kind: int
    distance: float
    held: Place
    train: Place
    role: int


@dataclass(slots=True)
class Found:
    """What one part of the marks showed: links, and rows that leak as (kind, row) by file."""

    links: list[Link] = field(default_factory=list)
    rows: dict[tuple[int, int], list[tuple[int, int]]] = field(default_factory=dict)

    def by_file(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """The rows with a number for their file."""
        for (split, index), rows in self.rows.items():
            yield self.number_of((split, index)), rows

    @staticmethod
    def number_of(file: Sequence[int]) -> int:
        """A number for a file (split, index, ...), as engines like their keys."""
        return file[1] * len(SPLITS) + file[0]

    @staticmethod
    def file_of(number: int) -> tuple[int, int]:
        """The file that a number stands for, as (split, index)."""
        return number % len(SPLITS), number // len(SPLITS)


@dataclass(frozen=True, slots=True)
class Sieve:
    """Which digests of one part the held-out side may have: a table of bits. It errs by letting through."""

    part: int
    bits: NDArray[np.uint8]

    def take(self, lows: NDArray[np.uint64]) -> None:
        """Let these through from now on."""
        places = lows & np.uint64(len(self.bits) * 8 - 1)
        np.bitwise_or.at(self.bits, places >> np.uint64(3), np.uint8(1) << (places & np.uint64(7)).astype(np.uint8))

    def passing(self, lows: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Which of these the held-out side may have."""
        places = lows & np.uint64(len(self.bits) * 8 - 1)
        passed: NDArray[np.bool_] = (
            self.bits[places >> np.uint64(3)] >> (places & np.uint64(7)).astype(np.uint8) & 1 == 1
        )
        return passed


def parts_for(held: int, rows: int, looked: Looked) -> int:
    """Into how many parts the marks of so many held-out rows, and the ids of all rows, are dealt: a power of two."""
    marks = held * len(looked.marked) + rows
    return 1 << max(0, -(-marks // _MARKS_PER_PART) - 1).bit_length()


def dealt(marks: Marks, parts: int) -> Iterator[tuple[int, Marks]]:
    """Marks by part; parts that get none are left out."""
    numbers = parts_of(marks.values, parts)
    if not len(numbers):
        return
    order = np.argsort(numbers, kind="stable")
    found, begins = np.unique(numbers[order], return_index=True)
    for part, places in zip(found.tolist(), np.split(order, begins[1:]), strict=True):
        yield part, replace(marks, values=marks.values[places])


def sieve_of(part: int, held: Iterable[Marks]) -> Sieve:
    """16 bits or more for each mark of one part of the held-out side."""
    lows = np.concatenate([m.values["low"] for m in held])
    sieve = open_sieve(part, len(lows))
    sieve.take(lows)
    return sieve


def open_sieve(part: int, marks: int) -> Sieve:
    """A sieve that has taken nothing in yet, for about so many marks. Very many have fewer bits each."""
    size = 1 << max(3, (marks * _BITS_PER_MARK - 1).bit_length())
    return Sieve(part, np.zeros(min(size, _MOST_BITS) // 8, np.uint8))


def by_part(marks: Marks, parts: int, sieves: Iterable[Sieve]) -> Iterator[tuple[int, Marks]]:
    """Marks by part; of the training side ids, and what the held-out side may have as well."""
    if marks.split != TRAIN:
        yield from dealt(marks, parts)
        return
    tables = {sieve.part: sieve for sieve in sieves}
    for part, some in dealt(marks, parts):
        wanted = some.values["role"] == ID
        if part in tables:
            wanted |= tables[part].passing(some.values["low"])
        if wanted.any():
            yield part, replace(some, values=some.values[wanted])


def placed(side: Iterable[Marks]) -> NDArray[Any]:
    """(n,) of PLACED: the marks of some files, each with the place of its file."""
    parts = [np.empty(0, PLACED)]
    for marks in side:
        part = np.empty(len(marks.values), PLACED)
        for name in MARK.names or ():
            part[name] = marks.values[name]
        part["split"], part["file"] = SPLITS.index(marks.split), marks.index
        parts.append(part)
    return np.concatenate(parts)


def shared(held: Sequence[Marks], train: Sequence[Marks], looked: Looked) -> Found:
    """What the two sides share within one part, and ids that stand twice, whatever order their files come in."""
    return matched(placed(held), placed(train), looked)


def matched(held: NDArray[Any], train: NDArray[Any], looked: Looked) -> Found:
    """The same, of marks as PLACED."""
    found, roles = _repeated(held, train), looked.roles
    ours = distinct(held["high"])
    both = ours[among(ours, distinct(train["high"]))]
    firsts = _firsts(train, both)
    for high, low, role, row, split, file in held[among(held["high"], both)].tolist():
        for other, place in firsts.get((high, low), {}).items():
            kind = _ALIKE.get((roles[other][0], roles[role][0]))
            if kind is not None:
                found.rows.setdefault((split, file), []).append((KINDS.index(kind), row))
                found.links.append(Link(KINDS.index(kind), 0.0, Place(split, file, row), place, role))
    found.links = lightest(found.links)
    return found


def _repeated(held: NDArray[Any], train: NDArray[Any]) -> Found:
    """Rows whose id another row has before them."""
    sides = [side[side["role"] == ID] for side in (held, train)]
    highs = np.sort(np.concatenate([side["high"] for side in sides]))
    twice = distinct(highs[1:][highs[1:] == highs[:-1]])
    places: dict[tuple[int, int], list[Place]] = defaultdict(list)
    for side in sides if len(twice) else ():
        for high, low, _, row, split, file in side[among(side["high"], twice)].tolist():
            places[high, low].append(Place(split, file, row))
    found, kind = Found(), KINDS.index("id")
    for first, *others in map(sorted, places.values()):
        for place in others:
            found.links.append(Link(kind, 0.0, place, first, ID))
            found.rows.setdefault(place[:2], []).append((kind, place.row))
    return found


def lightest(links: Iterable[Link]) -> list[Link]:
    """As many as are listed, in their order, each once."""
    return sorted(set(links))[:KEPT_PAIRS]


def distinct(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Each value once, sorted. By sorting: numpy's own way with a table of hashes takes long for very many."""
    ordered = np.sort(values)
    found: NDArray[np.uint64] = ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered
    return found


def among(values: NDArray[np.uint64], ordered: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each value is one of those that are sorted: for many small arrays, none of which sorts them again."""
    if not len(ordered):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    found: NDArray[np.bool_] = ordered[places] == values
    return found


def parts_of(values: NDArray[Any], parts: int) -> NDArray[np.int64]:
    """The part of each mark, by its digest alone."""
    return (values["high"] % np.uint64(parts)).astype(np.int64)


def _firsts(train: NDArray[Any], wanted: NDArray[np.uint64]) -> dict[tuple[int, int], dict[int, Place]]:
    """Digest -> role -> the first training row that has it, of those that the other side may have."""
    firsts: dict[tuple[int, int], dict[int, Place]] = defaultdict(dict)
    for high, low, role, row, split, file in train[among(train["high"], wanted)].tolist():
        place, known = Place(split, file, row), firsts[high, low]
        known[role] = min(known.get(role, place), place)
    return firsts
