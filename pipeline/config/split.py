"""Config of the split: what decides it, and which records stay on one side."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from pipeline.config.copies import Columns
from pipeline.config.types import Column, Float, Int, Node, Seed, Share
from pipeline.records import Split

Method = Literal["hash", "stratified", "column", "time"]


class Folds(Node):
    """k-fold cross-validation: the same records whichever fold is asked for."""

    k: Annotated[Int, Field(ge=2, le=1000)] = Field(description="Number of folds.")
    fold: Annotated[Int, Field(ge=0)] = Field(description="The fold that is validation, from 0; the others are train.")
    stratified: bool = Field(False, description="Each class keeps its share in every fold.")

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.fold >= self.k:
            raise ValueError(f"fold {self.fold} is not one of {self.k} folds: 0 to {self.k - 1}")
        return self


class ByFolds(Node):
    """Split by folds."""

    kfold: Folds


class NearSettings(Node):
    """Near duplicates of one field."""

    threshold: Annotated[Float, Field(ge=0, le=1)] | None = Field(
        None, description="Largest distance in 0..1 of what counts as the same. Absent: the measure's own."
    )
    mirrored: bool = Field(False, description="Mirror images count as the same (pictures, clips, volumes).")


def _with_folds(value: object) -> object:
    """`kfold` alone does not say which fold."""
    if value == "kfold":
        raise ValueError("kfold needs the number of folds and which is validation: {kfold: {k: 5, fold: 0}}")
    return value


def _settled(value: object) -> object:
    """`image:` and `image: true` are the defaults."""
    return {} if value is None or value is True else value


NearFields = Annotated[
    Annotated[bool, Tag("<all or none>")]
    | Annotated[dict[Column, Annotated[NearSettings, BeforeValidator(_settled)]], Tag("<by field>")],
    Discriminator(lambda value: "<by field>" if isinstance(value, dict) else "<all or none>"),
]


class KeepTogether(Node):
    """Records that are alike in one of these ways never lie in two splits."""

    group: Columns | None = Field(None, description="Columns; records that share a value in one of them are relatives.")
    exact: bool = Field(True, description="Records with the very same payload; false saves one read of the payload.")
    near_duplicates: NearFields = Field(False, description="Fields whose near duplicates are relatives; true: all.")

    @property
    def groups(self) -> tuple[str, ...]:
        """The columns."""
        if self.group is None:
            return ()
        return (self.group,) if isinstance(self.group, str) else self.group


class SplitConfig(Node):
    """How records are divided before anything is multiplied. Train gets what the shares leave."""

    by: Annotated[
        Annotated[Method, Tag("<word>")] | Annotated[ByFolds, Tag("<folds>")],
        Discriminator(lambda value: "<word>" if isinstance(value, str) else "<folds>"),
        BeforeValidator(_with_folds),
    ] = Field(
        "hash",
        description="hash of group or key; stratified: each class keeps its share; column: a column names the split; "
        "time: the newest are held out; kfold: {k, fold}.",
    )
    validation: Share = Field(0.0, description="Share of validation in 0..1.")
    test: Share = Field(0.0, description="Share of test in 0..1.")
    column: Column | None = Field(None, description="Column that names the split; with by: time, the column of times.")
    keep_together: KeepTogether = KeepTogether()
    sticky: bool = Field(True, description="Records and relatives that an earlier version placed stay where they are.")
    seed: Seed = Field(0, description="Apart from the run's seed, so that new augmentations move no record.")

    @model_validator(mode="before")
    @classmethod
    def _named(cls, values: Any) -> Any:
        """A column alone names the split."""
        if isinstance(values, dict) and values.get("column") is not None and "by" not in values:
            return {**values, "by": "column"}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.validation + self.test > 1.0:
            raise ValueError(
                f"the shares sum to {self.validation + self.test:g}, more than 1; "
                "train gets what validation and test leave"
            )
        for problem in (self._column_problem(), self._share_problem()):
            if problem:
                raise ValueError(problem)
        return self

    def _column_problem(self) -> str:
        if self.by == "column":
            if self.validation or self.test:
                return "give either shares or a column, not both"
            kept = self.keep_together
            if kept.group or kept.near_duplicates:
                return (
                    "by: column leaves nothing to keep_together: the column decides alone. "
                    "Use another way to split, or look with fanbeam audit for what the column lets through"
                )
        if self.by in {"column", "time"} and self.column is None:
            return f"by: {self.by} needs column: the column of {'splits' if self.by == 'column' else 'times'}"
        if self.by not in {"column", "time"} and self.column is not None:
            return f"by: {self.method} has no use for column; leave one of them out"
        return ""

    def _share_problem(self) -> str:
        if self.folds is not None and self.validation:
            return "with by: kfold one fold is validation; only test may have a share"
        if self.by in {"stratified", "time"} and not self.validation and not self.test:
            return f"by: {self.by} needs shares: give validation or test"
        return ""

    @property
    def folds(self) -> Folds | None:
        """The folds, if that is the way."""
        return self.by.kfold if isinstance(self.by, ByFolds) else None

    @property
    def method(self) -> str:
        """The way, in a word."""
        return "kfold" if isinstance(self.by, ByFolds) else self.by

    @property
    def stratified(self) -> bool:
        """Whether classes keep their shares."""
        return self.by == "stratified" or (self.folds is not None and self.folds.stratified)

    @property
    def names_splits(self) -> bool:
        """Whether a column of the input decides alone."""
        return self.by == "column"

    @property
    def time_column(self) -> str | None:
        """The column of times, if they decide."""
        return self.column if self.by == "time" else None

    @property
    def split_column(self) -> str | None:
        """The column that names splits, if it does."""
        return self.column if self.names_splits else None

    def shares(self) -> dict[Split, float]:
        """The shares that are aimed at."""
        return {"validation": self.validation, "test": self.test}
