"""Memory, and whatever else fsspec knows."""

import errno
import json
import posixpath
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from pipeline.storage.local_files import Found, TooLarge, too_large
from pipeline.storage.stores.interface import Permitted
from pipeline.storage.stores.locations import OutsideAllowed
from pipeline.storage.stores.retries import tried
from pipeline.storage.stores.store_errors import told

_TAGS = ("ETag", "etag", "generation", "md5", "LastModified", "last_modified", "mtime", "created")
_TRANSIENT_ROOMS = ("aiohttp", "requests", "urllib3", "json")
MISSING_BUCKET = "bucket does not exist"
Result = TypeVar("Result")


class FsspecStore:
    """One file system of fsspec. Keys are its own paths."""

    _attempts = 5

    def __init__(self, url: str, system: Any) -> None:
        self._url, self._fs = url, system

    def _limits(self, size: int = 0) -> dict[str, Any]:
        """Arguments of a call that moves `size` bytes at most."""
        return {}

    def read(self, key: str) -> bytes:
        """See `Store.read`."""
        return self._call(key, lambda: self._fetched(key))

    def read_named(self, key: str, most: int, permitted: Permitted) -> bytes:
        """See `Store.read_named`."""
        if (size := self.stat(key).size) > most:
            raise too_large(most, size)
        return self.read(key)

    def stat_named(self, key: str, permitted: Permitted) -> Found:
        """See `Store.stat_named`."""
        return self.stat(key)

    def read_range(self, key: str, begin: int, end: int) -> bytes:
        """See `Store.read_range`."""
        if begin >= end:
            return b""

        def part() -> bytes:
            data = self._fetched(key, begin, end)
            if len(data) != end - begin and begin + len(data) < min(end, self._size(key)):
                raise TimeoutError(f"truncated: {len(data)} of {end - begin} bytes")
            return data

        return self._call(key, part)

    def view(self, key: str, begin: int, end: int) -> memoryview:
        """See `Store.view`."""
        return memoryview(self.read_range(key, begin, end))

    def _fetched(self, key: str, begin: int | None = None, end: int | None = None) -> bytes:
        """One answer of the store."""
        data: bytes = self._fs.cat_file(key, start=begin, end=end, **self._limits())
        return data

    def _size(self, key: str) -> int:
        self._fs.invalidate_cache()
        return int(self._fs.info(key, **self._limits())["size"])

    def stat(self, key: str) -> Found:
        """See `Store.stat`."""

        def info() -> Found:
            self._fs.invalidate_cache(posixpath.dirname(key))
            found = self._fs.info(key, **self._limits())
            if found["type"] != "file":
                raise FileNotFoundError(key)
            return found_of(key, found)

        return self._call(key, info)

    def files(self, folder: str) -> list[Found]:
        """See `Store.files`."""
        return [found_of(_name(e), e) for e in self._listed(folder) if e["type"] == "file"]

    def folders(self, folder: str) -> list[str]:
        """See `Store.folders`."""
        return [_name(e) for e in self._listed(folder) if e["type"] != "file"]

    def _listed(self, folder: str) -> list[dict[str, Any]]:
        def entries() -> list[dict[str, Any]]:
            self._fs.invalidate_cache()
            listed = self._fs.ls(folder, detail=True)
            return [e for e in listed if e["name"].rstrip("/") != folder.rstrip("/")]

        with suppress(FileNotFoundError, NotADirectoryError):
            return self._call(folder, entries)
        return []

    def walk(self, folder: str) -> list[Found]:
        """See `Store.walk`."""

        def below() -> dict[str, Any]:
            self._fs.invalidate_cache()
            found: dict[str, Any] = self._fs.find(folder, detail=True)
            return found

        found = self._call(folder, below)
        return [found_of(posixpath.relpath(n, folder), info) for n, info in found.items() if not n.endswith("/")]

    def put(self, key: str, data: memoryview) -> None:
        """See `Store.put`."""
        whole = bytes(data)
        self._call(key, lambda: self._fs.pipe_file(key, whole, **self._limits(len(whole))))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See `Store.put_if_absent`."""

        def create() -> bool:
            try:
                self._fs.pipe_file(key, data, mode="create", **self._limits(len(data)))
            except FileExistsError:
                return False
            except OSError as error:  # "invalid argument" is how some name a failed precondition
                if error.errno != errno.EINVAL and getattr(error, "code", None) not in (409, 412):
                    raise
                return False
            return True

        return self._call(key, create)

    def remove(self, key: str) -> None:
        """See `Store.remove`."""

        def delete() -> None:
            with suppress(FileNotFoundError):
                self._fs.rm_file(key, **self._limits())

        self._call(key, delete)

    def reach(self) -> None:
        """See `Store.reach`: what this could ask, the listing asks anyhow."""

    def _call(self, key: str, call: Callable[[], Result], attempts: int = 0) -> Result:
        asked = call if attempts == 1 else lambda: tried(call, _is_cut_short)
        try:
            return tried(asked, _transient, attempts or self._attempts)
        except FileNotFoundError as error:
            if MISSING_BUCKET in str(error):
                raise told(self._url, error) from error
            raise
        except (FileExistsError, IsADirectoryError, NotADirectoryError, TooLarge, OutsideAllowed):
            raise
        except Exception as error:  # each library has its own kinds of error
            failed = told(f"{self._url.partition('://')[0]}://{key.rpartition('://')[2]}", error)
            if self._url.startswith(
                ("http://", "https://")
            ):  # a dead link is a failed record, not a store that is down
                raise OSError(failed.message) from error
            raise failed from error


def opened(url: str, **options: Any) -> tuple[Any, str]:
    """A file system for a URL, and the path on it. Raises ImportError, ValueError."""
    from fsspec.core import url_to_fs

    system, path = url_to_fs(url, **options)
    return system, str(path)


def _is_cut_short(error: Exception) -> bool:
    """Whether half of an answer came: libraries do not ask again."""
    return isinstance(error, json.JSONDecodeError)


def _transient(error: Exception) -> bool:
    if isinstance(error, FileNotFoundError | FileExistsError | PermissionError | TooLarge | OutsideAllowed):
        return False
    code = getattr(error, "code", None) or getattr(error, "status", None)
    if isinstance(code, int) and code >= 400:
        return code in (408, 429) or code >= 500
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    room = type(error).__module__.split(".")[0]
    return room in _TRANSIENT_ROOMS or type(error).__name__ == "TransportError"


def _name(entry: dict[str, Any]) -> str:
    return posixpath.basename(str(entry["name"]).rstrip("/"))


def found_of(name: str, info: dict[str, Any]) -> Found:
    """A listed file with the best tag that its store gives."""
    size = int(info.get("size") or 0)
    for key in _TAGS:
        if info.get(key):
            stamp = info[key].timestamp() if isinstance(info[key], datetime) else info[key]
            return Found(name, size, f"{key.lower()}:{str(stamp).strip(chr(34))}")
    return Found(name, size, "none")
