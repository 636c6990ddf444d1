"""Columns of labels that name files, as payload columns with `uri` do: masks that lie beside their pictures."""

from dataclasses import dataclass

import pyarrow as pa

from pipeline.config.schema import JobConfig
from pipeline.config.types import Allowed


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """How the files of a column may be read: `place` in the config, `field` that they belong to, bytes at most."""

    place: str
    field: str
    uri: bool | Allowed
    max_bytes: int


def files_of_labels(config: JobConfig) -> dict[str, NamedFiles]:
    """The columns of bound labels that name files."""
    return {
        binding.column: NamedFiles(f"fields.{name}.{kind}", name, binding.uri, field.max_bytes)
        for name, field in config.fields.items()
        for kind, binding in field.bound().items()
        if getattr(binding, "uri", False)
    }


def content_type(kind: pa.DataType) -> pa.DataType:
    """The type of a column of files once it holds what they contain: one for each row, or a list of them."""
    if pa.types.is_large_list(kind):
        return pa.large_list(pa.binary())
    return pa.list_(pa.binary()) if pa.types.is_list(kind) else pa.binary()
