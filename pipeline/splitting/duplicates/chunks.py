"""The input in pieces that one worker looks at: rows of a unit, and where they stand among all rows."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import orjson

from pipeline.planning.job import Job
from pipeline.planning.split_table import packed, unpacked
from pipeline.records import Block, Unit, unit_of
from pipeline.storage.folder import Folder
from pipeline.storage.layout import WORK

_CONTENT_BYTES, _SIGNED_BYTES = 64 * 2**20, 16 * 2**20
_REFERENCES, _SIGNED = 2_000, 2_048
_PER_FILE = 1_000


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows of one unit; they stand from row `first` of all on, or at `places`."""

    block: Block
    first: int
    places: tuple[int, ...] = ()

    def __len__(self) -> int:
        return self.block.stop - self.block.start


def content_pieces(job: Job, units: Sequence[Unit]) -> Iterator[Piece]:
    """What must be read to know which payloads are the same.

    Of files only those that share their size; those of this machine all, where what is placed now must be known again
    under another name.
    """
    sizes = Counter(member.size for unit in units for member in unit.members)
    first = 0
    for unit in units:
        if unit.members and not (job.config.split.sticky and job.reader.root.local):
            yield from _files(unit, first, sizes)
        elif unit.members:
            yield from _rows(unit, first, _REFERENCES)
        else:
            yield from _rows(unit, first, _REFERENCES if job.external else _CONTENT_BYTES // _average(unit))
        first += unit.rows


def signed_pieces(units: Sequence[Unit]) -> Iterator[Piece]:
    """Everything, in pieces of a second or so."""
    first = 0
    for unit in units:
        yield from _rows(unit, first, min(_SIGNED, _SIGNED_BYTES // _average(unit)))
        first += unit.rows


def write_pieces(output: Folder, name: str, pieces: Iterable[Piece]) -> int:
    """Write them down beside the versions for a job of that name; returns the number of files."""
    files, left = 0, iter(pieces)
    while part := list(islice(left, _PER_FILE)):
        output.put(
            _path(name, files),
            orjson.dumps(
                [(p.block.unit, p.block.start, p.block.stop, packed(p.block.splits), p.first, p.places) for p in part]
            ),
        )
        files += 1
    return files


def read_pieces(output: Folder, name: str, number: int) -> Iterator[Piece]:
    """Those of one file."""
    for unit, start, stop, splits, first, places in orjson.loads(output.read(_path(name, number))):
        yield Piece(Block(unit_of(unit), start, stop, unpacked(splits)), first, tuple(places))


def clear(output: Folder, name: str) -> None:
    """Remove everything of a job of that name."""
    for file in output.names(WORK):
        if file.startswith(f"{name}-"):
            output.remove(f"{WORK}/{file}")


def _path(name: str, number: int) -> str:
    return f"{WORK}/{name}-pieces-{number:05d}.json"


def _average(unit: Unit) -> int:
    return max(1, unit.bytes // max(1, unit.rows))


def _rows(unit: Unit, first: int, step: int) -> Iterator[Piece]:
    for start in range(0, unit.rows, max(1, step)):
        block = Block(unit, start, min(unit.rows, start + max(1, step))).alone()
        yield Piece(block, first + start)


def _files(unit: Unit, first: int, sizes: Counter[int]) -> Iterator[Piece]:
    places = [n for n, member in enumerate(unit.members) if sizes[member.size] > 1]
    for begin in range(0, len(places), _REFERENCES):
        some = places[begin : begin + _REFERENCES]
        members = tuple(unit.members[n] for n in some)
        alone = replace(unit, rows=len(some), bytes=sum(m.size for m in members), members=members)
        yield Piece(Block(alone, 0, len(some)), first, tuple(first + n for n in some))
