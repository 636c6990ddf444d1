"""Some rows of a Parquet file, row group by row group."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.storage.folder import Folder


def groups_with(
    folder: Folder, path: str, rows: NDArray[np.integer[Any]], columns: Sequence[str] | None = None
) -> Iterator[tuple[NDArray[np.integer[Any]], pa.RecordBatch]]:
    """Row groups of a written file that hold some of these rows, one at a time: which of its own rows, and the group.

    `rows`: numbers within the file, sorted. `columns`: all of them if None.
    """
    with folder.open(path) as source:
        file, start = pq.ParquetFile(source), 0
        for group in range(file.num_row_groups):
            stop = start + file.metadata.row_group(group).num_rows
            here = rows[(rows >= start) & (rows < stop)] - start
            if len(here):
                table = file.read_row_group(group, columns=None if columns is None else list(columns))
                yield here, table.combine_chunks().to_batches()[0]
            start = stop
