"""Config of how often training records are multiplied: alike, by class, or so that classes come out balanced."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from pipeline.config.types import Column, Float, Int, Node

MOST_COPIES = 10_000
Count = Annotated[Int, Field(ge=0, le=MOST_COPIES)]


Target = Annotated[
    Annotated[Literal["max", "median"], Tag("<word>")] | Annotated[Int, Field(ge=1), Tag("<number>")],
    Discriminator(lambda value: "<word>" if isinstance(value, str) else "<number>"),
]
Columns = Annotated[
    Annotated[Column, Tag("<one>")] | Annotated[tuple[Column, ...], Field(min_length=1), Tag("<many>")],
    Discriminator(lambda value: "<many>" if isinstance(value, list | tuple) else "<one>"),
]


def _written(value: object) -> object:
    """Whole numbers as labels have them."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


ClassName = Annotated[str, BeforeValidator(_written)]


class PerClass(Node):
    """Copies by class; of several classes in one record the one with most copies counts."""

    per_class: Annotated[dict[ClassName, Count], Field(min_length=1)] = Field(
        description="Class -> copies; numbers, and the names of a Hugging Face ClassLabel, as well."
    )
    default: Count = Field(4, description="Copies of all other records.")


class BalanceSettings(Node):
    """Samples per class to aim at, and what may be done to reach them."""

    target: Target = Field(
        "max", description="Samples that each class should have: as many as the largest class, the median, or a number."
    )
    max_copies: Annotated[Int, Field(ge=1, le=MOST_COPIES)] = Field(12, description="Most copies of one record.")
    min_copies: Count = Field(0, description="Fewest copies of one record.")
    per: Columns | None = Field(
        None, description="Column, or columns taken together, whose values are balanced. Absent: the label."
    )
    multi_label: bool = Field(False, description="Records may have several classes: as near to the target as can be.")
    downsample: bool = Field(False, description="Drop records of classes above the target: _rejected, downsampled.")
    watch: tuple[Column, ...] = Field((), description="Columns whose values should keep their shares; plan warns.")
    watch_growth: Annotated[Float, Field(gt=1)] = Field(
        1.5, description="Warn of a group or watched value whose share of the samples grows by more than this factor."
    )
    watch_parents: Annotated[Float, Field(ge=0, le=1)] = Field(
        0.1, description="Warn of a class with fewer distinct parents per sample than this."
    )

    @model_validator(mode="after")
    def _in_order(self) -> "BalanceSettings":
        if self.min_copies > self.max_copies:
            raise ValueError(f"min_copies {self.min_copies} is more than max_copies {self.max_copies}")
        return self

    def columns(self, label: str | None) -> tuple[str, ...]:
        """Columns whose values, together, are a record's class."""
        if self.per is None:
            return () if label is None else (label,)
        return (self.per,) if isinstance(self.per, str) else self.per


class Balanced(Node):
    """Copies chosen per class."""

    balance: BalanceSettings


def _kind(value: object) -> str:
    if isinstance(value, PerClass) or (isinstance(value, dict) and ("per_class" in value or "default" in value)):
        return "<by class>"
    return "<balance>" if isinstance(value, Balanced | dict) else "<number>"


CopySettings = Annotated[
    Annotated[Count, Tag("<number>")] | Annotated[PerClass, Tag("<by class>")] | Annotated[Balanced, Tag("<balance>")],
    Discriminator(_kind),
]


def told(settings: int | PerClass | Balanced) -> str:
    """In words, per training record."""
    if isinstance(settings, PerClass):
        return f"copies by class, at most {most_copies(settings)}"
    if isinstance(settings, Balanced):
        return f"copies for balance, at most {most_copies(settings)}"
    return f"{settings} cop{'y' if settings == 1 else 'ies'} of each training record"


def most_copies(settings: int | PerClass | Balanced) -> int:
    """Copies that a record may get at most."""
    if isinstance(settings, PerClass):
        return max(settings.default, *settings.per_class.values())
    return settings.balance.max_copies if isinstance(settings, Balanced) else settings
