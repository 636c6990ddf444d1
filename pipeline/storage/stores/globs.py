"""Glob patterns on local disk and in stores: folder by folder, so that only what can match is listed."""

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fnmatch import translate
from pathlib import Path
from typing import TypeVar

from pipeline.storage.local_files import MISSING, Found, stat
from pipeline.storage.stores.connections import connect
from pipeline.storage.stores.interface import Store

MAGIC = frozenset("*?[")
_LISTINGS_AT_ONCE = 16
Result = TypeVar("Result")


def expand_glob(where: str) -> tuple[str, list[Found]]:
    """The folder above the first wildcard, and the files below it that match. Hidden ones only where asked for."""
    root = fixed_part(where)
    pattern = where[len(root.rstrip("/")) + 1 :].split("/")
    found = _in_store(root, pattern) if "://" in where else _on_disk(root, where)
    asked = hidden("/".join(pattern))
    return root, sorted((f for f in found if asked or not hidden(f.path)), key=lambda f: f.path)


def fixed_part(where: str) -> str:
    """The folder above the first wildcard of a pattern; what has none is its own."""
    parts = where.split("/")
    fixed = next((n for n, part in enumerate(parts) if MAGIC & set(part)), len(parts))
    return "/".join(parts[:fixed]) or "/"


def hidden(path: str) -> bool:
    """Whether a name in a path begins with a dot."""
    return any(part.startswith(".") for part in path.split("/"))


def _on_disk(root: str, where: str) -> list[Found]:
    from fsspec.implementations.local import LocalFileSystem

    system = LocalFileSystem()
    found = system.glob(where, detail=True).items()
    names = (name for name, info in found if info["type"] == "file" or system.isfile(name) or _leads_nowhere(name))
    skipped = len(root.rstrip("/")) + 1
    return [Found(name[skipped:], 0, MISSING) if _leads_nowhere(name) else stat(name, name[skipped:]) for name in names]


def _leads_nowhere(name: str) -> bool:
    return Path(name).is_symlink() and not Path(name).exists()


def _in_store(root: str, pattern: Sequence[str]) -> list[Found]:
    store, key = connect(root)
    with ThreadPoolExecutor(_LISTINGS_AT_ONCE) as threads:

        def each(call: Callable[[str], list[Result]], folders: Iterable[str]) -> list[Result]:
            return [result for results in threads.map(call, folders) for result in results]

        level = [""]
        for depth, part in enumerate(pattern[:-1]):
            if "**" in part:
                return each(lambda folder, rest=pattern[depth:]: _below(store, key, folder, rest), level)  # type: ignore[misc]
            level = each(lambda folder, part=part: _folders(store, key, folder, part), level)  # type: ignore[misc]
        if "**" in pattern[-1]:
            return each(lambda folder: _below(store, key, folder, pattern[-1:]), level)
        return each(lambda folder: _files(store, key, folder, pattern[-1]), level)


def _folders(store: Store, root: str, folder: str, part: str) -> list[str]:
    if not MAGIC & set(part):
        return [posixpath.join(folder, part)]
    matches = re.compile(translate(part)).match
    return [posixpath.join(folder, name) for name in store.folders(posixpath.join(root, folder)) if matches(name)]


def _files(store: Store, root: str, folder: str, part: str) -> list[Found]:
    matches = re.compile(translate(part)).match
    listed = store.files(posixpath.join(root, folder))
    return [Found(posixpath.join(folder, f.path), f.size, f.tag) for f in listed if matches(f.path)]


def _below(store: Store, root: str, folder: str, rest: Sequence[str]) -> list[Found]:
    from fsspec.utils import glob_translate

    matches = re.compile(glob_translate("/".join(rest))).match
    listed = store.walk(posixpath.join(root, folder))
    return [Found(posixpath.join(folder, f.path), f.size, f.tag) for f in listed if matches(f.path)]
