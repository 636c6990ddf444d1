"""Parquet files with key columns of made records and a payload column that holds nothing."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

GROUP_ROWS, FILE_ROWS = 1_000, 10_000
CLASSES, SCENE_ROWS = 100, 3


def write(folder: Path, records: int) -> None:
    """Files of FILE_ROWS rows in row groups of GROUP_ROWS; nothing if they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, first in enumerate(range(0, records, FILE_ROWS)):
        path = folder / f"part-{number:06d}.parquet"
        if not path.exists():
            pq.write_table(_table(first, min(records, first + FILE_ROWS)), path, row_group_size=GROUP_ROWS)


def _table(first: int, stop: int) -> pa.Table:
    numbers = np.arange(first, stop)
    ids = pa.array(np.char.mod("record-%010d", numbers))
    labels = pc.binary_join_element_wise(pa.array(numbers * 2_654_435_761 % CLASSES).cast(pa.string()), "class", "-")
    scenes = pa.array(numbers // SCENE_ROWS)
    return pa.table({"id": ids, "label": labels, "scene": scenes, "image": pa.nulls(len(numbers), pa.binary())})
