"""Records that are not where a version found them: searched by their ids in every file of its input."""

import posixpath
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress

from pipeline.config.schema import JobConfig
from pipeline.config.types import each_of
from pipeline.errors import FanbeamError
from pipeline.records import LINEAGE, SAMPLE_ID, Block
from pipeline.sources.folder import FolderReader
from pipeline.sources.listing import gather
from pipeline.sources.source_files import SourceFile, source_file
from pipeline.storage.folder import Folder

Place = tuple[SourceFile, Block]
_MADE = {SAMPLE_ID, LINEAGE}
"""Columns of what a run wrote, which is no input."""


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
