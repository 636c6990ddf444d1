"""Where a path or URL leads, and what a prefix covers. Nothing is opened here."""

import os
import posixpath
import stat as modes
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.escaping.url_credentials import masked, secret_in
from pipeline.storage.stores.store_errors import family

SYSTEM = ("/proc", "/sys", "/dev")
SHARED_MEMORY = "/dev/shm"
_WEB = {"http": 80, "https": 443}
_BASIC = frozenset(map(chr, range(32))) | {"\\", "\x7f"}


class OutsideAllowed(OSError):
    """Data, not the config, names a place that it has no right to. It was not opened."""

    def __str__(self) -> str:
        return str(self.args[0])


def is_web(url: str) -> bool:
    """Whether it is an address of the web."""
    return family(url) in _WEB and "://" in url


def real_path(path: str) -> str:
    """A local path with its links resolved; those of its folder are looked up once."""
    folder, name = posixpath.split(path)
    real = posixpath.join(_real_folder(folder), name)
    try:
        return os.path.realpath(real) if modes.S_ISLNK(os.lstat(real).st_mode) else real
    except OSError:
        return real


def is_there(path: str) -> bool:
    """Whether a local path names anything."""
    try:
        os.lstat(path)
    except (OSError, ValueError):
        return False
    return True


@lru_cache(maxsize=4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)


@lru_cache(maxsize=256)
def resolved(prefix: str) -> str:
    """A prefix made absolute; of a local one the links are resolved."""
    if "://" in prefix and not prefix.startswith("file://"):
        return prefix
    return os.path.realpath(Path(prefix.removeprefix("file://")).expanduser())


def forget() -> None:
    """Look at links anew: another run of this process may find them, or the current folder, changed."""
    _real_folder.cache_clear()
    resolved.cache_clear()


def within(where: str, prefixes: Iterable[str]) -> bool:
    """Whether a real path or URL is, or lies below, one of the prefixes."""
    return any(covers(resolved(prefix), where) for prefix in prefixes)


def of_the_system(path: str) -> bool:
    """Whether a local path, its links resolved, lies among what the kernel shows of processes and devices."""
    return any(_inside(path, place) for place in SYSTEM) and not _inside(path, SHARED_MEMORY)


def covers(prefix: str, where: str) -> bool:
    """Whether a place is the prefix, or lies below it, name by name. Links of local paths are resolved already."""
    if "://" not in prefix or "://" not in where:
        return "://" not in prefix and "://" not in where and _inside(where, prefix)
    named, place = _parts(prefix), _parts(where)
    return named[:2] == place[:2] and _inside(place[2], named[2])


def same_store(url: str, where: str) -> bool:
    """Whether two URLs name the same bucket of a store, or the same host of the web."""
    return "://" in url and "://" in where and _parts(url)[:2] == _parts(where)[:2]


def odd_url(url: str) -> str:
    """What makes a URL mean another place than it seems to; empty if nothing does."""
    rest = url.partition("://")[2]
    if "::" in url:
        return "chains several file systems"
    if not rest.partition("/")[0]:
        return "names no host or bucket"
    if any(unquote(part) in (".", "..") for part in rest.split("/")):
        return "goes up in its path"
    if is_web(url) and _BASIC & set(rest):
        return "holds a character that no web address has"
    return ""


def prefix_problem(prefix: str) -> str:
    """Why a prefix cannot be allowed; empty if it can."""
    if "://" not in prefix or prefix.startswith("file://"):
        return f"{prefix!r} shows processes and devices, not files of data" if of_the_system(resolved(prefix)) else ""
    odd = odd_url(prefix)
    return secret_in(prefix) or (f"{masked(prefix)!r} {odd}" if odd else "")


def _parts(url: str) -> tuple[str, str, str]:
    """Kind of store, bucket or host, and path."""
    kind = family(url)
    if kind in _WEB:
        try:
            parts = urlsplit(url)
            return kind, f"{parts.hostname or ''}:{parts.port or _WEB[kind]}", parts.path or "/"
        except ValueError:  # a port that is none
            return kind, url, "/"
    place, _, path = url.partition("://")[2].partition("/")
    return kind, place, f"/{path}"


def _inside(path: str, folder: str) -> bool:
    folder = posixpath.normpath(folder) if folder else "/"
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
