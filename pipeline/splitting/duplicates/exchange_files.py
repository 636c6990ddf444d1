"""What workers of an engine found, in files beside the versions until the submitting machine has read them."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.sources.range_reads import in_order
from pipeline.splitting.duplicates.exact import Contents
from pipeline.storage.folder import Folder
from pipeline.storage.layout import WORK


def keep_contents(output: Folder, name: str, found: Contents) -> None:
    """Digests of one piece."""
    columns = {field: pa.array(digests) for field, digests in found.digests.items()}
    if found.places:
        columns["/places"] = pa.array(found.places, pa.int64())
    at = found.places[0] if found.places else found.first
    output.put(f"{WORK}/{name}-contents-{at:012d}.arrow", _bytes(pa.table(columns), first=str(found.first)))


def kept_contents(output: Folder, name: str) -> Iterator[Contents]:
    """Of all pieces."""
    names = [file for file in output.names(WORK) if file.startswith(f"{name}-contents-")]
    for table in in_order(lambda file: _table(output.read(f"{WORK}/{file}")), names):
        places = table.column("/places").to_pylist() if "/places" in table.column_names else []
        digests = {field: table.column(field).to_numpy() for field in table.column_names if field != "/places"}
        yield Contents(int(table.schema.metadata[b"first"]), tuple(places), digests)


def keep_pairs(output: Folder, name: str, field: str, pairs: NDArray[np.int64]) -> None:
    """Near duplicates of one field."""
    table = pa.table({"one": pa.array(pairs[:, 0]), "other": pa.array(pairs[:, 1])})
    output.put(_pairs_path(name, field), _bytes(table))


def kept_pairs(output: Folder, name: str, field: str) -> NDArray[np.int64]:
    """(n, 2)."""
    table = _table(output.read(_pairs_path(name, field)))
    return np.stack([table.column(side).to_numpy() for side in ("one", "other")], 1)


def _pairs_path(name: str, field: str) -> str:
    return f"{WORK}/{name}-near-{field.encode().hex()}.arrow"


def _bytes(table: pa.Table, **metadata: str) -> bytes:
    sink = pa.BufferOutputStream()
    stated = table.replace_schema_metadata(metadata)
    with pa.ipc.new_file(sink, stated.schema) as writer:
        writer.write_table(stated)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def _table(data: bytes) -> pa.Table:
    return pa.ipc.open_file(pa.BufferReader(data)).read_all()
