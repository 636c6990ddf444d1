"""Payload columns of a batch, and the identity of what is in them."""

from collections.abc import Sequence
from hashlib import blake2b

import pyarrow as pa

from pipeline.audit.sides import DIGEST_BYTES, Field, Payload
from pipeline.sources.payloads import payloads_of


def payload_columns(batch: pa.RecordBatch, fields: Sequence[Field]) -> dict[str, list[Payload | None]]:
    """Field's key -> one payload per row; of a struct its member `bytes`. Fields that the batch lacks are left out."""
    return {f.key: payloads_of(batch.column(f.name)) for f in fields if f.name in batch.schema.names}


def content_marks(
    payloads: dict[str, list[Payload | None]], fields: Sequence[Field]
) -> dict[tuple[str, str], list[tuple[str, ...]]]:
    """Each payload's digest as a mark. Texts beside other payload have none: captions repeat by nature.

    Texts alone have one for all of them: a pair is the same if both of it are.
    """
    found = [f for f in fields if f.key in payloads]
    return {
        ("exact", name): [_whole(row) for row in zip(*(payloads[key] for key in keys), strict=True)]
        for name, keys in contents_of(found).items()
    }


def contents_of(fields: Sequence[Field]) -> dict[str, tuple[str, ...]]:
    """What is compared: a name, and the keys of the fields that it stands for."""
    media: dict[str, tuple[str, ...]] = {f.key: (f.key,) for f in fields if f.modality != "text"}
    texts = tuple(sorted(f.key for f in fields))
    return media or ({"+".join(texts): texts} if texts else {})


def _whole(row: tuple[Payload | None, ...]) -> tuple[str, ...]:
    if len(row) == 1 or not any(row):
        return content_mark(row[0])
    return content_mark("".join(digest for payload in row for digest in content_mark(payload) or ("",)))


def content_mark(payload: Payload | None) -> tuple[str, ...]:
    """The digest of one payload; none of nothing."""
    if not payload:
        return ()
    data = payload.encode("utf-8", "surrogatepass") if isinstance(payload, str) else payload
    return (blake2b(data, digest_size=DIGEST_BYTES).hexdigest(),)
