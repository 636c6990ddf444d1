"""The donors of a version in one file beside its shards: payload and bound labels, one Arrow record batch for each.

So workers read what they blend with from a small file, wherever in the input it came from.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import orjson
import pyarrow as pa

from pipeline.planning.donors.selection import Candidate
from pipeline.records import Payload, Record
from pipeline.storage.folder import Folder
from pipeline.storage.layout import DONORS

_KEYS = b"keys"
_TEXT = "text"


def donors_bytes(donors: Sequence[Record], field: str) -> bytes:
    """The file of some donors, which hold only the columns that are bound to the field."""
    schema = pa.schema(
        [("payload", pa.binary()), (_TEXT, pa.string()), ("row", _row(donors[0]).type)],
        metadata={_KEYS: orjson.dumps([record.key for record in donors])},
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, schema) as writer:
        for record in donors:
            payload = record.payloads[field]
            data, text = (None, payload) if isinstance(payload, str) else (payload, None)
            columns = [pa.array([data], pa.binary()), pa.array([text], pa.string()), _row(record)]
            writer.write_batch(pa.record_batch(columns, schema=schema))
    content: bytes = sink.getvalue().to_pybytes()
    return content


def stored_keys(dataset: Folder) -> tuple[str, ...]:
    """The donors that the file has. Raises FileNotFoundError."""
    return tuple(_places(dataset))


def stored(dataset: Folder, donor: Candidate, field: str) -> Record | None:
    """A donor as it was read from its source; None for one that the file has not. Raises FileNotFoundError."""
    place = _places(dataset).get(donor.key)
    if place is None:
        return None
    with dataset.open(DONORS) as source:
        batch = pa.ipc.open_file(source).get_batch(place)
    row = batch.column("row")
    columns = pa.record_batch(row.flatten(), names=[member.name for member in row.type])
    payload: Payload = (
        batch.column(_TEXT)[0] if batch.column(_TEXT)[0].is_valid else batch.column("payload")[0]
    ).as_py()
    return Record(donor.key, donor.file, donor.row, donor.labels, {field: payload}, columns, 0)


@lru_cache(maxsize=8)
def _places(dataset: Folder) -> Mapping[str, int]:
    """Key -> number of its batch."""
    with dataset.open(DONORS) as source:
        metadata = pa.ipc.open_file(source).schema.metadata
    return {key: place for place, key in enumerate(orjson.loads(metadata[_KEYS]))}


def _row(record: Record) -> pa.StructArray:
    return pa.StructArray.from_arrays(record.batch.columns, names=record.batch.schema.names)
