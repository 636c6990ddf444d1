"""Marks of both sides -> what they share. Each part of the digests can be matched alone, whoever has the others."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.audit.findings import KEPT_PAIRS, KINDS, Kind
from pipeline.audit.marks import ID, TRAIN, Looked, Marks
from pipeline.records import SPLITS

_MARKS_PER_PART = 2**18
_BITS_PER_MARK = 16
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


def parts_for(held: int, rows: int, looked: Looked) -> int:
    """Into how many parts the marks of so many held-out rows, and the ids of all rows, are dealt: a power of two."""
    marks = held * len(looked.marked) + rows
    return 1 << max(0, -(-marks // _MARKS_PER_PART) - 1).bit_length()


def dealt(marks: Marks, parts: int) -> Iterator[tuple[int, Marks]]:
    """Marks by part; parts that get none are left out."""
    numbers = _parts(marks.values, parts)
    if not len(numbers):
        return
    order = np.argsort(numbers, kind="stable")
    found, begins = np.unique(numbers[order], return_index=True)
    for part, places in zip(found.tolist(), np.split(order, begins[1:]), strict=True):
        yield part, replace(marks, values=marks.values[places])


def sieve_of(part: int, held: Iterable[Marks]) -> Sieve:
    """16 bits or more for each mark of one part of the held-out side."""
    lows = np.concatenate([m.values["low"] for m in held])
    size = 1 << max(3, (len(lows) * _BITS_PER_MARK - 1).bit_length())
    bits = np.zeros(size, bool)
    bits[lows & np.uint64(size - 1)] = True
    return Sieve(part, np.packbits(bits, bitorder="little"))


def by_part(marks: Marks, parts: int, sieves: Iterable[Sieve]) -> Iterator[tuple[int, Marks]]:
    """Marks by part; of the training side ids, and what the held-out side may have as well."""
    if marks.split != TRAIN:
        yield from dealt(marks, parts)
        return
    tables = {sieve.part: sieve.bits for sieve in sieves}
    for part, some in dealt(marks, parts):
        wanted = some.values["role"] == ID
        bits = tables.get(part)
        if bits is not None:
            places = some.values["low"] & np.uint64(len(bits) * 8 - 1)
            wanted |= bits[places >> np.uint64(3)] >> (places & np.uint64(7)).astype(np.uint8) & 1 == 1
        if wanted.any():
            yield part, replace(some, values=some.values[wanted])


def shared(held: Sequence[Marks], train: Sequence[Marks], looked: Looked) -> Found:
    """What the two sides share within one part, and ids that stand twice, whatever order their files come in."""
    found, roles = _repeated([*held, *train]), looked.roles
    ours = distinct(_highs(held))
    both = ours[among(ours, distinct(_highs(train)))]
    firsts = _firsts(train, both)
    for marks in held:
        split, rows = SPLITS.index(marks.split), []
        for high, low, role, row in marks.values[among(marks.values["high"], both)].tolist():
            for other, place in firsts.get((high, low), {}).items():
                kind = _ALIKE.get((roles[other][0], roles[role][0]))
                if kind is not None:
                    rows.append((KINDS.index(kind), row))
                    held_at = Place(split, marks.index, row)
                    found.links.append(Link(KINDS.index(kind), 0.0, held_at, place, role))
        if rows:
            found.rows.setdefault((split, marks.index), []).extend(rows)
    found.links = lightest(found.links)
    return found


def _repeated(everything: Sequence[Marks]) -> Found:
    """Rows whose id another row has before them."""
    ids = [marks.values["high"][marks.values["role"] == ID] for marks in everything]
    highs = np.sort(np.concatenate([np.empty(0, np.uint64), *ids]))
    twice = distinct(highs[1:][highs[1:] == highs[:-1]])
    places: dict[tuple[int, int], list[Place]] = defaultdict(list)
    for marks in everything if len(twice) else ():
        chosen = marks.values[(marks.values["role"] == ID) & among(marks.values["high"], twice)]
        for high, low, _, row in chosen.tolist():
            places[high, low].append(Place(SPLITS.index(marks.split), marks.index, row))
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


def _parts(values: NDArray[Any], parts: int) -> NDArray[np.int64]:
    return (values["high"] % np.uint64(parts)).astype(np.int64)


def _highs(side: Sequence[Marks]) -> NDArray[np.uint64]:
    return np.concatenate([m.values["high"] for m in side]) if side else np.empty(0, np.uint64)


def _firsts(train: Sequence[Marks], wanted: NDArray[np.uint64]) -> dict[tuple[int, int], dict[int, Place]]:
    """Digest -> role -> the first training row that has it, of those that the other side may have."""
    firsts: dict[tuple[int, int], dict[int, Place]] = defaultdict(dict)
    for marks in train:
        for high, low, role, row in marks.values[among(marks.values["high"], wanted)].tolist():
            place = Place(SPLITS.index(marks.split), marks.index, row)
            known = firsts[high, low]
            known[role] = min(known.get(role, place), place)
    return firsts
