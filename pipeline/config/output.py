"""What the config says of the files that are written."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, ByteSize, Field, StringConstraints

from pipeline.config.types import Int, Node, number


class OutputConfig(Node):
    """Where the dataset goes."""

    path: Annotated[str, StringConstraints(min_length=1)] = Field(description="Folder; local or any fsspec URL.")
    shard_size: Annotated[ByteSize, BeforeValidator(number), Field(ge=1024, le=4 * 2**30)] = Field(
        ByteSize(64 * 2**20), description="About how big a shard becomes, e.g. 64MiB."
    )
    shard_count: Annotated[Int, Field(ge=1, le=1_000_000)] | None = Field(
        None, description="Number of training shards, instead of shard_size. Each is built in memory."
    )
    order: Literal["shuffled", "input"] = Field(
        "shuffled", description="Order of rows: seeded random, mixed within and across shards, or that of the input."
    )
    row_group_rows: Annotated[Int, Field(ge=1, le=2**20)] = Field(
        256, description="Most rows of a row group; one also ends at about 8 MiB."
    )
