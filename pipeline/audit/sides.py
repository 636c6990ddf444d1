"""Rows of a side, as the comparisons want them: identities as digests, payload one field at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from unicodedata import normalize

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.sources.strings import values_of

Payload = bytes | str
Digests = NDArray[np.bytes_]
DIGEST_BYTES = 16
ABSENT = b""


@dataclass(frozen=True, slots=True)
class Rows:
    """Some rows of one side. `marks`: kind and name of an identity -> the values that a row has of it, as text."""

    ids: list[str]
    marks: dict[tuple[str, str], list[tuple[str, ...]]]
    payloads: dict[str, list[Payload | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """A column of payload and what is in it: image, audio, text, video or volume.

    `key`: what the comparison calls it; columns of two sets that are called differently have one key.
    """

    name: str
    modality: str
    uri: bool = False
    alias: str = ""

    @property
    def key(self) -> str:
        """The alias, or else the name."""
        return self.alias or self.name


@dataclass(frozen=True, slots=True)
class Set:
    """One side: its name, its fields, and its rows from the beginning, as often as asked, with the fields asked for."""

    name: str
    fields: tuple[Field, ...]
    read: Callable[[tuple[Field, ...]], Iterator[Rows]]


def digests(values: Sequence[str | bytes]) -> Digests:
    """(n,) digests of 16 bytes."""
    raw = [v if isinstance(v, bytes) else v.encode("utf-8", "surrogatepass") for v in values]
    return np.array([blake2b(r, digest_size=DIGEST_BYTES).digest() for r in raw], f"S{DIGEST_BYTES}")


def texts_of(column: pa.Array) -> list[str | None]:
    """Values as text; integers in decimal."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    found = values_of(column)
    return [None if v is None else v if isinstance(v, str) else _text(v) for v in found]


def _text(value: Any) -> str:
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def loosely(value: str) -> str:
    """A value without case, blanks around it and doubled ones, and a `.0` behind a whole number."""
    short = " ".join(normalize("NFKC", value).casefold().split())
    whole = short.rpartition(".")
    return whole[0] if whole[2].strip("0") == "" and whole[0].lstrip("+-").isdigit() and whole[2] else short


def single(values: Sequence[str | None]) -> list[tuple[str, ...]]:
    """One value per row, or none."""
    return [() if v is None else (v,) for v in values]
