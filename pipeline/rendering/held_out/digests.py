"""Contents of validation and test: gathered before training copies are made, which may not equal them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.config.schema import JobConfig
from pipeline.planning.job import Job
from pipeline.planning.split_table import refusals, split_places
from pipeline.planning.survey import key_blocks, side_by_side
from pipeline.records import SPLITS, Unit
from pipeline.rendering.held_out import twins
from pipeline.splitting.assignment.hash_ranges import Digests
from pipeline.splitting.decision import Decision
from pipeline.splitting.duplicates.backends import Seeker
from pipeline.splitting.duplicates.chunks import Piece, signed_pieces
from pipeline.storage.mapped_columns import spans

_HELD_OUT = SPLITS.index("validation")


def with_held_out(job: Job, units: Sequence[Unit], decision: Decision | None, seeker: Seeker) -> Job:
    """The job whose copies are compared with what is held out, which stands in a file of the version from now on.

    Payloads that come into the dataset as they are were digested when the split was decided. Texts that `prepare` steps
    change, or that nobody has looked at, are read, and rendered as they will be written. Other media are left out.
    """
    names = twins.names_of(job.config)
    if not names:
        return job
    known = twins.kept(job.dataset)
    if known is not None:
        return replace(job, held_out=known)
    as_they_are = {name: fields for name, fields in names.items() if not _changed(job.config, fields)}
    looked = _looked_at_all(job, units, decision) and as_they_are.keys() == names.keys()
    if all(field.type == "text" for field in job.config.fields.values()) and not looked:
        found = seeker.written(job, held_out_pieces(job, units))
    else:
        found = _decided(decision, as_they_are)
    return replace(job, held_out=twins.keep(job.dataset, found))


def _changed(config: JobConfig, fields: Sequence[str]) -> bool:
    """Whether originals are written otherwise than they came."""
    return any(config.fields[name].prepare or config.fields[name].originals == "decoded" for name in fields)


def _looked_at_all(job: Job, units: Sequence[Unit], decision: Decision | None) -> bool:
    """Whether all payloads were digested for the split: of files in a store only those are that share their size."""
    if decision is None or not decision.contents:
        return False
    return (job.config.split.sticky and job.reader.root.local) or not any(unit.members for unit in units)


def _decided(decision: Decision | None, names: Iterable[str]) -> dict[str, list[Digests]]:
    """Contents of the rows that were decided to be held out, a stretch at a time; nothing if none were digested."""
    if decision is None or not decision.contents:
        return {}
    codes, contents = decision.table.codes, decision.contents
    return {name: [contents[name][span][split_places(codes[span]) > 0] for span in spans(len(codes))] for name in names}


def held_out_pieces(job: Job, units: Sequence[Unit]) -> Iterator[Piece]:
    """Those with held-out rows; their blocks have a byte for each row that tells which those are."""
    first = 0
    for unit, codes in zip(units, side_by_side(job, units, lambda unit: _codes(job, unit)), strict=True):
        for piece in signed_pieces([unit]):
            own = codes[piece.first : piece.first + len(piece)]
            if split_places(own).any():
                yield replace(piece, block=replace(piece.block, splits=own.tobytes()), first=first + piece.first)
        first += unit.rows


def _codes(job: Job, unit: Unit) -> NDArray[np.uint8]:
    """Of each row of a unit whether it is held out, as of one split, and what the survey refuses."""
    decided = job.decided_rows(unit, 0, unit.rows)
    if decided is None:
        blocks = [np.empty(0, np.uint8), *(block.splits for block in key_blocks(job, unit))]
        decided = np.concatenate(blocks)
    held = np.where(split_places(decided) > 0, np.uint8(_HELD_OUT), np.uint8(0))
    return held | refusals(decided)
