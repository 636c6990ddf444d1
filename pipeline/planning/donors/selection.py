"""Which other records a step may look at, or blend with: training records with the smallest digests of their keys.

A pure function of the input: a record that is added or removed moves at most one candidate per class, and two donors
(see `sampling`). The survey finds them, the job carries them, and the version keeps them beside its plan so that replay
finds the same ones.
"""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from pipeline.config.schema import JobConfig
from pipeline.planning.donors.blends import ANY, OTHER_CLASS, SAME_CLASS, shelf_size
from pipeline.planning.donors.sampling import LARGEST, Shelf
from pipeline.planning.keys import Key, KeyBlock
from pipeline.records import SPLITS, Block, Record, Unit
from pipeline.storage.folder import Folder
from pipeline.storage.layout import REFERENCES
from transforms.registry import references


@dataclass(frozen=True, slots=True)
class Candidate:
    """A training record and where it is: row `row` of `file`, the only row of `block`; None if that must be found.

    `labels` are known of donors only.
    """

    key: str
    file: str
    row: int
    block: Block | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidates:
    """By class, and of all classes together, in the order of their digests; and the donors of blends."""

    classes: dict[str, tuple[Candidate, ...]]
    everyone: tuple[Candidate, ...] = ()
    donors: tuple[Candidate, ...] = ()

    def of(self, record: Record, scope: str, most: int) -> tuple[Candidate, ...]:
        """At most `most` candidates for a record, never itself."""
        found = self.everyone if scope == ANY else _merged(self.classes.get(label, ()) for label in record.labels)
        return tuple([candidate for candidate in found if candidate.key != record.key][:most])

    def partners(self, record: Record, scope: str) -> list[Candidate]:
        """Donors for a record, never itself: all, those that share a class with it, or those that share none."""
        others = [donor for donor in self.donors if donor.key != record.key]
        if scope == ANY:
            return others
        own = set(record.labels)
        return [donor for donor in others if own.isdisjoint(donor.labels) == (scope == OTHER_CLASS)]

    def labels(self) -> dict[str, tuple[str, ...]]:
        """The classes of each donor."""
        return {donor.key: donor.labels for donor in self.donors}


class Search:
    """The smallest digests seen so far: a heap per class and one for all, as large as the config asks for."""

    __slots__ = ("_heaps", "_most", "_seen", "_shelf")

    def __init__(self, config: JobConfig) -> None:
        self._most = wanted(config)
        self._shelf: Shelf[Candidate] = Shelf(shelf_size(config))
        self._heaps: dict[str | None, list[tuple[int, str, int, Candidate]]] = {}
        self._seen = 0

    @property
    def asked(self) -> bool:
        """Whether any step looks at other records."""
        return bool(self._most or self._shelf.size)

    def see(self, key: Key, unit: Unit, row: int) -> None:
        """Row `row` of a unit."""
        if key.split != "train" or key.refusal is not None:
            return
        digest, own = _rank(key.key), Block(unit, row, row + 1).alone()
        if self._shelf.size:
            donor = Candidate(key.key, key.file, key.row, own, key.labels)
            for name in key.labels or (None,):
                self._shelf.add(name, digest, key.key, donor)
        size = self._most.get(SAME_CLASS, 0)
        self._seen += 1
        rank = -digest
        scopes: dict[str | None, int] = {**dict.fromkeys(key.labels, size), None: self._most.get(ANY, 0)}
        for name, most in scopes.items():
            heap = self._heaps.setdefault(name, [])
            if most and (len(heap) <= most or rank > heap[0][0]):  # one more than asked for: a record is not its own
                entry = (rank, key.key, self._seen, Candidate(key.key, key.file, key.row, own))
                (heapq.heappush if len(heap) <= most else heapq.heapreplace)(heap, entry)

    def promising(self, block: KeyBlock, digests: NDArray[np.uint64]) -> list[int]:
        """Places of a block that `see` might keep, ascending: of each class those with the smallest digests."""
        if not self.asked:
            return []
        ranks = digests.byteswap()
        able = (block.splits == SPLITS.index("train")) & ~block.refused
        everyone = np.flatnonzero(able & (ranks < self._worst(None)))
        found = [_smallest(everyone, np.zeros(len(everyone), np.int64), ranks, self._most.get(ANY, -1))]
        names, codes, rows = _classes(block)
        if SAME_CLASS in self._most:
            worst = np.array([0 if name is None else self._worst(name) for name in names], np.uint64)
            kept = np.flatnonzero(able[rows] & (ranks[rows] < worst[codes]))
            found.append(_smallest(*_once(rows[kept], codes[kept]), ranks, self._most[SAME_CLASS]))
        if self._shelf.size:
            bounds = np.array([self._shelf.bound(name) for name in names], np.uint64)
            kept = np.flatnonzero(able[rows] & (ranks[rows] <= bounds[codes]))
            found.append(_smallest(*_once(rows[kept], codes[kept]), ranks, self._shelf.size - 1))
        places: list[int] = np.unique(np.concatenate(found)).tolist()
        return places

    def _worst(self, name: str | None) -> int:
        """The rank below which a record is kept; the largest there is while there is room."""
        heap, most = self._heaps.get(name, []), self._most.get(ANY if name is None else SAME_CLASS, 0)
        return -heap[0][0] if len(heap) > most else LARGEST

    def found(self) -> Candidates | None:
        """The candidates; None if no step asks for any."""
        if not self.asked:
            return None
        ranked = {name: _merged([tuple(entry[3] for entry in heap)]) for name, heap in self._heaps.items()}
        everyone = tuple(ranked.pop(None, ()))
        classes = {str(name): tuple(found) for name, found in ranked.items() if found}
        return Candidates(classes, everyone, tuple(self._shelf.found()))


