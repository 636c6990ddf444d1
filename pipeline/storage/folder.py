"""The only door to files and object stores. What is published is published whole, or not at all."""

import os
import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.fs import PyFileSystem

from pipeline.errors import InputError, UsageError
from pipeline.storage import local_files
from pipeline.storage.local_files import TEMPORARY, Found, publish, read_regular, remove_unlocked, stat, stat_regular
from pipeline.storage.stores import connect
from pipeline.storage.stores.arrow_filesystem import StoreFiles, remote_file
from pipeline.storage.stores.connections import UnknownStorage as UnknownStorage
from pipeline.storage.stores.globs import MAGIC, expand_glob, hidden
from pipeline.storage.stores.globs import fixed_part as fixed_part
from pipeline.storage.stores.interface import Permitted
from pipeline.storage.stores.locations import within
from pipeline.storage.stores.store_errors import StoreFailed as StoreFailed
from pipeline.storage.stores.store_errors import clear_errors
from pipeline.storage.stores.store_errors import secret_in as secret_in


@dataclass(frozen=True, slots=True)
class Folder:
    """A local folder or a prefix of an object store. Small and picklable: connections are made where it is used.

    Safe in threads. Raises StoreFailed where a store cannot be used, besides what is said below.
    `parts`: of an input of several roots how the names in each begin, and where within the folder it is.
    """

    url: str
    parts: tuple[tuple[str, str], ...] = ()

    @classmethod
    def at(cls, path: str) -> "Folder":
        """The folder at a local path (made absolute) or URL."""
        return cls(absolute(path))

    @property
    def local(self) -> bool:
        """Whether it lies on this machine."""
        return not is_url(self.url)

    def full(self, name: str = "") -> str:
        """Absolute path or URL of a name inside."""
        return posixpath.join(self.url, self.placed(name)) if name else self.url

    def placed(self, name: str) -> str:
        """Where within the folder a file lies; its name, unless the folder has several roots."""
        for prefix, place in self.parts:
            if not prefix or name.startswith(f"{prefix}/"):
                return posixpath.join(place, name[len(prefix) :].lstrip("/"))
        return name

    def folder(self, name: str) -> "Folder":
        """The folder of that name inside."""
        return Folder(self.full(name))

    def read(self, name: str) -> bytes:
        """The whole content. Raises FileNotFoundError."""
        if self.local:
            return Path(self.full(name)).read_bytes()
        store, key = connect(self.full(name))
        return store.read(key)

    def mapped(self, name: str) -> pa.Buffer:
        """The same; a local file is mapped, so that processes share its pages."""
        if self.local:
            with pa.memory_map(self.full(name)) as file:
                return file.read_buffer()
        return pa.py_buffer(self.read(name))

    def read_range(self, name: str, begin: int, end: int) -> bytes:
        """Bytes `begin`..`end` of a file."""
        if self.local:
            with Path(self.full(name)).open("rb") as file:
                file.seek(begin)
                return file.read(end - begin)
        store, key = connect(self.full(name))
        return store.read_range(key, begin, end)

    @contextmanager
    def open(self, name: str, size: int | None = None) -> Iterator[Any]:
        """A random access file for Arrow's readers. `size` in bytes, if it is known, saves a request to a store."""
        if self.local:
            with pa.OSFile(self.full(name), "rb") as file:
                yield file
            return
        store, key = connect(self.full(name))
        with remote_file(store, key, size) as file:
            yield file

    def exists(self, name: str = "") -> bool:
        """Whether a file or folder of that name exists."""
        if self.local:
            return Path(self.full(name)).exists()
        if _is_file(self.full(name)):
            return True
        store, key = connect(self.full(name))
        return bool(store.files(key) or store.folders(key))

    def names(self, prefix: str = "") -> list[str]:
        """Names of the files directly inside the folder `prefix`, sorted; empty if there is no such folder."""
        if self.local:
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.full(prefix)) as entries:
                return sorted(e.name for e in entries if e.is_file() and not e.name.startswith(TEMPORARY))
            return []
        store, key = connect(self.full(prefix))
        return sorted(found.path for found in store.files(key))

    def folders(self) -> list[str]:
        """Names of the folders directly inside, sorted."""
        if self.local:
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.url) as entries:
                return sorted(e.name for e in entries if e.is_dir())
            return []
        store, key = connect(self.url)
        return sorted(store.folders(key))

    def walk(self, allowed: Sequence[str] | None = None) -> list[Found]:
        """Every file below, sorted by path; names that begin with a dot are left out.

        `allowed`: where links to folders may lead to besides this folder; such as are not followed have the tag LINK.
        """
        if self.local:
            places = None if allowed is None else (self.url, *allowed)
            found = local_files.walk(self.url, lambda real: places is None or within(real, places))
            return sorted(found, key=lambda f: f.path)
        store, key = connect(self.url)
        return sorted((f for f in store.walk(key) if not hidden(f.path)), key=lambda f: f.path)

    def stat(self, name: str) -> Found:
        """Size and tag of one file. Raises FileNotFoundError."""
        if self.local:
            return stat(self.full(name), name)
        store, key = connect(self.full(name))
        found = store.stat(key)
        return Found(name, found.size, found.tag)

    def put(self, name: str, data: bytes | memoryview | pa.Buffer) -> None:
        """Write a whole object; an existing one is replaced. Never visible in part. Raises RunFailed."""
        with clear_errors(self.full(name)):
            if self.local:
                publish(self.full(name), data, replace=True, root=self.url)
                return
            store, key = connect(self.full(name))
            store.put(key, memoryview(data).cast("B"))

    def put_if_absent(self, name: str, data: bytes | memoryview) -> bool:
        """Write a whole object unless one of that name exists; whether it was written. Raises RunFailed."""
        with clear_errors(self.full(name)):
            if self.local:
                return publish(self.full(name), data, replace=False, root=self.url)
            store, key = connect(self.full(name))
            return store.put_if_absent(key, bytes(data))

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        if self.local:
            Path(self.full(name)).unlink(missing_ok=True)
            return
        store, key = connect(self.full(name))
        store.remove(key)

    def make(self) -> None:
        """Make sure that the folder can be written to. Raises RunFailed."""
        if self.local:
            with clear_errors(self.url):
                Path(self.url).mkdir(parents=True, exist_ok=True)

    def remove_leftovers(self) -> int:
        """Remove temporary files of killed runs; those of living ones are locked and stay. Returns how many."""
        return sum(remove_unlocked(Path(self.full(name))) for name in self.temporary_files())

    def temporary_files(self) -> list[str]:
        """Names of temporary files, as deep as an output folder goes. Object stores have none."""
        if not self.local:
            return []
        places = (TEMPORARY, f"*/{TEMPORARY}", f"*/*/{TEMPORARY}", f"*/_*/*/{TEMPORARY}")
        found = (path for place in places for path in Path(self.url).glob(f"{place}*") if path.is_file())
        return sorted(path.relative_to(self.url).as_posix() for path in found)

    def content_tag(self, name: str) -> str:
        """Digest of the content of a file."""
        state = blake2b(digest_size=16)
        with self.open(name) as file:
            while chunk := file.read(1 << 20):
                state.update(chunk)
        return f"content:{state.hexdigest()}"


