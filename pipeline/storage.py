"""The only door to files and object stores. What is published is published whole, or not at all."""

import errno
import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.errors import InputError, RunFailed, UsageError
from pipeline.local_files import TEMPORARY, Found, publish, remove_unlocked, stat, walk

_MAGIC = frozenset("*?[")


class UnknownStorage(UsageError, ValueError):
    """A URL of a kind that no library knows: a mistake in a config, a failed record where a column holds it."""


@dataclass(frozen=True, slots=True)
class Folder:
    """A local folder or a prefix of an object store. Small and picklable: connections are made where it is used."""

    url: str

    @classmethod
    def at(cls, path: str) -> "Folder":
        """The folder at a local path (made absolute) or URL."""
        return cls(absolute(path))

    @property
    def local(self) -> bool:
        """Whether it lies on a file system of this machine."""
        return not is_url(self.url)

    def full(self, name: str = "") -> str:
        """Absolute path or URL of a name inside."""
        return posixpath.join(self.url, name) if name else self.url

    def folder(self, name: str) -> "Folder":
        """The folder of that name inside."""
        return Folder(self.full(name))

    def read(self, name: str) -> bytes:
        """The whole content. Raises FileNotFoundError."""
        if self.local:
            return Path(self.full(name)).read_bytes()
        fs, path = _connect(self.full(name))
        data: bytes = fs.cat_file(path)
        return data

    def read_range(self, name: str, begin: int, end: int) -> bytes:
        """Bytes `begin`..`end` of a file."""
        if self.local:
            with Path(self.full(name)).open("rb") as file:
                file.seek(begin)
                return file.read(end - begin)
        fs, path = _connect(self.full(name))
        data: bytes = fs.cat_file(path, start=begin, end=end)
        return data

    @contextmanager
    def open(self, name: str) -> Iterator[Any]:
        """A random access file for Arrow's readers."""
        if self.local:
            with pa.OSFile(self.full(name), "rb") as file:
                yield file
            return
        fs, path = _connect(self.full(name))
        with fs.open(path, "rb") as remote:
            yield pa.PythonFile(remote, "r")

    def exists(self, name: str = "") -> bool:
        """Whether a file or folder of that name exists."""
        if self.local:
            return Path(self.full(name)).exists()
        fs, path = _connect(self.full(name))
        return bool(fs.exists(path))

    def names(self, prefix: str = "") -> list[str]:
        """Names of the files directly inside the folder `prefix`, sorted; empty if there is no such folder."""
        if self.local:
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.full(prefix)) as entries:
                return sorted(e.name for e in entries if e.is_file() and not e.name.startswith(TEMPORARY))
            return []
        fs, path = _connect(self.full(prefix))
        fs.invalidate_cache()
        with suppress(FileNotFoundError):
            return sorted(posixpath.basename(e["name"]) for e in fs.ls(path, detail=True) if e["type"] == "file")
        return []

    def folders(self) -> list[str]:
        """Names of the folders directly inside, sorted."""
        if self.local:
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(self.url) as entries:
                return sorted(e.name for e in entries if e.is_dir())
            return []
        fs, path = _connect(self.url)
        with suppress(FileNotFoundError):
            return sorted(
                posixpath.basename(e["name"].rstrip("/")) for e in fs.ls(path, detail=True) if e["type"] != "file"
            )
        return []

    def walk(self) -> list[Found]:
        """Every file below, sorted by path; names that begin with a dot are left out."""
        if self.local:
            return sorted(walk(self.url), key=lambda f: f.path)
        fs, path = _connect(self.url)
        found = fs.find(path, detail=True)
        inside = (_found(posixpath.relpath(name, path), info) for name, info in found.items())
        return sorted((f for f in inside if not _hidden(f.path)), key=lambda f: f.path)

    def stat(self, name: str) -> Found:
        """Size and tag of one file. Raises FileNotFoundError."""
        if self.local:
            return stat(self.full(name), name)
        fs, path = _connect(self.full(name))
        return _found(name, fs.info(path))

    def put(self, name: str, data: bytes | memoryview | pa.Buffer) -> None:
        """Write a whole object; an existing one is replaced. Never visible in part. Raises RunFailed."""
        with _clear_errors(self.full(name)):
            if self.local:
                publish(self.full(name), data, replace=True)
                return
            fs, path = _connect(self.full(name))
            fs.pipe_file(path, bytes(data))

    def put_if_absent(self, name: str, data: bytes) -> bool:
        """Write a whole object unless one of that name exists; whether it was written. Raises RunFailed."""
        with _clear_errors(self.full(name)):
            if self.local:
                return publish(self.full(name), data, replace=False)
            fs, path = _connect(self.full(name))
            try:
                fs.pipe_file(path, data, mode="create")
            except FileExistsError:
                return False
            except OSError as error:  # s3fs reports the lost race as "invalid argument"
                if error.errno != errno.EINVAL:
                    raise
                return False
            return True

    def remove(self, name: str) -> None:
        """Remove a file if it is there."""
        if self.local:
            Path(self.full(name)).unlink(missing_ok=True)
            return
        fs, path = _connect(self.full(name))
        with suppress(FileNotFoundError):
            fs.rm_file(path)

    def make(self) -> None:
        """Make sure that the folder can be written to. Raises RunFailed."""
        if self.local:
            with _clear_errors(self.url):
                Path(self.url).mkdir(parents=True, exist_ok=True)

    def remove_leftovers(self) -> int:
        """Remove temporary files of killed runs; those of living ones are locked and stay. Returns how many.

        As deep as an output folder goes: its own files, those of versions, those of a version's folders.
        """
        if not self.local:
            return 0
        places = (TEMPORARY, f"*/{TEMPORARY}", f"*/*/{TEMPORARY}")
        found = [path for place in places for path in Path(self.url).glob(f"{place}*") if path.is_file()]
        return sum(remove_unlocked(path) for path in found)

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


