"""Columns that hold paths or URLs of files: resolving, reading, and counting the files into the input snapshot."""

import posixpath
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import blake2b

from pipeline.local_files import Found
from pipeline.records import InputFile, Unit
from pipeline.sources.interface import Listing, Reader
from pipeline.storage import Folder, is_url, stat_file

_THREADS = 16
_MISSING = Found("", 0, "missing")


def resolve(reference: str, root: Folder, file: str) -> str:
    """Absolute path or URL of a reference; a relative one counts from the folder of the table that names it."""
    if is_url(reference):
        return reference
    reference = reference.removeprefix("file://")
    scheme, mark, base = posixpath.dirname(root.full(file)).rpartition("://")
    path = posixpath.normpath(posixpath.join(base, reference))
    return path if reference.startswith("/") else f"{scheme}{mark}{path}"


def with_references(listing: Listing, columns: Sequence[str]) -> Listing:
    """The listing with referenced files in the sizes of its units and in the tags of its tables.

    So a picture that changes behind an unchanged table makes another version of the dataset.
    """
    if not columns:
        return listing
    digests = {f.path: blake2b(digest_size=16) for f in listing.files}
    units = []
    with ThreadPoolExecutor(_THREADS) as threads:
        for unit in listing.units:
            found = list(threads.map(_stat, referenced(listing.reader, unit, columns)))
            for file in found:
                digests[unit.file].update(f"{file.path}\0{file.size}\0{file.tag}\n".encode())
            units.append(replace(unit, bytes=unit.bytes + sum(f.size for f in found)))
    files = tuple(InputFile(f.path, f.size, f"{f.tag}+files:{digests[f.path].hexdigest()}") for f in listing.files)
    return replace(listing, files=files, units=tuple(units))


def referenced(reader: Reader, unit: Unit, columns: Sequence[str]) -> Iterable[tuple[str, str]]:
    """Every reference of a unit as written, and where it leads."""
    for batch in reader.read(unit, columns, 0, unit.rows):
        for column in batch.columns:
            for reference in column.to_pylist():
                if isinstance(reference, str):
                    yield reference, resolve(reference, reader.root, unit.file)


def _stat(reference: tuple[str, str]) -> Found:
    written, path = reference
    try:
        return replace(stat_file(path), path=written)
    except (OSError, ValueError):
        return replace(_MISSING, path=written)
