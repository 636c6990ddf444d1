"""Google Cloud Storage (gcsfs), memory, and whatever else fsspec knows."""

import errno
import logging
import os
import posixpath
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, TypeVar

from pipeline.local_files import Found
from pipeline.stores.attempts import tried
from pipeline.stores.failures import family, told

_SECONDS = 60
_FIRST_SECONDS = 15
_TAGS = ("ETag", "etag", "generation", "md5", "LastModified", "last_modified", "mtime", "created")
_TRANSIENT_ROOMS = ("aiohttp", "requests", "urllib3", "json")
_MISSING_BUCKET = "bucket does not exist"
Result = TypeVar("Result")


class FsspecStore:
    """One file system of fsspec. Keys are its own paths."""

    def __init__(self, url: str, system: Any) -> None:
        self._url, self._fs = url, system
        self._patient_itself = family(url) == "gs"  # gcsfs tries six times, for half a minute

    def read(self, key: str) -> bytes:
        """See `Store.read`."""

        def whole() -> bytes:
            data: bytes = self._fs.cat_file(key)
            return data

        return self._call(key, whole)

    def read_range(self, key: str, begin: int, end: int) -> bytes:
        """See `Store.read_range`."""
        if begin >= end:
            return b""

        def part() -> bytes:
            data: bytes = self._fs.cat_file(key, start=begin, end=end)
            if len(data) != end - begin and begin + len(data) < min(end, self._size(key)):
                raise TimeoutError(f"truncated: {len(data)} of {end - begin} bytes")
            return data

        return self._call(key, part)

    def _size(self, key: str) -> int:
        self._fs.invalidate_cache()
        return int(self._fs.info(key)["size"])

    def stat(self, key: str) -> Found:
        """See `Store.stat`."""

        def info() -> Found:
            self._fs.invalidate_cache(posixpath.dirname(key))
            found = self._fs.info(key)
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
            return [e for e in self._fs.ls(folder, detail=True) if e["name"].rstrip("/") != folder.rstrip("/")]

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
        self._call(key, lambda: self._fs.pipe_file(key, whole))

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See `Store.put_if_absent`."""

        def create() -> bool:
            try:
                self._fs.pipe_file(key, data, mode="create")
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
                self._fs.rm_file(key)

        self._call(key, delete)

    def reach(self) -> None:
        """See `Store.reach`."""
        from fsspec.asyn import sync

        if not self._patient_itself:
            return
        bucket = self._url.partition("://")[2].split("/")[0]

        def first() -> None:
            with suppress(FileNotFoundError):
                sync(self._fs.loop, self._fs._ls, f"{bucket}/_fanbeam_", timeout=_FIRST_SECONDS)

        self._call(bucket, first, attempts=1)

    def _call(self, key: str, call: Callable[[], Result], attempts: int = 0) -> Result:
        try:
            return tried(call, _transient, attempts or (2 if self._patient_itself else 5))
        except FileNotFoundError as error:
            if _MISSING_BUCKET in str(error):
                raise told(self._url, error) from error
            raise
        except (FileExistsError, IsADirectoryError, NotADirectoryError):
            raise
        except Exception as error:  # each library has its own kinds of error
            failed = told(f"{self._url.partition('://')[0]}://{key.rpartition('://')[2]}", error)
            if self._url.startswith(
                ("http://", "https://")
            ):  # a dead link is a failed record, not a store that is down
                raise OSError(failed.message) from error
            raise failed from error


def opened(url: str) -> tuple[Any, str]:
    """A file system for a URL, and the path on it. Raises ImportError, ValueError."""
    from fsspec.core import url_to_fs

    system, path = url_to_fs(url, **_options(url))
    return system, str(path)


def _options(url: str) -> dict[str, Any]:
    if not url.startswith(("gs://", "gcs://")):
        return {}
    logging.getLogger("gcsfs").setLevel(logging.CRITICAL)  # it logs tracebacks of what is told in one line here
    emulated = bool(os.environ.get("STORAGE_EMULATOR_HOST"))
    if emulated:  # else gcsfs asks a service that no emulator has what kind of bucket this is
        os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")
    return {"requests_timeout": _SECONDS, **({"token": "anon"} if emulated else {})}


def _transient(error: Exception) -> bool:
    if isinstance(error, FileNotFoundError | FileExistsError | PermissionError):
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
