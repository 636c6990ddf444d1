"""The splits of a dataset of ours as sides: what its files say, lineage included."""

from collections.abc import Iterator

import pyarrow.parquet as pq

from pipeline.audit.marks import group_columns, rows_of
from pipeline.audit.rows import Field, Rows, Set
from pipeline.dataset import Dataset
from pipeline.schema import LINEAGE, SAMPLE_ID

_READ_ROWS = 256


def written_sides(dataset: Dataset) -> list[Set]:
    """One side per split that has files."""
    config = dataset.manifest["config"]
    fields = tuple(Field(name, config["fields"][name]["type"]) for name in dataset.manifest["field_order"])
    groups = group_columns(config)
    return [_side(dataset, split, fields, groups) for split in dataset.manifest["splits"] if dataset.files(split)]


def _side(dataset: Dataset, split: str, fields: tuple[Field, ...], groups: tuple[str, ...]) -> Set:
    def read(chosen: tuple[Field, ...]) -> Iterator[Rows]:
        for path in dataset.files(split):
            with dataset.folder.open(path) as source:
                names = [*groups, SAMPLE_ID, LINEAGE, *(f.name for f in chosen)]
                for batch in pq.ParquetFile(source).iter_batches(_READ_ROWS, columns=names):
                    yield rows_of(batch, chosen, groups)

    return Set(split, fields, read)
