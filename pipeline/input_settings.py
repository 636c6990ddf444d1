"""The part of the config that says where records are, and how their files are read."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field

from pipeline.config_types import Column, ColumnType, Node, OnePath, Paths, Prefixes, one_character


class InputConfig(Node):
    """Where the records are and which columns mean what."""

    model_config = ConfigDict(serialize_by_alias=True)

    path: Paths = Field(description="File, glob, folder or list of them; local or any fsspec URL.")
    root: OnePath | None = Field(
        None, description="Folder above every path: names of files count from there, not from each path."
    )
    allow: Prefixes | None = Field(
        None, description="Where links inside of these folders may lead to, besides the folders themselves."
    )
    format: Literal["parquet", "csv", "jsonl", "folder"] | None = Field(
        None, description="Only needed where the file names do not tell."
    )
    columns: dict[Column, ColumnType] = Field(
        default_factory=dict,
        description="Types of columns, where CSV is not to stay text or other files differ: {price: float}.",
    )
    extent: Literal["same", "union"] = Field(
        "same", alias="schema", description="Columns of Parquet files: the same in all, or null where a file lacks one."
    )
    delimiter: Annotated[str, AfterValidator(one_character)] | None = Field(
        None, description="Between the columns of CSV; absent: recognised from the first lines."
    )
    id: Column | None = Field(None, description="Column of unique ids; without it, file and row number.")
    label: Column | None = Field(None, description="Column of the class.")
    group: Column | None = Field(None, description="Records of one group never cross a split.")
    fingerprint: Literal["tag", "content"] = Field(
        "tag", description="How local files are recognised: size and modification time, or content."
    )
