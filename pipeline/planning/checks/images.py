"""Notes of `check` on pictures: where precision is lost, and in what originals differ from copies."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import pyarrow as pa

from pipeline.config.schema import ImageField, JobConfig
from pipeline.errors import InputError
from pipeline.sources import Listing
from pipeline.sources.inspection.findings import Payloads
from pipeline.sources.inspection.payload_samples import DECODED, examine
from pipeline.sources.references.file_references import References
from pipeline.sources.strings import values_of
from pipeline.storage.folder import is_url


def picture_notes(config: JobConfig, listing: Listing) -> list[str]:
    """Of the first pictures of each field whose column holds files, or paths of files of this machine."""
    notes: list[str] = []
    for name, field in config.fields.items():
        if isinstance(field, ImageField) and name in listing.schema.names:
            payloads = [*islice(_first(name, field, listing), DECODED)]
            found = examine(payloads, "image")[0] if payloads else Payloads()
            notes += [f"fields.{name}: {note}" for note in _notes(field, found)]
    return notes


def _first(name: str, field: ImageField, listing: Listing) -> Iterator[bytes]:
    unit = next(iter(listing.units), None)
    if unit is None:
        return
    references = References.of(listing.reader, field) if field.uri or listing.kind == "folder" else None
    with suppress(OSError, pa.ArrowException, InputError):  # told where it is read for good
        for batch in islice(listing.reader.read(unit, [name], 0, min(unit.rows, DECODED)), 1):
            for value in values_of(batch.column(name)):
                payload = value.get("bytes") if isinstance(value, dict) else value
                if isinstance(payload, str) and references is not None:
                    payload = _named(references, payload, unit.file)
                if isinstance(payload, bytes):
                    yield payload


def _named(references: References, written: str, file: str) -> bytes | None:
    """The content of a file of this machine; others are not fetched for a note."""
    try:
        return None if is_url(references.place(written, file)) else references.read(written, file)
    except (OSError, ValueError):
        return None


def _notes(field: ImageField, found: Payloads) -> Iterator[str]:
    if found.deep and field.window is None:
        low, high = found.levels
        yield (
            f"{found.deep} values from {low:g} to {high:g} in the first pictures become 256 levels or fewer; write "
            "window: [LOW, HIGH], the values of black and white, or keep the depth of TIFF and PNG as type: volume"
        )
    if found.unlike and field.originals == "as_is" and not field.prepare:
        yield (
            f"originals keep their own bytes, unlike copies (in the first pictures: {', '.join(found.unlike)}); "
            "originals: decoded writes them as copies are written"
        )