def write_file(path: str, data: bytes) -> None:
    """Write one file that a command makes (config, picture, sample)."""
    folder, name = posixpath.split(absolute(path))
    target = Folder(folder)
    target.make()
    target.put(name, data)


def expand(pattern: str) -> tuple[Folder, list[Found]]:
    """The root folder and files of a file, glob or folder. Raises InputError if there is no such path."""
    where = absolute(pattern)
    if _MAGIC & set(where) and not Folder(where).exists():
        return _glob(where)
    if not Folder(where).exists():
        raise InputError(f"no such path: {pattern}")
    folder, name = posixpath.split(where)
    if _is_file(where):
        return Folder(folder), [Folder(folder).stat(name)]
    return Folder(where), Folder(where).walk()


def _glob(where: str) -> tuple[Folder, list[Found]]:
    parts = where.split("/")
    fixed = next(n for n, part in enumerate(parts) if _MAGIC & set(part))
    root = Folder("/".join(parts[:fixed]) or "/")
    fs, path = _connect(where)
    base = _connect(root.url)[1]
    names = sorted(posixpath.relpath(name, base) for name in fs.glob(path) if fs.isfile(name))
    asked = _hidden("/".join(parts[fixed:]))
    return root, [root.stat(name) for name in names if asked or not _hidden(name)]


def _is_file(where: str) -> bool:
    if not is_url(where):
        return Path(where).is_file()
    fs, path = _connect(where)
    return bool(fs.isfile(path))


def _connect(url: str) -> tuple[Any, str]:
    import fsspec

    try:
        fs, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        extra = {"s3": "s3", "gs": "gcs", "gcs": "gcs", "az": "azure", "abfs": "azure"}.get(url.split("://")[0])
        remedy = f"Install it with: pip install 'fanbeam[{extra}]'" if extra else str(error)
        raise UsageError(f"{url}: the library for this kind of storage is not installed. {remedy}") from error
    except ValueError as error:
        raise UnknownStorage(f"{url}: unknown kind of storage: {error}") from error
    return fs, path


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def _found(name: str, info: dict[str, Any]) -> Found:
    for key in ("ETag", "etag", "generation", "md5", "LastModified", "last_modified", "mtime", "created"):
        if info.get(key):
            return Found(name, int(info.get("size") or 0), f"{key.lower()}:{str(info[key]).strip(chr(34))}")
    return Found(name, int(info.get("size") or 0), "none")


@contextmanager
def _clear_errors(path: str) -> Iterator[None]:
    """One clear line for what the user can mend."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise RunFailed(f"{path}: the disk is full. Free some space and run the same command again.") from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
            raise RunFailed(
                f"{path}: cannot be written: {error.strerror}. Check owner and mode, or output.path."
            ) from error
        raise RunFailed(f"{path}: cannot be written: {error.strerror or error}") from error


def file_system(folder: Folder) -> tuple[Any, str]:
    """An fsspec file system (None for local) and the folder's path on it, as pyarrow takes them."""
    return (None, folder.url) if folder.local else _connect(folder.url)
