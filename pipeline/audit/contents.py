"""Payload columns of a batch, and the identity of what is in them."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import pyarrow as pa

from pipeline.audit.rows import DIGEST_BYTES, Field, Payload

_BYTES = "bytes"


def payload_columns(batch: pa.RecordBatch, fields: Sequence[Field]) -> dict[str, list[Payload | None]]:
    """Field's key -> one payload per row; of a struct its member `bytes`. Fields that the batch lacks are left out."""
    return {f.key: _payloads(batch.column(f.name)) for f in fields if f.name in batch.schema.names}


def content_marks(
    payloads: dict[str, list[Payload | None]], fields: Sequence[Field]
) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    """Each payload's digest as a mark. Texts beside other payload have none: captions repeat by nature."""
    media = any(f.modality != "text" for f in fields)
    wanted = [f.key for f in fields if f.key in payloads and not (media and f.modality == "text")]
    return {("exact", name): [_mark(p) for p in payloads[name]] for name in wanted}


def _mark(payload: Payload | None) -> tuple[str, ...]:
    if not payload:
        return ()
    data = payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else payload
    return (blake2b(data, digest_size=DIGEST_BYTES).hexdigest(),)


def _payloads(column: pa.Array) -> list[Payload | None]:
    if pa.types.is_struct(column.type):
        column = column.field(_BYTES)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: list[Any] = column.to_pylist()
    return values
