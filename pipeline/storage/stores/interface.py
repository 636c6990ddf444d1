"""What `storage.folder` needs of a remote store. Keys are paths within it; folders are prefixes that end at a `/`."""

from collections.abc import Callable
from typing import Protocol

from pipeline.storage.local_files import Found

Permitted = Callable[[str], bool]
"""Whether a URL may be read."""


class Store(Protocol):
    """One bucket, container or file system. Safe in threads. What fails for good raises StoreFailed."""

    def read(self, key: str) -> bytes:
        """The whole content, as long as the store says that it is. Raises FileNotFoundError."""
        ...

    def read_named(self, key: str, most: int, permitted: Permitted) -> bytes:
        """The whole content of what data names. Raises FileNotFoundError, TooLarge, OutsideAllowed.

        Of more than `most` bytes no more are read; another URL is followed to only if it is `permitted`.
        """
        ...

    def stat_named(self, key: str, permitted: Permitted) -> Found:
        """Size and tag of what data names; as `read_named`."""
        ...

    def read_range(self, key: str, begin: int, end: int) -> bytes:
        """Bytes `begin`..`end`; fewer only where the object ends. Raises FileNotFoundError."""
        ...

    def view(self, key: str, begin: int, end: int) -> memoryview:
        """`read_range`, without a copy where the client can do without."""
        ...

    def stat(self, key: str) -> Found:
        """Size and tag of one object, under its key. Raises FileNotFoundError."""
        ...

    def files(self, folder: str) -> list[Found]:
        """Objects directly inside a folder, by name; none if there is no such folder."""
        ...

    def folders(self, folder: str) -> list[str]:
        """Names of the folders directly inside a folder."""
        ...

    def walk(self, folder: str) -> list[Found]:
        """Every object below a folder, by path relative to it, in any order."""
        ...

    def put(self, key: str, data: memoryview) -> None:
        """Write a whole object, or leave what was there."""
        ...

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write a whole object unless one is there; whether it was written."""
        ...

    def remove(self, key: str) -> None:
        """Remove an object if it is there."""
        ...

    def reach(self) -> None:
        """Find out in a few seconds whether the store answers to these credentials. Raises StoreFailed."""
        ...
