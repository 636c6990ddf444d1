"""Records that are not where a version found them: searched by their ids in every file of its input."""

import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain

from pipeline.candidates import Candidate
from pipeline.config import JobConfig
from pipeline.config_types import each_of
from pipeline.errors import FanbeamError, InputError
from pipeline.job import Job
from pipeline.records import Block
from pipeline.schema import LINEAGE, SAMPLE_ID
from pipeline.sources import Reader
from pipeline.sources.folder import FolderReader
from pipeline.sources.listing import gather
from pipeline.storage import Folder
from pipeline.versions.source_files import SourceFile, source_file

Place = tuple[SourceFile, Block]
_MADE = {SAMPLE_ID, LINEAGE}
"""Columns of what a run wrote, which is no input."""


class RecordGone(InputError):
    """Another record, which a step looks at or blends with, is not in the input any more."""


def files_like(config: JobConfig, root: Folder, known: Iterable[str]) -> Iterator[str]:
    """Names of files of the input, as `input.path` lists them now, that end as those that are known; these left out.

    Of an input that moved, or whose paths nobody knows any more, all files below its root.
    """
    known = {*known}
    endings = {posixpath.splitext(name)[1].lower() for name in known}
    for name in _listed(config, root) or _names(root, each_of(config.input.allow)):
        hidden = any(part.startswith("_") for part in name.split("/"))
        if name not in known and not hidden and posixpath.splitext(name)[1].lower() in endings:
            yield name


def sought(config: JobConfig, root: Folder, names: Iterable[str], ids: Collection[str]) -> dict[str, Place]:
    """Where records with some ids are; files that cannot be read, or have no ids, are passed over."""
    column, found, missing = config.input.id, dict[str, Place](), {*ids}
    for name in names:
        if column is None or not missing:
            break
        try:
            file = source_file(config, root, name)
            if isinstance(file.reader, FolderReader):
                break  # a file of another name is another record
            columns = {*file.listing.schema.names}
            there = file.rows_of(column, sorted(missing)) if column in columns and not columns >= _MADE else {}
        except FanbeamError:
            continue
        found |= {key: (file, block) for key, block in there.items()}
        missing -= there.keys()
    return found


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


def _listed(config: JobConfig, root: Folder) -> list[str]:
    """What the paths of the config list, if names count from the same root as when the version was made."""
    for given in (None, root.url):
        with suppress(FanbeamError):
            top, found = gather(config.input.path, given, each_of(config.input.allow))
            if top == root:
                return [file.path for file in found]
    return []


def _names(root: Folder, allowed: Sequence[str]) -> Iterator[str]:
    """Of all files, as an input of one or of several roots calls them."""
    if not root.parts:
        yield from (file.path for file in root.walk(allowed))
    for prefix, place in root.parts:
        for file in Folder(posixpath.join(root.url, place)).walk(allowed):
            name = posixpath.join(prefix, file.path)
            if root.placed(name) == posixpath.join(place, file.path):
                yield name
