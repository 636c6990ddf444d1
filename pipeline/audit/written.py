"""The splits of a dataset of ours as sides: what its files say, lineage included."""

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.audit.contents import content_marks, payload_columns
from pipeline.audit.rows import Field, Rows, Set, single, texts_of
from pipeline.dataset import Dataset
from pipeline.schema import LINEAGE, SAMPLE_ID

_READ_ROWS = 256


def written_sides(dataset: Dataset) -> list[Set]:
    """One side per split that has files."""
    config = dataset.manifest["config"]
    fields = tuple(Field(name, config["fields"][name]["type"]) for name in dataset.manifest["field_order"])
    groups = group_columns(config)
    return [_side(dataset, split, fields, groups) for split in dataset.manifest["splits"] if dataset.files(split)]


def group_columns(config: dict[str, object]) -> tuple[str, ...]:
    """Columns whose values must not be on two sides, as the manifest's config names them."""
    given = config["input"]
    named = given.get("group") if isinstance(given, dict) else None
    return (named,) if isinstance(named, str) else ()


def _side(dataset: Dataset, split: str, fields: tuple[Field, ...], groups: tuple[str, ...]) -> Set:
    def read(chosen: tuple[Field, ...]) -> Iterator[Rows]:
        for path in dataset.files(split):
            with dataset.folder.open(path) as source:
                names = [*groups, SAMPLE_ID, LINEAGE, *(f.name for f in chosen)]
                for batch in pq.ParquetFile(source).iter_batches(_READ_ROWS, columns=names):
                    yield rows_of(batch, chosen, groups)

    return Set(split, fields, read)


def rows_of(batch: pa.RecordBatch, fields: Sequence[Field], groups: Sequence[str]) -> Rows:
    """Rows of a file that carries lineage."""
    lineage = batch.column(LINEAGE)
    sources = texts_of(lineage.field("source_id"))
    parents = lineage.field("parents").to_pylist()
    marks = {
        ("id", SAMPLE_ID): single(texts_of(batch.column(SAMPLE_ID))),
        ("source", "source"): single(sources),
        ("parent", "source"): [
            tuple(p["source_id"] for p in row or () if p["source_id"] != own)
            for row, own in zip(parents, sources, strict=True)
        ],
        **{("group", name): single(texts_of(batch.column(name))) for name in groups},
    }
    payloads = payload_columns(batch, fields)
    return Rows([v or "" for v in texts_of(batch.column(SAMPLE_ID))], marks | content_marks(payloads, fields), payloads)
