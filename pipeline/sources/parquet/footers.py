"""Footers of Parquet files: read with one request where they are small, and kept for whoever reads the rows."""

import struct

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.records import InputFile
from pipeline.sources.parquet.unified_schema import null_lists, without_fixed_sizes
from pipeline.sources.range_reads import SMALL_BYTES, Kept, fetch
from pipeline.storage.folder import Folder

_OWN_SCHEMA = b"ARROW:schema"
_LEAST_BYTES = 8  # the length of the footer, and PAR1
_TAIL_BYTES = SMALL_BYTES
_OPENED = Kept(64 * 2**20)
"""Footers by folder, name and state, as large as they are stored: the survey does not read them again."""


def footer_of(root: Folder, name: str, listed: InputFile | None) -> pq.FileMetaData:
    """The footer of a file in the state in which it was listed: another state is another key of what is kept."""
    key = (root, name, listed)
    found = _OPENED.get(key)
    if found is None:
        if listed is None:
            with root.open(name) as source:
                found = pq.read_metadata(source)
        else:
            found = read_footer(root, listed)[0]
        _OPENED.put(key, found, found.serialized_size)
    return found


def read_footer(root: Folder, listed: InputFile) -> tuple[pq.FileMetaData, pa.Schema, bool]:
    """The footer of a file, see `_metadata`. Raises OSError, ArrowException, struct.error."""
    found = _metadata(_tail(root, listed))
    _OPENED.put((root, listed.path, listed), found[0], found[0].serialized_size)
    return found


def _metadata(tail: bytes) -> tuple[pq.FileMetaData, pa.Schema, bool]:
    """A footer, the columns to read by it, and whether it was bared of Arrow's own schema.

    By that schema Arrow makes lists of a fixed size, and then stumbles over nulls among them.
    """
    meta = pq.read_metadata(pa.BufferReader(tail))
    schema = meta.schema.to_arrow_schema()
    sized = [field for field in schema if without_fixed_sizes(field.type) != field.type]
    if not sized or not null_lists(meta, sized):
        return meta, schema, False
    bare = pq.read_metadata(pa.BufferReader(tail.replace(_OWN_SCHEMA, _OWN_SCHEMA[::-1])))
    for field in sized:
        schema = schema.set(schema.get_field_index(field.name), field.with_type(without_fixed_sizes(field.type)))
    return bare, schema, True


def _tail(root: Folder, listed: InputFile) -> bytes:
    """The end of a file, its footer included; one request unless the footer is large. Raises OSError."""
    if listed.size < 12:
        raise OSError(f"{listed.size} bytes are too few for a Parquet file")
    tail = fetch(root, listed, max(0, listed.size - _TAIL_BYTES), listed.size)
    wanted = 8 + _footer_length(tail)
    if len(tail) < wanted <= listed.size:
        tail = fetch(root, listed, listed.size - wanted, listed.size)
    return tail


def _footer_length(tail: bytes) -> int:
    """Raises OSError for a file that ends before that."""
    if len(tail) < _LEAST_BYTES:
        raise OSError(f"{len(tail)} bytes are too few for a Parquet file")
    (length,) = struct.unpack("<I", tail[-8:-4])
    return int(length)