def wanted(config: JobConfig) -> dict[str, int]:
    """By scope, how many other records the most demanding step looks at."""
    found: dict[str, int] = {}
    for scope, most in filter(None, map(references, config.steps())):
        found[scope] = max(found.get(scope, 0), most)
    return found


def keep(dataset: Folder, candidates: Candidates | None) -> None:
    """Write the candidates beside the plan, for replay."""
    if candidates is not None:
        places = {name: [[c.key, c.file, c.row] for c in found] for name, found in candidates.classes.items()}
        everyone = [[c.key, c.file, c.row] for c in candidates.everyone]
        donors = [[c.key, c.file, c.row, list(c.labels)] for c in candidates.donors]
        data = {"classes": places, "any": everyone, "donors": donors}
        dataset.put_if_absent(REFERENCES, orjson.dumps(data, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))


def kept(dataset: Folder) -> Candidates | None:
    """The candidates that a version was made with, without their blocks; None if it has none."""
    try:
        data = orjson.loads(dataset.read(REFERENCES))
    except FileNotFoundError:
        return None
    donors = tuple(Candidate(key, file, row, None, tuple(labels)) for key, file, row, labels in data["donors"])
    return Candidates({name: _read(found) for name, found in data["classes"].items()}, _read(data["any"]), donors)


def _read(listed: list[Any]) -> tuple[Candidate, ...]:
    return tuple(Candidate(key, file, row) for key, file, row in listed)


def _merged(parts: Iterable[tuple[Candidate, ...]]) -> list[Candidate]:
    by_key = {candidate.key: candidate for part in parts for candidate in part}
    return sorted(by_key.values(), key=lambda candidate: (_rank(candidate.key), candidate.key))


def _classes(block: KeyBlock) -> tuple[list[str | None], NDArray[np.int64], NDArray[np.int64]]:
    """Names of classes, and for each record and class of its the place of the name and the row; None: of no class."""
    coded = block.labels.values.dictionary_encode()
    names: list[str | None] = [*coded.dictionary.to_pylist(), None]
    classless = np.ones(len(block), np.bool_)
    classless[block.labels.rows] = False
    alone = np.flatnonzero(classless)
    codes = np.concatenate([coded.indices.to_numpy().astype(np.int64), np.full(len(alone), len(names) - 1)])
    return names, codes, np.concatenate([block.labels.rows, alone])


def _once(rows: NDArray[np.int64], codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows with the codes of their classes; a class that stands twice in a record counts once."""
    pairs = np.unique((codes, rows), axis=1)
    return pairs[1], pairs[0]


def _smallest(rows: NDArray[np.int64], codes: NDArray[Any], ranks: NDArray[np.uint64], most: int) -> NDArray[np.int64]:
    """Of the rows of each code those with the smallest ranks: one more than `most`, as `see` keeps."""
    order = np.lexsort((ranks[rows], codes))
    sorted_codes = codes[order]
    nth = np.arange(len(order)) - np.searchsorted(sorted_codes, sorted_codes)
    return rows[order[nth <= most]]


def _rank(key: str) -> int:
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
