"""Signatures of records on the disk of this machine: a file for each piece, found by the piece's first row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.modalities.similarity.interface import Signature
from pipeline.storage.scratch import mapped_table, write_table

RowNumbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Signatures:
    """A folder, and the first rows of the pieces that are there, ascending."""

    folder: str
    firsts: RowNumbers

    def rows(self, first: int) -> RowNumbers:
        """Rows of a piece that have a signature, ascending."""
        rows: RowNumbers = mapped_table(_path(self.folder, first)).column("row").to_numpy()
        return rows

    def load(self, rows: RowNumbers, detailed: bool) -> list[Signature]:
        """The signatures of some rows; without details, which are most of it, where nobody asks for them."""
        order = np.argsort(rows, kind="stable")
        ascending = rows[order]
        found: list[Signature] = []
        of = np.searchsorted(self.firsts, ascending, "right") - 1
        for place in np.unique(of).tolist():
            table = mapped_table(_path(self.folder, int(self.firsts[place])))
            at = pa.array(np.searchsorted(table.column("row").to_numpy(), ascending[of == place]))
            views, bands = (table.column(name).take(at).to_pylist() for name in ("views", "bands"))
            details = table.column("detail").take(at).to_pylist() if detailed else [b""] * len(at)
            width = int(table.schema.metadata[b"width"])
            found += [_signature(width, *values) for values in zip(views, bands, details, strict=True)]
        places = np.empty(len(rows), np.int64)
        places[order] = np.arange(len(rows))
        return [found[place] for place in places.tolist()]


def store(folder: str, first: int, rows: Sequence[int], signatures: Sequence[Signature]) -> None:
    """Those of one piece, rows ascending. Raises RunFailed where there is no room."""
    width = signatures[0].embeddings.shape[1] if signatures else 0
    columns = {
        "row": pa.array(rows, pa.int64()),
        "views": pa.array([s.embeddings.tobytes() for s in signatures], pa.binary()),
        "bands": pa.array([s.bands.tobytes() for s in signatures], pa.binary()),
        "detail": pa.array([s.detail for s in signatures], pa.large_binary()),
    }
    write_table(_path(folder, first), pa.table(columns).replace_schema_metadata({"width": str(width)}))


def _path(folder: str, first: int) -> str:
    return f"{folder}/{first:012d}.arrow"


def _signature(width: int, views: bytes, bands: bytes, detail: bytes) -> Signature:
    embeddings = np.frombuffer(views, np.int8).reshape(-1, width) if width else np.zeros((0, 0), np.int8)
    return Signature(embeddings, np.frombuffer(bands, np.uint64), detail)
