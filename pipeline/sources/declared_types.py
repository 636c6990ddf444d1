"""Types that the config gives to columns of text tables, as Arrow types."""

from collections.abc import Mapping

import pyarrow as pa

from pipeline.config.types import ColumnType

_DECLARED: dict[ColumnType, pa.DataType] = {
    "string": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}


def declared(columns: Mapping[str, ColumnType]) -> dict[str, pa.DataType]:
    """The Arrow types of columns whose types the config gives."""
    return {name: _DECLARED[kind] for name, kind in columns.items()}
