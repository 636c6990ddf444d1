"""S3 and Azure through obstore: whole objects, conditional puts, ranges. Its client retries and times out by itself."""

import posixpath
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from pipeline.storage.local_files import Found, TooLarge, too_large
from pipeline.storage.stores.credentials import settings
from pipeline.storage.stores.interface import Permitted
from pipeline.storage.stores.retries import tried
from pipeline.storage.stores.store_errors import family, told, without_details

_PART_BYTES = 8 * 2**20
_PARTS_AT_ONCE = 4
_LISTINGS_AT_ONCE = 16
_AGAIN = ("error sending request", "timed out", "timeout", "connection", "code: 5", "code: 429", "code: 408",
          "409 Conflict", "OperationAborted", "SlowDown", "InternalError", "end of file", "error decoding",
          "body error", "invalid list response", "invalid delete response")  # fmt: skip
_SPENT = re.compile(r"after (\d+) retries, max_retries: (\d+)")
_NO_CONDITION = ("501 Not Implemented", "NotImplemented", "NotSupported")
Result = TypeVar("Result")
Content = TypeVar("Content", bytes, memoryview)


class _Truncated(Exception):
    """Fewer bytes came than the store had announced."""


class ObjectStore:
    """One bucket of S3, or one container of Azure."""

    def __init__(self, url: str, bucket: str, account: str = "") -> None:
        self._url, self._bucket, self._account = url, bucket, account
        self._client = self._connected(patient=True)

    def _connected(self, patient: bool) -> Any:
        from obstore.store import AzureStore, S3Store

        kind = S3Store if family(self._url) == "s3" else AzureStore
        given = settings(self._url, self._bucket, self._account, patient)
        try:
            return kind(given.pop("bucket"), **given)
        except Exception as error:  # obstore has its own kinds
            raise told(self._url, error) from error

    def read(self, key: str, most: int | None = None) -> bytes:
        """See `Store.read`. Raises TooLarge."""
        from obstore.exceptions import BaseError

        def whole() -> bytes:
            try:
                got = self._client.get(key, options={"range": {"offset": 0}})  # the answer tells the whole size too
            except BaseError:
                if self._client.head(key)["size"]:
                    raise
                return b""  # no range of nothing can be had
            if most is not None and got.meta["size"] > most:
                raise too_large(most, got.meta["size"])
            data: bytes = got.bytes().to_bytes()
            return _as_long_as(data, got.meta["size"])

        return self._call(key, whole)

    def read_named(self, key: str, most: int, permitted: Permitted) -> bytes:
        """See `Store.read_named`."""
        return self.read(key, most)

    def stat_named(self, key: str, permitted: Permitted) -> Found:
        """See `Store.stat_named`."""
        return self.stat(key)

    def read_range(self, key: str, begin: int, end: int) -> bytes:
        """See `Store.read_range`."""
        return bytes(self.view(key, begin, end))

    def view(self, key: str, begin: int, end: int) -> memoryview:
        """See `Store.view`."""
        if begin >= end:
            return memoryview(b"")

        def part() -> memoryview:
            data = memoryview(self._client.get_range(key, start=begin, end=end))
            if len(data) == end - begin:
                return data
            return _as_long_as(data, max(0, min(end, self._client.head(key)["size"]) - begin))

        return self._call(key, part)

    def stat(self, key: str) -> Found:
        """See `Store.stat`."""
        return self._call(key, lambda: _found(self._client.head(key), key))

    def files(self, folder: str) -> list[Found]:
        """See `Store.files`."""
        listed, folders = self._level(folder)
        return [f for f in listed if f.size or f.path not in folders]

    def folders(self, folder: str) -> list[str]:
        """See `Store.folders`."""
        return self._level(folder)[1]

    def walk(self, folder: str) -> list[Found]:
        """See `Store.walk`. The folders of the first level that has several are listed side by side."""
        folder = folder.rstrip("/")
        found, inside, above = [], [""], ""
        while len(inside) == 1:
            above = inside[0]
            files, names = self._level(posixpath.join(folder, above))
            found += [Found(posixpath.join(above, f.path), f.size, f.tag) for f in files]
            inside = [posixpath.join(above, name) for name in names]
        with ThreadPoolExecutor(_LISTINGS_AT_ONCE) as threads:
            for listed in threads.map(lambda name: self._below(folder, name), inside):
                found += listed
        folders = {posixpath.dirname(f.path) for f in found if f.path}
        return [f for f in found if f.path and (f.size or f.path not in folders)]

    def put(self, key: str, data: memoryview) -> None:
        """See `Store.put`."""
        several = data.nbytes > 2 * _PART_BYTES
        part = max(_PART_BYTES, -(-data.nbytes // 9_000))  # a store takes 10,000 parts
        self._call(
            key,
            lambda: self._client.put(key, data, use_multipart=several, chunk_size=part, max_concurrency=_PARTS_AT_ONCE),
        )

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """See `Store.put_if_absent`. One request whatever the size: stores take up to 5 GB so."""
        from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

        def create() -> bool:
            try:
                self._client.put(key, data, mode="create")
            except (AlreadyExistsError, PreconditionError):
                return False
            except BaseError as error:
                if not any(word in str(error) for word in _NO_CONDITION):
                    raise
                return self._look_and_put(key, data)
            return True

        return self._call(key, create)

    def _look_and_put(self, key: str, data: bytes) -> bool:
        """For a store that refuses the condition; its runs hold a lock (`pipeline.storage.lock`)."""
        try:
            self._client.head(key)
        except FileNotFoundError:
            self._client.put(key, data)
            return True
        return False

    def remove(self, key: str) -> None:
        """See `Store.remove`."""

        def delete() -> None:
            with suppress(FileNotFoundError):
                self._client.delete(key)

        self._call(key, delete)

    def reach(self) -> None:
        """See `Store.reach`."""
        client = self._connected(patient=False)

        def first() -> None:
            for _ in client.list("_fanbeam_", chunk_size=1):
                break

        self._call("", first, attempts=1)

    def _level(self, folder: str) -> tuple[list[Found], list[str]]:
        """Objects and folders directly inside a folder, by name."""
        folder = folder.rstrip("/")
        listed = self._call(folder, lambda: self._client.list_with_delimiter(folder or None))
        files = [_found(o, o["path"][len(folder) + 1 if folder else 0 :] or ".") for o in listed["objects"]]
        names = [posixpath.basename(p.rstrip("/")) for p in listed["common_prefixes"]]
        return [f for f in files if f.path != "."], names

    def _below(self, folder: str, name: str) -> list[Found]:
        where = posixpath.join(folder, name)
        return self._call(where, lambda: list(self._everything(where, folder)))

    def _everything(self, where: str, folder: str) -> Iterator[Found]:
        skipped = len(folder) + 1 if folder else 0
        for batch in self._client.list(where, chunk_size=1000):
            yield from (_found(o, o["path"][skipped:]) for o in batch)

    def _call(self, key: str, call: Callable[[], Result], attempts: int = 3) -> Result:
        try:
            return tried(call, _transient, attempts)
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error) or "ContainerNotFound" in str(error):
                raise told(self._url, error) from error
            raise FileNotFoundError(f"{self._url}/{key}") from error
        except TooLarge:
            raise
        except _failures() as error:
            raise told(f"{self._url}/{key}".rstrip("/"), error) from error


def _failures() -> tuple[type[Exception], ...]:
    from obstore.exceptions import BaseError

    return BaseError, _Truncated, OSError, ValueError


def _transient(error: Exception) -> bool:
    if isinstance(error, FileNotFoundError):
        return False
    spent = _SPENT.search(str(error))
    if spent and spent[1] == spent[2]:  # obstore itself has tried for as long as it makes sense
        return False
    return isinstance(error, _Truncated) or any(word in without_details(error) for word in _AGAIN)


def _as_long_as(data: Content, size: int) -> Content:
    if len(data) != size:
        raise _Truncated(f"truncated: {len(data)} of {size} bytes")
    return data


def _found(listed: Any, path: str) -> Found:
    tag = str(listed["e_tag"] or "").removeprefix("W/").strip('"')
    stamp = listed["last_modified"]
    return Found(path, listed["size"], f"etag:{tag}" if tag else f"lastmodified:{stamp:%Y-%m-%dT%H:%M:%SZ}")
