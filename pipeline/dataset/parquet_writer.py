"""Tables -> the bytes of one Parquet file, every setting pinned, built whole in memory that is used again.

And back: some row groups of a file that was written.
"""

import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.dataset.dictionary_columns import row_groups

ROW_GROUP_BYTES = 8 * 2**20
_ZSTD_LEVEL = 3
_PAGE_BYTES = 1 << 20


class Space:
    """Memory for one file after another. What a file is made of is its own until the next one begins."""

    __slots__ = ("room",)

    def __init__(self) -> None:
        self.room = _room(1 << 16)

    def grow(self, size: int, used: int) -> None:
        """Make room for `size` bytes; the first `used` ones stay."""
        larger = _room(max(size, 2 * len(self.room)))
        larger[:used] = self.room[:used]
        self.room = larger


def _room(size: int) -> NDArray[np.uint8]:
    """Memory that begins with a page: a disk may read from it directly."""
    room = np.empty(size + mmap.PAGESIZE, np.uint8)
    first = -room.ctypes.data % mmap.PAGESIZE
    return room[first : first + size]


_spaces: list[Space] = []


@contextmanager
def reused_space() -> Iterator[Space]:
    """The space of an earlier file if one is free: first use of a page costs more than what is written on it."""
    space = _spaces.pop() if _spaces else Space()
    yield space
    _spaces.append(space)  # not after an error: the writer of an unfinished file still ends it when it is collected


class _Sink:
    """What Arrow writes to: a file object that keeps the bytes and their digest."""

    closed = False

    def __init__(self, space: Space) -> None:
        self._space, self._digest, self.size = space, sha256(), 0

    def write(self, data: Any) -> int:
        """Append."""
        part = np.frombuffer(data, np.uint8)
        end = self.size + len(part)
        if end > len(self._space.room):
            self._space.grow(end, self.size)
        self._space.room[self.size : end] = part
        self._digest.update(part.data)
        self.size = end
        return len(part)

    def tell(self) -> int:
        """Bytes so far."""
        return self.size

    def flush(self) -> None:
        """Everything is where it belongs."""

    def close(self) -> None:
        """Nothing comes any more."""
        self.closed = True

    def content(self) -> pa.Buffer:
        """All bytes, not copied."""
        return pa.py_buffer(self._space.room[: self.size])

    def sha256(self) -> str:
        """Digest of all bytes, in hex."""
        return self._digest.hexdigest()


class ParquetFile:
    """Builds one file: a row group per table. `plain` names columns whose payload is already compressed."""

    def __init__(self, schema: pa.Schema, plain: frozenset[str], space: Space | None = None) -> None:
        self._sink = _Sink(space or Space())
        self._writer = pq.ParquetWriter(pa.PythonFile(self._sink, "w"), schema, **_settings(schema, plain))
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        """Append one row group, or several where short dictionary indices ask for it."""
        for part in row_groups(table):
            self._writer.write_table(part, row_group_size=max(1, part.num_rows))
        self.rows += table.num_rows

    def close(self) -> tuple[pa.Buffer, str]:
        """The finished file, and its sha256 in hex."""
        self._writer.close()
        return self._sink.content(), self._sink.sha256()


def file_of(table: pa.Table) -> tuple[pa.Buffer, str]:
    """A small file of one table, and its sha256 in hex."""
    file = ParquetFile(table.schema, frozenset())
    file.add(table)
    return file.close()


def _settings(schema: pa.Schema, plain: frozenset[str]) -> dict[str, object]:
    leaves = leaf_columns(schema)
    bulky = {leaf for field in schema if field.name in plain for leaf in _payload_leaves(field)}
    other = [leaf for leaf in leaves if leaf not in bulky]
    return {
        "version": "2.6",
        "data_page_version": "1.0",
        "data_page_size": _PAGE_BYTES,
        "compression": {leaf: "NONE" if leaf in bulky else "ZSTD" for leaf in leaves},
        "compression_level": dict.fromkeys(other, _ZSTD_LEVEL),
        "use_dictionary": other,
        "write_statistics": other,
        "write_page_index": True,
        "store_schema": True,
    }


def _payload_leaves(field: pa.Field) -> tuple[str, ...]:
    """Where a field's payload is: a struct holds it in its member `bytes`."""
    return (f"{field.name}.bytes",) if pa.types.is_struct(field.type) else leaf_columns(pa.schema([field]))


@lru_cache(maxsize=16)
def leaf_columns(schema: pa.Schema) -> tuple[str, ...]:
    """Dotted names of the Parquet columns that a schema becomes."""
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    described = pq.read_metadata(pa.BufferReader(sink.getvalue())).schema
    return tuple(described.column(n).path for n in range(len(described.names)))
