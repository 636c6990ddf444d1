"""Donors are read and tried once, before anything is rendered: in worker processes, which a bad one may kill.

What cannot be decoded, hangs or crashes is left off, and the others are written beside the plan
(see `rendering.donor_file`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.engines.local import pool as workers
from pipeline.planning.donors.blends import blend_steps
from pipeline.planning.donors.selection import Candidate, Candidates
from pipeline.planning.job import Job, Task
from pipeline.records import Record, Shard
from pipeline.rendering.donor_file import donors_bytes, stored_keys
from pipeline.rendering.donor_reader import record_bytes
from pipeline.storage.layout import DONORS

MOST_BYTES = 256 * 2**20
"""What the files of all donors may take together; those with the last places are left off."""
_AT_ONCE = 64


def with_donors(job: Job, pool: workers.Pool) -> Job:
    """The job with the donors that can be used, which stand in a file of the version from now on."""
    known = job.candidates
    if known is None or not known.donors:
        return job
    keys: Sequence[str] = ()
    if not job.dataset.exists(DONORS):
        found = list(_within(_gathered(pool, known.donors), MOST_BYTES))
        if found:
            job.dataset.put_if_absent(DONORS, donors_bytes(found, str(blend_steps(job.config)[0][0][1])))
    if job.dataset.exists(DONORS):
        keys = stored_keys(job.dataset)  # another run may have been first
    there = set(keys)
    donors = tuple(donor for donor in known.donors if donor.key in there)
    job = replace(job, candidates=Candidates(known.classes, known.everyone, donors))
    pool.adopt(job)
    return job


def _gathered(pool: workers.Pool, donors: Sequence[Candidate]) -> Iterator[Record]:
    """Those that can be used, in their order; read as they stand in the input, a few at once."""
    for first in range(0, len(donors), _AT_ONCE):
        part = donors[first : first + _AT_ONCE]
        blocks = [donor.block.all_of("train") for donor in sorted(part, key=_place) if donor.block]
        tasks = [Task(Shard("train", n, (block,))) for n, block in enumerate(blocks)]
        found = {record.key: record for record in pool.run("donor", tasks) if record is not None}
        yield from (found[donor.key] for donor in part if donor.key in found)


def _within(records: Iterator[Record], most: int) -> Iterator[Record]:
    """The first of them, as many as fit."""
    held = 0
    for record in records:
        held += record_bytes(record)
        if held > most:
            return
        yield record


def _place(donor: Candidate) -> tuple[str, int, int, int]:
    block = donor.block
    return (donor.file, block.unit.part, block.unit.begin, block.start) if block else (donor.file, 0, 0, donor.row)
