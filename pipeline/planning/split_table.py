"""Splits that the survey decided: a byte for each row of the input, in the order of the units.

The low bits are the split's place in SPLITS; a high bit says that the record fails, and why. Tasks carry the bytes of
their own rows, so a worker needs nothing else to know what is whose.
"""

import base64
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Block, Refusal, Unit

BRIDGES, TIMELESS = 0x80, 0x40
_PLACE = 0x03


@dataclass(frozen=True, slots=True, eq=False)
class SplitTable:
    """The bytes of all rows, and where those of each unit begin."""

    codes: NDArray[np.uint8]
    firsts: dict[tuple[str, int, int, int], int]

    @classmethod
    def over(cls, units: Sequence[Unit], codes: NDArray[np.uint8]) -> "SplitTable":
        """`codes`: of the rows of all units, in order."""
        begins = accumulate((unit.rows for unit in units), initial=0)
        return cls(codes, dict(zip((unit.place for unit in units), begins, strict=False)))

    def of(self, unit: Unit) -> NDArray[np.uint8]:
        """The bytes of a unit's rows."""
        first = self.firsts[unit.place]
        return self.codes[first : first + unit.rows]


def block_of(table: SplitTable | None, unit: Unit, start: int, stop: int) -> Block:
    """Rows of a unit with what was decided of them."""
    splits = b"" if table is None else table.of(unit)[start:stop].tobytes()
    return Block(unit, start, stop, splits).alone()


def packed(splits: bytes) -> str:
    """The bytes of some rows as text for a file: long runs of few values."""
    return base64.b85encode(zlib.compress(splits)).decode() if splits else ""


def unpacked(text: str) -> bytes:
    """What was packed."""
    return zlib.decompress(base64.b85decode(text)) if text else b""


def split_places(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Places in SPLITS."""
    return codes & np.uint8(_PLACE)


def refusals(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The bits that refuse a row; 0 where none does."""
    return codes & np.uint8(BRIDGES | TIMELESS)


def refusal_of(odd: int, column: str) -> Refusal:
    """Why a row is refused; `column`: the one of times."""
    if odd & TIMELESS:
        return Refusal("failed", column, "read", "null_time", message="the time is null")
    message = "its relatives lie in several splits already; remove it, or them, or choose its side with split.column"
    return Refusal("failed", "", "split", "bridges_splits", message=message)
