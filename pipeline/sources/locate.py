"""The listing of one file of the input, completed by what is known of the others."""

from dataclasses import replace

import pyarrow as pa

from pipeline.sources import Listing, Reader
from pipeline.sources.parquet.reader import ParquetReader
from pipeline.sources.tables.reader import TableReader


def completed(listing: Listing, known: pa.Schema) -> Listing:
    """The listing of one file with the columns that other files of its input had: they are null here."""
    lacking = [field for field in known if field.name not in listing.schema.names]
    if not lacking or not isinstance(listing.reader, ParquetReader | TableReader):
        return listing
    schema = pa.schema([*listing.schema, *lacking], listing.schema.metadata)
    reader: Reader = replace(listing.reader, schema=schema)
    if isinstance(reader, ParquetReader):
        reader = replace(reader, columns=tuple(schema.names))
    return replace(listing, schema=schema, reader=reader)
