"""The content of files that a row names, payload of fields and labels in files of their own; or why there is none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pyarrow as pa

from pipeline.config.schema import AnyField
from pipeline.escaping.url_credentials import masked
from pipeline.modalities.labels.mask_files import NamedFiles, content_type
from pipeline.records import Record, Refusal
from pipeline.sources.interface import Reader
from pipeline.sources.references.file_references import References


def content_of(
    reader: Reader, field: str, settings: AnyField | NamedFiles, reference: str, file: str
) -> bytes | Refusal:
    """What lies where a reference in a file leads."""
    shown = masked(reference.removeprefix(f"{reader.root.url}/"))  # `_failed` does not tell where the input lies
    try:
        return References.of(reader, settings).read(reference, file)
    except (OSError, ValueError) as error:
        return _unread(field, shown, error)


def with_labels(reader: Reader, record: Record, named: Mapping[str, NamedFiles]) -> Record:
    """The record with what its columns of labels name in their place, or with why it cannot be had."""
    row, index = record.batch, record.index
    for column, settings in named.items():
        place = row.schema.get_field_index(column)
        if place < 0 or row.column(place).type == content_type(row.column(place).type):
            continue
        cell = row.column(place)[index].as_py()
        read: list[Any] = []
        for reference in cell if isinstance(cell, list) else [cell]:
            found = None
            if reference is not None:
                found = content_of(reader, settings.field, settings, reference, record.file)
            if isinstance(found, Refusal):
                return replace(record, refusal=found)
            read.append(found)
        kind = content_type(row.column(place).type)
        new = pa.array([read if isinstance(cell, list) else read[0]], kind)
        row, index = row.slice(index, 1).set_column(place, row.schema.field(place).with_type(kind), new), 0
    return replace(record, batch=row, index=index)


def _unread(field: str, shown: str, error: OSError | ValueError) -> Refusal:
    if isinstance(error, FileNotFoundError):
        reason, message = "missing_file", f"no such file: {shown}"
    else:
        reasons = {"OutsideAllowed": "outside_allowed", "TooLarge": "too_many_bytes"}
        reason = reasons.get(type(error).__name__, "unreadable_file")
        message = f"{shown}: {masked(getattr(error, 'strerror', None) or str(error))}"
    return Refusal("failed", field, "read", reason, type(error).__name__, message)
