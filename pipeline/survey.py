"""Key columns -> what the planner needs: per block rows by split, per class counts, and ids that occur twice."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.candidates import Candidates, Search
from pipeline.errors import InputError, Problem
from pipeline.job import Job
from pipeline.keys import Key, keys_of
from pipeline.records import SPLITS, Block, Split, Unit
from pipeline.snapshot import read_listed

_MAX_LISTED = 10
_BLOCKS_PER_SHARD = 8
_MAX_BLOCK_ROWS = 8192


@dataclass(frozen=True, slots=True)
class BlockTally:
    """A block and how many records of each split it holds."""

    block: Block
    records: dict[Split, int]


@dataclass(frozen=True, slots=True)
class Survey:
    """All units together. `classes` counts records per split and class; `hashes` are digests of the ids."""

    blocks: tuple[BlockTally, ...] = ()
    classes: dict[tuple[Split, str], int] = field(default_factory=dict)
    unlabeled: int = 0
    candidates: Candidates | None = None

    @property
    def records(self) -> int:
        """Records of the whole input."""
        return sum(n for tally in self.blocks for n in tally.records.values())

    def of_split(self, split: Split) -> int:
        """Records of one split."""
        return sum(tally.records.get(split, 0) for tally in self.blocks)


@dataclass(frozen=True, slots=True)
class UnitSurvey:
    """One unit: its blocks, class counts, refused records, and a 64-bit digest of each id."""

    blocks: tuple[BlockTally, ...]
    classes: Counter[tuple[Split, str]]
    refused: int
    hashes: NDArray[np.uint64]


def survey(job: Job, units: Sequence[Unit]) -> Survey:
    """Survey every unit. Raises InputError: no records, duplicate ids, a split column with other values."""
    search = Search(job.config)
    parts = [survey_unit(job, unit, search) for unit in units]
    blocks = tuple(b for p in parts for b in p.blocks)
    if not blocks:
        raise InputError(f"the input {job.config.input.path!r} has no records")
    _refuse_duplicates(job, units, [p.hashes for p in parts])
    classes: Counter[tuple[Split, str]] = Counter()
    for part in parts:
        classes.update(part.classes)
    return Survey(blocks, dict(sorted(classes.items())), sum(p.refused for p in parts), search.found())


def survey_unit(job: Job, unit: Unit, search: Search) -> UnitSurvey:
    """Read the key columns of one unit and count; `search` sees every key if a step looks at other records."""
    size = block_rows(job, unit)
    tallies: Counter[tuple[int, Split]] = Counter()
    classes: Counter[tuple[Split, str]] = Counter()
    digests: list[bytes] = []
    refused = 0
    for number, key in enumerate(unit_keys(job, unit)):
        tallies[number // size, key.split] += 1
        classes.update((key.split, label) for label in key.labels)
        refused += key.refusal is not None
        if search.asked:
            search.see(key, unit, number)
        if key.identified:
            digests.append(blake2b(key.key.encode("utf-8", "surrogatepass"), digest_size=8).digest())
    blocks = tuple(
        BlockTally(
            Block(unit, start, min(start + size, unit.rows)),
            {split: tallies[start // size, split] for split in SPLITS if tallies[start // size, split]},
        )
        for start in range(0, unit.rows, size)
    )
    return UnitSurvey(blocks, classes, refused, np.frombuffer(b"".join(digests), np.uint64))


def block_rows(job: Job, unit: Unit) -> int:
    """Rows per block, so that a shard takes several blocks whatever its records weigh."""
    average = max(1, unit.bytes // max(1, unit.rows))
    room = int(job.config.output.shard_size) // _BLOCKS_PER_SHARD // (average * (job.config.copies + 1))
    return max(1, min(_MAX_BLOCK_ROWS, room))


def unit_keys(job: Job, unit: Unit) -> Iterator[Key]:
    """The key of every row of a unit; nothing is read where file and row number are all there is."""
    start = 0
    for batch in _key_batches(job, unit):
        yield from keys_of(job.config, job.reader, unit, batch, start)
        start += batch.num_rows


def _key_batches(job: Job, unit: Unit) -> Iterable[pa.RecordBatch]:
    columns = job.config.key_columns()
    if columns:
        return read_listed(job.reader, unit, columns, 0, unit.rows)
    return [pa.record_batch([pa.nulls(unit.rows)], names=[""])]


def _refuse_duplicates(job: Job, units: Sequence[Unit], hashes: list[NDArray[np.uint64]]) -> None:
    everything = np.sort(np.concatenate(hashes))
    twice = everything[1:][everything[1:] == everything[:-1]]
    if not len(twice):
        return
    suspects = set(twice.tolist())
    places: dict[str, list[str]] = {}
    for unit, digests in zip(units, hashes, strict=True):
        if suspects.isdisjoint(digests.tolist()):
            continue
        for key in unit_keys(job, unit):
            if key.identified and _hash(key.key) in suspects:
                places.setdefault(key.key, []).append(f"{key.file} row {key.row}")
    doubled = {key: at for key, at in places.items() if len(at) > 1}
    if doubled:
        raise _duplicates(job, doubled)


def _hash(key: str) -> int:
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _duplicates(job: Job, doubled: dict[str, list[str]]) -> InputError:
    problems = tuple(
        Problem("input.id", f"{key!r} occurs {len(at)} times: {', '.join(at[:3])}{' …' if len(at) > 3 else ''}.")
        for key, at in sorted(doubled.items())[:_MAX_LISTED]
    )
    more = f" (the first {_MAX_LISTED} are listed)" if len(doubled) > _MAX_LISTED else ""
    message = f"{len(doubled)} ids in column {job.config.input.id!r} are not unique{more}"
    return InputError(
        message, (*problems, Problem("", "Ids name records: remove doubled rows, or leave input.id out."))
    )
