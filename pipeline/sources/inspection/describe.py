"""Look at some data for `fanbeam init`: what kind it is, which column is what, and what a config for it says."""

import posixpath
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from pipeline.errors import InputError, Problem, UsageError
from pipeline.sources.folder import EXTENSIONS, ending_of
from pipeline.sources.inspection.findings import Findings
from pipeline.sources.inspection.folders import look_at_folder
from pipeline.sources.inspection.tables import look_at_table
from pipeline.sources.listing import KINDS, gather, kind_of, refuse_saved
from pipeline.storage.folder import Folder
from pipeline.storage.layout import RECEIPTS
from pipeline.storage.local_files import Found

_READABLE = "What can be read: Parquet, CSV, TSV, JSON Lines, and folders of files that end with"
_PAPERS = frozenset({"readme", "license", "licence", "copying", "changelog", "notes", "requirements", "about"})
_GLOB = frozenset("*?[")


def describe_data(path: str, results: bool = False) -> Findings:
    """Look at the files, the columns and some rows; key columns wholly, up to two million rows.

    `results`: whether a table that a run wrote is looked at like any other.

    Raises InputError, with a remedy: no such path, nothing in it, nothing that can be read, no column of payload.
    """
    if not path:
        raise UsageError("DATA is empty: give a file, a glob or a folder")
    try:
        root, everything = gather(path)
    except InputError as error:
        remedy = "Check the spelling; relative paths start at the current folder."
        raise InputError(error.message, (Problem(path, f"{error.message}.", remedy),)) from error
    _refuse_results(path, everything)
    refuse_saved(path, everything)
    found = [f for f in everything if not posixpath.basename(f.path).startswith("_")]
    kind = _main_kind(path, found)
    agreed = _agreed(path, everything, kind)
    if kind == "folder":
        return look_at_folder(path, root, everything, "" if agreed else "folder")
    if agreed:
        return look_at_table((path,), path, (), results)
    return look_at_table(_patterns(path, root, found, kind), path, (_several(found, kind),), results)


def _refuse_results(path: str, found: Sequence[Found]) -> None:
    """A folder with the result of a run in it is no input: it would be multiplied again."""
    made = next((f.path for f in found if RECEIPTS in f.path.split("/")), None)
    if made is not None:
        message = f"{path!r} holds the result of a fanbeam run: {made.partition(f'/{RECEIPTS}')[0]}"
        raise InputError(message, (Problem(path, f"{message}.", "Give the folder or files of the original data."),))


def _main_kind(path: str, found: Sequence[Found]) -> str:
    """The kind of most bytes: a table among pictures describes them, a README among tables is none of them."""
    weights: Counter[str] = Counter()
    for file in found:
        kind = _kind(file)
        if kind and PurePosixPath(file.path).stem.lower() not in _PAPERS:
            weights[kind] += file.size + 1
    if weights:
        return max(sorted(weights), key=weights.__getitem__)
    endings = ", ".join(sorted({PurePosixPath(f.path).suffix or "no extension" for f in found})[:5])
    message = f"nothing in {path!r} can be read: it holds {len(found)} files{f' ({endings})' if found else ''}"
    known = ", ".join(sorted({extension for of_kind in EXTENSIONS.values() for extension in of_kind}))
    raise InputError(message, (Problem(path, f"{message}.", f"{_READABLE} {known}."),))


def _agreed(path: str, found: list[Found], kind: str) -> bool:
    """Whether a run would take the path for the same kind without being told."""
    try:
        return kind_of(found, path) == kind
    except InputError:
        return False


def _patterns(path: str, root: Folder, found: Sequence[Found], kind: str) -> tuple[str, ...]:
    """Globs that leave only the files of one kind, or the files themselves where the path is a glob already."""
    files = [f.path for f in found if _kind(f) == kind]
    if _GLOB & set(path):
        return tuple(root.full(name) for name in files)
    deep = "**/" if any("/" in name for name in files) else ""
    endings = sorted({PurePosixPath(name).suffix for name in files})
    return tuple(f"{path.rstrip('/')}/{deep}*{ending}" for ending in endings)


def _several(found: Sequence[Found], kind: str) -> str:
    others = sorted({k for f in found if (k := _kind(f)) and k != kind})
    return f"Also there, and left out by the pattern: {', '.join('files' if k == 'folder' else k for k in others)}."


def _kind(file: Found) -> str | None:
    return KINDS.get(ending_of(file.path))
