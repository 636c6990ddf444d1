"""Config of blends: how many training records are kept at hand as partners."""

from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.types import Int, Node

SHELF = 512
MOST_DONORS = 65_536


class BlendSettings(Node):
    """Where steps that blend records find others."""

    shelf: Annotated[Int, Field(ge=2, le=MOST_DONORS)] | None = Field(
        None, description=f"Training records on the donor shelf, spread over the classes. Absent: {SHELF}, or all."
    )
    other_fields: Literal["own"] | None = Field(
        None, description="own: fields beside the blended one stay those of the record itself. Absent: there are none."
    )
