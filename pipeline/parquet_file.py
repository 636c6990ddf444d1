"""Tables -> the bytes of one Parquet file, every setting pinned, built whole in memory."""

from functools import lru_cache

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.dictionaries import row_groups

ROW_GROUP_BYTES = 8 * 2**20
_ZSTD_LEVEL = 3
_PAGE_BYTES = 1 << 20


class ParquetFile:
    """Builds one file: a row group per table. `plain` names columns whose payload is already compressed."""

    def __init__(self, schema: pa.Schema, plain: frozenset[str]) -> None:
        self._sink = pa.BufferOutputStream()
        self._writer = pq.ParquetWriter(self._sink, schema, **_settings(schema, plain))
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        """Append one row group, or several where short dictionary indices ask for it."""
        for part in row_groups(table):
            self._writer.write_table(part, row_group_size=max(1, part.num_rows))
        self.rows += table.num_rows

    def close(self) -> pa.Buffer:
        """The finished file."""
        self._writer.close()
        return self._sink.getvalue()


def file_of(table: pa.Table) -> pa.Buffer:
    """A small file of one table."""
    file = ParquetFile(table.schema, frozenset())
    file.add(table)
    return file.close()


def _settings(schema: pa.Schema, plain: frozenset[str]) -> dict[str, object]:
    leaves = leaf_columns(schema)
    bulky = {leaf for field in schema if field.name in plain for leaf in _payload_leaves(field)}
    other = [leaf for leaf in leaves if leaf not in bulky]
    return {
        "version": "2.6",
        "data_page_version": "1.0",
        "data_page_size": _PAGE_BYTES,
        "compression": {leaf: "NONE" if leaf in bulky else "ZSTD" for leaf in leaves},
        "compression_level": dict.fromkeys(other, _ZSTD_LEVEL),
        "use_dictionary": other,
        "write_statistics": other,
        "write_page_index": True,
        "store_schema": True,
    }


def _payload_leaves(field: pa.Field) -> tuple[str, ...]:
    """Where a field's payload is: a struct holds it in its member `bytes`."""
    return (f"{field.name}.bytes",) if pa.types.is_struct(field.type) else leaf_columns(pa.schema([field]))


@lru_cache(maxsize=16)
def leaf_columns(schema: pa.Schema) -> tuple[str, ...]:
    """Dotted names of the Parquet columns that a schema becomes."""
    sink = pa.BufferOutputStream()
    pq.write_table(schema.empty_table(), sink)
    described = pq.read_metadata(pa.BufferReader(sink.getvalue())).schema
    return tuple(described.column(n).path for n in range(len(described.names)))
