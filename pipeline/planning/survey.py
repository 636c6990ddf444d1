"""Key columns -> what the planner needs: per block rows by split, per class counts, and ids that occur twice.

Read block by block (`key_blocks`), several units at a time, and counted at once: of a record eight bytes are kept, and
those only where the input has ids; of very many records on disk.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.errors import InputError, Problem
from pipeline.escaping.url_credentials import masked
from pipeline.planning.blocks import BlockTable
from pipeline.planning.donors.selection import Candidates, Search
from pipeline.planning.job import Job
from pipeline.planning.keys import Key, KeyBlock, digests, key_block, keys_at
from pipeline.planning.spelling import GROUPS_APART, Spellings, plain, spelling_note, spelling_notes
from pipeline.records import SPLITS, Split, Unit
from pipeline.sources.folder import PATH
from pipeline.sources.key_columns import text_of
from pipeline.sources.range_reads import THREADS, in_order
from pipeline.sources.snapshot import read_listed
from pipeline.storage.mapped_columns import column, spans

_MAX_LISTED = 10
_MAX_EXAMINED = 100_000
_MAX_BLOCK_ROWS = 8192
_LOCAL_THREADS = 4
_Found = TypeVar("_Found")


@dataclass(frozen=True, slots=True)
class Survey:
    """All units together. `classes` counts records per split and class."""

    blocks: BlockTable
    classes: dict[tuple[Split, str], int] = field(default_factory=dict)
    unlabeled: int = 0
    candidates: Candidates | None = None
    notes: tuple[str, ...] = ()
    """Groups and ids that are written in several ways."""

    @property
    def records(self) -> int:
        """Records of the whole input."""
        return int(self.blocks.records.sum(dtype=np.int64))

    def counts(self) -> dict[Split, int]:
        """Records of every split."""
        return {split: self.of_split(split) for split in SPLITS}

    def of_split(self, split: Split) -> int:
        """Records of one split."""
        return int(self.blocks.of_split(split).sum(dtype=np.int64))


@dataclass(frozen=True, slots=True)
class UnitSurvey:
    """One unit: first rows of its blocks, records per block and split, class counts, refused records.

    `hashes`: a 64-bit digest of each id; `plain_hashes`: without what is easily written otherwise. `groups`: different
    values of each group column. `secret`: ids that hold a credential.
    `candidates`: records that may be among those that steps look at.
    """

    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    records: NDArray[np.int32]
    classes: Counter[tuple[Split, str]]
    refused: int
    hashes: NDArray[np.uint64]
    plain_hashes: NDArray[np.uint64]
    groups: dict[str, Spellings]
    secret: int
    candidates: tuple[tuple[Key, int], ...]


def survey(job: Job, units: Sequence[Unit]) -> Survey:
    """Survey every unit. Raises InputError: no records, duplicate ids, a split column with other values."""
    search = Search(job.config)
    classes: Counter[tuple[Split, str]] = Counter()
    hashes, plain_hashes = (column(sum(u.rows for u in units) if job.config.input.id else 0, np.uint64) for _ in "..")
    groups = {name: Spellings() for name in job.config.group_columns}
    parts, refused, seen, secret = [], 0, 0, 0
    for unit, found in zip(units, side_by_side(job, units, lambda u: survey_unit(job, u, search)), strict=True):
        parts.append((found.starts, found.stops, found.records))
        classes.update(found.classes)
        refused += found.refused
        secret += found.secret
        here = slice(seen, seen + len(found.hashes))
        hashes[here], plain_hashes[here], seen = found.hashes, found.plain_hashes, here.stop
        for name, spellings in found.groups.items():
            groups[name].merge(spellings)
        for key, row in found.candidates:
            search.see(key, unit, row)
    if not any(len(starts) for starts, _, _ in parts):
        raise InputError(f"the input {job.config.input.path!r} has no records")
    _refuse_duplicates(job, units, hashes[:seen])
    notes = (*spelling_notes(groups), *_id_notes(job, units, plain_hashes[:seen], secret))
    return Survey(_table(job, units, parts), dict(sorted(classes.items())), refused, search.found(), notes)


def survey_unit(job: Job, unit: Unit, search: Search) -> UnitSurvey:
    """Read the key columns of one unit and count."""
    size = block_rows(job, unit)
    starts = np.arange(0, unit.rows, size)
    tallies = np.zeros(len(starts) * len(SPLITS), np.int64)
    classes: Counter[tuple[Split, str]] = Counter()
    hashes, plain_hashes, candidates, refused, secret = [], [], [], 0, 0
    groups = {name: Spellings() for name in job.config.group_columns}
    for block, batch in keyed_batches(job, unit):
        at = (block.start + np.arange(len(block))) // size
        tallies += np.bincount(at * len(SPLITS) + block.splits, minlength=len(tallies))
        classes.update(classes_of(block))
        refused += int(block.refused.sum())
        for name, spellings in groups.items():
            spellings.add(text_of(batch.column(name))[0].drop_null().unique())
        if search.asked or job.config.input.id:
            found = digests(block.keys.to_pylist())
            hashes.append(found[block.identified])
            plain_hashes += [_plain_digests(block, found)] if job.config.input.id else []
            secret += _secret_ids(block) if job.config.input.id else 0
            places = search.promising(block, found)
            keys = keys_at(job.config, job.reader, block, places) if places else []
            candidates += [(key, block.start + n) for key, n in zip(keys, places, strict=True)]
    return UnitSurvey(
        starts,
        np.minimum(starts + size, unit.rows),
        tallies.reshape(-1, len(SPLITS)).astype(np.int32),
        classes,
        refused,
        np.concatenate([np.empty(0, np.uint64), *hashes]),
        np.concatenate([np.empty(0, np.uint64), *plain_hashes]),
        groups,
        secret,
        tuple(candidates),
    )


def block_rows(job: Job, unit: Unit) -> int:
    """Rows per block, so that a shard takes several blocks whatever its records weigh."""
    average = max(1, unit.bytes // max(1, unit.rows))
    output = job.config.output
    room = int(output.shard_size) // job.blocks_per_shard // (average * (job.config.most_copies + 1))
    if output.shard_count is not None:
        room = unit.rows // (job.blocks_per_shard * output.shard_count)
    return max(1, min(_MAX_BLOCK_ROWS, room))


def key_blocks(job: Job, unit: Unit) -> Iterator[KeyBlock]:
    """The keys of a unit, block by block; nothing is read where file and row number are all there is."""
    yield from (block for block, _ in keyed_batches(job, unit))


def keyed_batches(job: Job, unit: Unit) -> Iterator[tuple[KeyBlock, pa.RecordBatch]]:
    """The same, each with the key columns that it was made of."""
    start = 0
    for batch in key_batches(job, unit):
        decided = job.decided_rows(unit, start, batch.num_rows)
        yield key_block(job.config, job.reader, unit, batch, start, decided), batch
        start += batch.num_rows


def classes_of(block: KeyBlock) -> dict[tuple[Split, str], int]:
    """Records of a block by split and class."""
    coded = block.labels.values.dictionary_encode()
    names = coded.dictionary.to_pylist()
    codes = coded.indices.to_numpy().astype(np.int64) * len(SPLITS) + block.splits[block.labels.rows]
    counts = np.bincount(codes)
    return {
        (SPLITS[code % len(SPLITS)], names[code // len(SPLITS)]): int(counts[code]) for code in np.flatnonzero(counts)
    }


def key_batches(job: Job, unit: Unit) -> Iterable[pa.RecordBatch]:
    """The key columns of a unit."""
    columns = job.config.key_columns()
    if columns:
        return read_listed(job.reader, unit, columns, 0, unit.rows)
    return [pa.record_batch([pa.nulls(unit.rows)], names=[""])]


def side_by_side(job: Job, units: Sequence[Unit], call: Callable[[Unit], _Found]) -> Iterator[_Found]:
    """What `call` makes of each unit, in order, several at a time."""
    return in_order(call, units, _LOCAL_THREADS if job.reader.root.local else THREADS)


def _table(
    job: Job, units: Sequence[Unit], parts: list[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int32]]]
) -> BlockTable:
    starts, stops, records = zip(*parts, strict=True)
    places = np.repeat(np.arange(len(units), dtype=np.int32), [len(part) for part in starts])
    start, stop, counts = np.concatenate(starts), np.concatenate(stops), np.concatenate(records)
    return BlockTable(tuple(units), places, start, stop, counts, job.decided)


def _refuse_duplicates(job: Job, units: Sequence[Unit], hashes: NDArray[np.uint64]) -> None:
    """Raise InputError if ids occur twice; `hashes` are sorted in place. Equal digests alone are no proof."""
    twice = _repeated(hashes)
    if not len(twice):
        return
    places: dict[str, list[str]] = {}
    for found in side_by_side(job, units, lambda unit: _suspects(job, unit, twice[:_MAX_EXAMINED])):
        for key in found:
            places.setdefault(key.key, []).append(f"{key.file} row {key.row}")
    doubled = {key: at for key, at in places.items() if len(at) > 1}
    if doubled:
        raise _duplicates(job, doubled, len(doubled) if len(twice) <= _MAX_EXAMINED else len(twice))


def _repeated(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Those that occur more than once; all are sorted in place."""
    hashes.sort()
    later, earlier = hashes[1:], hashes[:-1]
    found = [later[span][later[span] == earlier[span]] for span in spans(len(later))]
    return np.unique(np.concatenate([hashes[:0], *found]))


