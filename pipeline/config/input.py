"""The part of the config that says where records are, and how their files are read."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag

from pipeline.config.types import Column, ColumnType, Float, Int, Node, OnePath, Paths, Prefixes, one_character


def _rising(edges: tuple[float, ...]) -> tuple[float, ...]:
    """Edges in their order, each once."""
    for low, high in pairwise(edges):
        if low >= high:
            raise ValueError(f"must rise, and {high:g} does not lie above {low:g}")
    return edges


class Quantiles(Node):
    """Edges that the labels of the whole input decide: bins of about equally many records."""

    quantiles: Annotated[Int, Field(ge=2, le=1000)] = Field(description="Number of bins.")


LabelBins = Annotated[
    Annotated[tuple[Float, ...], Field(min_length=1, max_length=1000), AfterValidator(_rising), Tag("<edges>")]
    | Annotated[Quantiles, Tag("<quantiles>")],
    Discriminator(lambda value: "<edges>" if isinstance(value, list | tuple) else "<quantiles>"),
]


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
    label_bins: LabelBins | None = Field(
        None,
        description="Of labels that are numbers: edges between bins, [10, 20.5], or {quantiles: N}. Bins are the "
        "classes that are split, balanced and counted; the column is written as it is.",
    )
    group: Column | None = Field(None, description="Records of one group never cross a split.")
    fingerprint: Literal["tag", "content"] = Field(
        "tag", description="How local files are recognised: size and modification time, or content."
    )

    @property
    def label_edges(self) -> tuple[float, ...] | None:
        """Edges of the bins that are the classes; None where labels are classes themselves, or nobody decided yet."""
        return self.label_bins if isinstance(self.label_bins, tuple) else None
