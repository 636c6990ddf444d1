"""Records that a version looked at or blended with, and that are not where it found them."""

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from pipeline.errors import FanbeamError, InputError
from pipeline.planning.donors.selection import Candidate
from pipeline.planning.job import Job
from pipeline.records import Block
from pipeline.sources import Reader
from pipeline.sources.moved_records import Place, files_like, sought
from pipeline.sources.source_files import source_file
from pipeline.storage.folder import Folder


class RecordGone(InputError):
    """Another record, which a step looks at or blends with, is not in the input any more."""


def found_again(job: Job, candidate: Candidate) -> tuple[Reader, Block]:
    """Where a record is now that a version looked at. Raises RecordGone."""
    config, root, column = job.config, job.reader.root, job.config.input.id
    why = ""
    try:
        file = source_file(config, root, candidate.file, job.schema)
        block = file.block(candidate.row)
        if block is not None and (column is None or file.has(block, column, candidate.key)):
            return file.reader, block
    except FanbeamError as error:
        why = f": {error.message}"
    moved = _of_candidates(_Candidates(root, job.version, job)).get(candidate.key)
    if moved is None:
        raise gone(candidate, why)
    return moved[0].reader, moved[1]


def gone(candidate: Candidate, why: str = "") -> RecordGone:
    """The error that names one."""
    place = f"{candidate.file} row {candidate.row}"
    return RecordGone(
        f"another record that went into it, {candidate.key!r}, is not in the input any more (it was {place}{why})"
    )


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Those of one version, wherever a job of it comes from."""

    root: Folder
    version: str
    job: Job = field(compare=False)


@lru_cache(maxsize=1)
def _of_candidates(those: _Candidates) -> dict[str, Place]:
    """All of them at once: every file is read once, however many moved."""
    known = those.job.candidates
    if known is None:
        return {}
    everyone = {c.key: c for c in chain(known.everyone, known.donors, *known.classes.values())}
    files = dict.fromkeys(candidate.file for candidate in everyone.values())
    names = chain(files, files_like(those.job.config, those.root, files))
    found = sought(those.job.config, those.root, names, everyone)
    lacking = those.job.schema
    return {key: (source_file(those.job.config, those.root, f.name, lacking), b) for key, (f, b) in found.items()}
