"""64-bit hashes of rows of Arrow columns: equal values have equal hashes, whatever width or encoding holds them."""

from collections.abc import Iterable
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Hashes = NDArray[np.uint64]
_NULL = np.uint64(0x9E3779B97F4A7C15)


def row_hashes(columns: Iterable[pa.Array], count: int) -> Hashes:
    """One hash per row of `count` rows over several columns, in their order."""
    found = np.zeros(count, np.uint64)
    for column in columns:
        found = _mixed(found ^ _mixed(column_hashes(column)))
    return found


def column_hashes(column: pa.Array) -> Hashes:
    """One hash per value of a column; nested values, nulls and dictionaries included."""
    hashes = _of_kind(column)
    if column.null_count:
        hashes[column.is_null().to_numpy(zero_copy_only=False)] = _NULL
    return hashes


def _of_kind(column: pa.Array) -> Hashes:
    plain = _plain(column)
    kind = plain.type
    if pa.types.is_struct(kind):
        return row_hashes(plain.flatten(), len(plain))
    if pa.types.is_map(kind) or pa.types.is_large_list(kind):
        return _of_lists(plain)
    if pa.types.is_null(kind):
        return np.zeros(len(plain), np.uint64)
    if pa.types.is_primitive(kind) or pa.types.is_decimal(kind):
        return _words(plain, kind.bit_width)
    return _of_bytes(plain)


def _plain(column: pa.Array) -> pa.Array:
    """The same values in one encoding for each kind of them."""
    kind = column.type
    if isinstance(kind, pa.ExtensionType):
        return _plain(column.storage)
    if pa.types.is_dictionary(kind):
        return _plain(column.dictionary_decode())
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return column.cast(pa.large_list(kind.value_field))
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.uint64() if pa.types.is_unsigned_integer(kind) else pa.int64())
    return column


def _words(column: pa.Array, bits: int) -> Hashes:
    """Values of a fixed width, word by word; those under nulls are replaced by the caller."""
    width = bits // 8
    raw = np.frombuffer(column.buffers()[1] or b"", np.uint8)[column.offset * width :][: len(column) * width]
    padded = -(-width // 8) * 8
    table = np.zeros((len(column), padded), np.uint8)
    table[:, :width] = raw.reshape(len(column), width)
    found = np.zeros(len(column), np.uint64)
    for word in table.view(np.uint64).T:
        found = _mixed(found ^ word)
    return found


def _of_lists(column: pa.Array) -> Hashes:
    """Sums of the elements' hashes, each mixed with its place."""
    offsets = np.asarray(column.offsets).astype(np.int64)
    first, last = (int(offsets[0]), int(offsets[-1])) if len(offsets) else (0, 0)
    children = (column.keys, column.items) if pa.types.is_map(column.type) else (column.values,)
    values = row_hashes([child.slice(first, last - first) for child in children], last - first)
    lengths = np.diff(offsets)
    places = np.arange(last - first) - np.repeat(offsets[:-1] - first, lengths)
    mixed = _mixed(values ^ _mixed(places.astype(np.uint64) + np.uint64(1)))
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(mixed, dtype=np.uint64)])
    return _mixed((sums[offsets[1:] - first] - sums[offsets[:-1] - first]) ^ lengths.astype(np.uint64))


def _of_bytes(column: pa.Array) -> Hashes:
    """Texts and bytes: each distinct value is digested once."""
    coded = column.cast(pa.large_binary()).dictionary_encode()
    digests = [blake2b(value, digest_size=8).digest() for value in coded.dictionary.to_pylist()]
    known = np.frombuffer(b"".join(digests), "<u8").astype(np.uint64)
    places = pc.fill_null(coded.indices, 0).to_numpy(zero_copy_only=False)
    return known[places] if len(known) else np.zeros(len(column), np.uint64)


def _mixed(values: Hashes) -> Hashes:
    """Every bit of the output depends on every bit of the input (the finaliser of splitmix64)."""
    with np.errstate(over="ignore"):
        values = values + _NULL
        values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed: Hashes = values ^ (values >> np.uint64(31))
    return mixed