def _plain_digests(block: KeyBlock, own: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Digests of a block's ids without what is easily written otherwise; `own`: those of all its keys."""
    ids = block.keys.filter(pa.array(block.identified)).cast(pa.string())
    shortened = plain(ids)
    changed = pc.not_equal(ids, shortened).to_numpy(zero_copy_only=False)
    found = own[block.identified]
    found[changed] = digests(shortened.filter(pa.array(changed)).cast(pa.binary()).to_pylist())
    return found


def _secret_ids(block: KeyBlock) -> int:
    """How many ids hold a credential of a URL."""
    ids = block.keys.filter(pa.array(block.identified))
    urls = ids.filter(pc.match_substring(ids, b"//")).cast(pa.string()).to_pylist()
    return sum(masked(url, False) != url for url in urls)


def _id_notes(job: Job, units: Sequence[Unit], plain_hashes: NDArray[np.uint64], secret: int) -> Iterator[str]:
    """A line if ids hold credentials, and one if they differ only in how they are written, unless they name files."""
    if secret:
        yield (
            f"{secret} ids of {job.config.input.id} are URLs that hold a credential, which stands in sample_id, lineage"
            " and _failed: name another column as input.id, or write the URLs without it"
        )
    twice = _repeated(plain_hashes) if job.config.input.id != PATH else plain_hashes[:0]
    if not len(twice):
        return
    spellings = Spellings()
    for found in side_by_side(job, units, lambda unit: _spelled(job, unit, twice[:_MAX_LISTED])):
        spellings.merge(found)
    yield spelling_note(len(twice), f"ids of {job.config.input.id}", spellings.several(), GROUPS_APART)


def _spelled(job: Job, unit: Unit, hashes: NDArray[np.uint64]) -> Spellings:
    """Ids of a unit whose digests, without what is easily written otherwise, are among these."""
    found = Spellings()
    for block in key_blocks(job, unit):
        ids = block.keys.filter(pa.array(block.identified))
        own = digests(block.keys.to_pylist())
        found.add(ids.filter(pa.array(np.isin(_plain_digests(block, own), hashes))).cast(pa.string()))
    return found


def _suspects(job: Job, unit: Unit, hashes: NDArray[np.uint64]) -> list[Key]:
    """Keys of a unit whose ids have one of these digests."""
    keys: list[Key] = []
    for block in key_blocks(job, unit):
        places = np.flatnonzero(block.identified & np.isin(digests(block.keys.to_pylist()), hashes))
        keys += keys_at(job.config, job.reader, block, places.tolist())
    return keys


def _duplicates(job: Job, doubled: dict[str, list[str]], count: int) -> InputError:
    problems = tuple(
        Problem("input.id", f"{key!r} occurs {len(at)} times: {', '.join(at[:3])}{' …' if len(at) > 3 else ''}.")
        for key, at in sorted(doubled.items())[:_MAX_LISTED]
    )
    more = f" ({_MAX_LISTED} of them are listed)" if count > _MAX_LISTED else ""
    message = f"{count} ids in column {job.config.input.id!r} are not unique{more}"
    return InputError(
        message, (*problems, Problem("", "Ids name records: remove doubled rows, or leave input.id out."))
    )