def is_url(path: str) -> bool:
    """Whether a path names an object store or another remote file system."""
    return "://" in path and not path.startswith("file://")


def absolute(path: str) -> str:
    """A local path made absolute (without resolving links); URLs as they are, without a trailing slash."""
    if is_url(path):
        return path.rstrip("/")
    return os.path.abspath(Path(path.removeprefix("file://")).expanduser())  # noqa: PTH100  (links stay as they are)


def read_text(path: str) -> str:
    """Text of a UTF-8 file; a byte order mark is dropped."""
    where = absolute(path)
    folder, name = posixpath.split(where)
    return Folder(folder).read(name).decode("utf-8-sig")


def read_file(path: str) -> bytes:
    """The whole content of one file, by absolute path or URL. Raises OSError."""
    folder, name = posixpath.split(path)
    return Folder(folder).read(name)


def stat_file(path: str) -> Found:
    """Size and tag of one file, by absolute path or URL. Raises OSError."""
    folder, name = posixpath.split(path)
    return Folder(folder).stat(name)


def read_named(where: str, most: int, permitted: Permitted) -> bytes:
    """The whole content of a file that data names, by real path or URL.

    Raises FileNotFoundError, TooLarge (more than `most` bytes), OutsideAllowed (a redirection), other OSErrors.
    """
    if not is_url(where):
        return read_regular(where, most)
    store, key = connect(where)
    return store.read_named(key, most, permitted)


def stat_named(where: str, permitted: Permitted) -> Found:
    """Size and tag of a file that data names; see `read_named`."""
    if not is_url(where):
        return stat_regular(where, where)
    store, key = connect(where)
    return store.stat_named(key, permitted)


def write_file(path: str, data: bytes) -> None:
    """Write one file that a command makes (config, picture, sample)."""
    folder, name = posixpath.split(absolute(path))
    target = Folder(folder)
    target.make()
    target.put(name, data)


def expand(pattern: str, allowed: Sequence[str] = ()) -> tuple[Folder, list[Found]]:
    """The root folder and files of a file, glob or folder; see `Folder.walk`. Raises InputError if there is none."""
    if reason := secret_in(pattern):
        raise UsageError(reason)
    where = absolute(pattern)
    try:
        if is_url(where):
            connect(where)[0].reach()
        return _expanded(pattern, where, allowed)
    except StoreFailed as error:
        raise InputError(error.message.rstrip(".")) from error
    except OSError as error:
        reason = error.strerror or str(error).rstrip(".")
        cure = ". Check owner and mode" if isinstance(error, PermissionError) else ""
        raise InputError(f"{pattern}: cannot be read: {reason}{cure}") from error


def _expanded(pattern: str, where: str, allowed: Sequence[str]) -> tuple[Folder, list[Found]]:
    folder, name = posixpath.split(where)
    if MAGIC & set(where) and not Folder(where).exists():
        root, found = expand_glob(where)
        return Folder(root), found
    if _is_file(where):
        return Folder(folder), [Folder(folder).stat(name)]
    if not Folder(where).exists():
        raise InputError(f"no such path: {pattern}")
    return Folder(where), Folder(where).walk(allowed)


def _is_file(where: str) -> bool:
    if not is_url(where):
        return Path(where).is_file()
    store, key = connect(where)
    with suppress(FileNotFoundError):
        return bool(key) and store.stat(key) is not None
    return False


def file_system(folder: Folder) -> tuple[Any, str]:
    """A file system of Arrow (None for local), for reading, and the folder's path on it."""
    if folder.local:
        return None, folder.url
    store, key = connect(folder.url)
    return PyFileSystem(StoreFiles(store)), key
