"""Payload of rows: in the column itself, in its member `bytes`, or in the file that the column names."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

import pyarrow as pa

from pipeline.config.schema import JobConfig
from pipeline.modalities.codecs.token_lists import as_texts, text_of
from pipeline.modalities.labels.mask_files import files_of_labels
from pipeline.records import Payload, Record, Reference, Refusal, Watch
from pipeline.sources.interface import Reader
from pipeline.sources.references.contents import content_of, with_labels
from pipeline.sources.strings import value_of, values_of

BYTES, PATH = "bytes", "path"
"""Members of a struct of payload, as Hugging Face's `datasets` writes it."""


class RecordSource(Protocol):
    """What is known of an input whose records are read; a `Job` is one."""

    @property
    def config(self) -> JobConfig:
        """How its columns are meant."""
        ...

    @property
    def reader(self) -> Reader:
        """Reads its units."""
        ...

    @property
    def external(self) -> tuple[str, ...]:
        """Fields whose column holds paths or URLs instead of payload."""
        ...


def payload_of(source: RecordSource, name: str, column: pa.Array, index: int) -> Payload | None:
    """One field of one row: payload in the column, or a `Reference` to the file that the column names."""
    payload = _payload(column, index)
    return Reference(payload) if name in source.external and isinstance(payload, str) else payload


def watched(source: RecordSource, rows: Iterator[Record], watch: Watch) -> Iterator[Record]:
    """The records, read, as `watch` sees them."""
    reading: Watch = getattr(watch, "reading", iter)
    return watch(fetched(source, reading(rows)))


def fetched(source: RecordSource, records: Iterable[Record]) -> Iterator[Record]:
    """The records with the content of the files that they refer to, or with why it cannot be had."""
    labels = files_of_labels(source.config)
    for record in records:
        if source.external and record.refusal is None:
            record = _fetched(source, record)
        yield with_labels(source.reader, record, labels) if labels and record.refusal is None else record


def _fetched(source: RecordSource, record: Record) -> Record:
    payloads = dict(record.payloads)
    for name, payload in record.payloads.items():
        if isinstance(payload, Reference):
            found = _fetch(source, name, payload, record.file)
            if isinstance(found, Refusal):
                return replace(record, refusal=found, payloads=dict.fromkeys(payloads))
            payloads[name] = found
    return replace(record, payloads=payloads)


def _payload(column: pa.Array, index: int) -> Payload | None:
    """Bytes or text of one row, None if it is not UTF-8; of a struct its member `bytes`."""
    if pa.types.is_struct(column.type):
        if column.type.get_field_index(BYTES) < 0 or not column[index].is_valid:
            return None
        column = column.field(BYTES)
    value = value_of(column, index)
    if isinstance(value, list):
        value = text_of(value)
    return value if value is None or isinstance(value, (bytes, str)) else bytes(value)


def payloads_of(column: pa.Array) -> list[Payload | None]:
    """Payload of every row of a column that holds it; of structs their member `bytes`. None for what is not UTF-8."""
    if pa.types.is_struct(column.type):
        column = column.field(BYTES)
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return values_of(as_texts(column))


def _fetch(source: RecordSource, field: str, reference: str, file: str) -> Payload | Refusal:
    """The content of a referenced file; as text where the field is text."""
    data = content_of(source.reader, field, source.config.fields[field], reference, file)
    if isinstance(data, Refusal):
        return data
    return _text(field, data) if source.config.fields[field].type == "text" else data


def _text(field: str, data: bytes) -> str | Refusal:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Refusal("failed", field, "read", "not_text", type(error).__name__, str(error))
