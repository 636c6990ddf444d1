"""Files that parameters name: noises, impulse responses, reference pictures, word vectors, models.

Nothing in `transforms` opens files of its own accord: the program that runs recipes says once, by `use`, how they are
found and read. A location is a file, a glob or a folder; local, or a URL that the store knows.
"""

import posixpath
from collections.abc import Collection
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Store(Protocol):
    """What the program that runs recipes offers."""

    def files(self, location: str) -> tuple[str, ...]:
        """Every file of a location, as absolute paths or URLs, sorted. Raises FileNotFoundError."""

    def read(self, path: str) -> bytes:
        """The whole content of one file. Raises OSError."""

    def local(self, location: str) -> str:
        """A path on this machine's file system with the content of a file or folder. Raises FileNotFoundError."""

    def digest(self, location: str) -> str:
        """Hex digest of names and contents of all files of a location. Raises FileNotFoundError."""

    def column(self, location: str, name: str, most: int) -> dict[str, bytes]:
        """`FILE#ROW` -> payload of a column of Parquet files: at most `most`, by the smallest blake2b of names.

        A cell is bytes or struct<bytes, path>; nulls are passed over. Raises FileNotFoundError, ValueError.
        """

    def picture(self, data: bytes, mode: str) -> NDArray[np.uint8]:
        """Pixels (height, width, channels) of an encoded picture; `mode` is grey, rgb or rgba. Raises ValueError."""


_stores: list[Store] = []


def use(store: Store) -> None:
    """Say how files are found and read, in this process from now on."""
    _stores[:] = [store]


def files(location: str) -> tuple[str, ...]:
    """See `Store.files`."""
    return _stores[0].files(location)


def read(path: str) -> bytes:
    """See `Store.read`."""
    return _stores[0].read(path)


def local(location: str) -> str:
    """See `Store.local`."""
    return _stores[0].local(location)


def digest(location: str) -> str:
    """See `Store.digest`."""
    return _stores[0].digest(location)


def column(location: str, name: str, most: int) -> dict[str, bytes]:
    """See `Store.column`."""
    return _stores[0].column(location, name, most)


def picture(data: bytes, mode: str) -> NDArray[np.uint8]:
    """See `Store.picture`."""
    return _stores[0].picture(data, mode)


def digest_or_missing(location: str) -> str:
    """The digest, or `missing`: versions are named before recipes are checked, and the check says what is missing."""
    try:
        return digest(location)
    except (OSError, ValueError):
        return "missing"


def relative_names(paths: Collection[str]) -> dict[str, str]:
    """Path -> name within the folder that all of them have in common: the same wherever that folder lies."""
    folders = [f"{posixpath.dirname(path)}/" for path in paths]
    shared = posixpath.commonprefix(folders).rpartition("/")[0] + "/" if folders else ""
    return {path: path.removeprefix(shared) for path in paths}
