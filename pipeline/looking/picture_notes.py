"""Notes of `check` on pictures: where precision is lost, and in what originals differ from copies."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import pyarrow as pa

from pipeline.config import ImageField, JobConfig
from pipeline.errors import InputError
from pipeline.looking.findings import Payloads
from pipeline.looking.payload_samples import DECODED, examine
from pipeline.sources import Listing


def picture_notes(config: JobConfig, listing: Listing) -> list[str]:
    """Of the first pictures of each field whose column holds the files themselves."""
    notes: list[str] = []
    for name, field in config.fields.items():
        if isinstance(field, ImageField) and name in listing.schema.names:
            payloads = [*islice(_first(name, listing), DECODED)]
            found = examine(payloads, "image")[0] if payloads else Payloads()
            notes += [f"fields.{name}: {note}" for note in _notes(field, found)]
    return notes


def _first(name: str, listing: Listing) -> Iterator[bytes]:
    unit = next(iter(listing.units), None)
    if unit is None:
        return
    with suppress(OSError, pa.ArrowException, InputError):  # told where it is read for good
        for batch in islice(listing.reader.read(unit, [name], 0, min(unit.rows, DECODED)), 1):
            for value in batch.column(name).to_pylist():
                payload = value.get("bytes") if isinstance(value, dict) else value
                if isinstance(payload, bytes):
                    yield payload


def _notes(field: ImageField, found: Payloads) -> Iterator[str]:
    if found.deep and field.window is None:
        low, high = found.levels
        yield (
            f"{found.deep} values from {low:g} to {high:g} in the first pictures become 256 levels or fewer; write "
            "window: [LOW, HIGH], the values of black and white, or keep the depth of TIFF files as type: volume"
        )
    if found.unlike and field.originals == "as_is" and not field.prepare:
        yield (
            f"originals keep their own bytes, unlike copies (in the first pictures: {', '.join(found.unlike)}); "
            "originals: decoded writes them as copies are written"
        )
