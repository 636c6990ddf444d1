"""Config of bound labels: which columns hold them, and how they are written there."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from pipeline.config.types import Uri

BoxFormat = Literal["pascal_voc", "coco", "yolo", "albumentations"]
OrientedFormat = Literal["quad", "xywhr"]
"""See `oriented`."""
Column = Annotated[str, StringConstraints(min_length=1)]
Level = Annotated[int, Field(ge=0, le=255)]


def distinct(colours: tuple[tuple[int, int, int], ...]) -> tuple[tuple[int, int, int], ...]:
    """The colours. Raises ValueError for one that stands for two classes."""
    twice = next((colour for n, colour in enumerate(colours) if colour in colours[:n]), None)
    if twice is not None:
        raise ValueError(f"the colour {list(twice)} stands for two classes")
    return colours


class _Binding(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False, allow_inf_nan=False)

    column: Column = Field(description="The column that holds them: a list of lists, of structs, or a struct of lists.")
    labels: Column | None = Field(None, description="Column (or member of the structs) of their labels; it follows.")
    columns: tuple[Column, ...] = Field((), description="Further columns with one entry for each; they follow too.")

    def followers(self) -> tuple[str, ...]:
        """Columns beside `column` that have an entry for each."""
        return tuple(dict.fromkeys(c for c in (self.labels, *self.columns) if c is not None))


class PlainBoxBinding(_Binding):
    """Four numbers for each box."""

    format: BoxFormat = Field(description="How the four numbers are meant.")
    extra: Annotated[int, Field(ge=0, le=64)] = Field(0, description="Further numbers of each box; they follow.")
    member: Column = Field("bbox", description="Member that holds the four numbers, where the column holds structs.")
    min_area: Annotated[float, Field(ge=0)] = Field(0.0, description="Square pixels; smaller boxes are dropped.")
    min_visibility: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="Share of a box's area that must stay inside the picture in a step."
    )


class BoxBinding(PlainBoxBinding):
    """Boxes of an image field: per row a list of four numbers each."""

    format: BoxFormat | OrientedFormat = Field(  # type: ignore[assignment]
        description="How the numbers are meant: four of an upright box, eight of a quad, five of a turned box (xywhr)."
    )
    angle: Literal["radians", "degrees"] = Field(
        "radians", description="Of xywhr: the last number, clockwise as the picture is seen."
    )
    area: Column | None = Field(
        None,
        description="Column or member with each box's area: of its mask or outline if there is one for each, else its "
        "own.",
    )
    tighten: bool = Field(
        False, description="Draw boxes around what is left of their masks, or else outlines, if there is one for each."
    )

    def followers(self) -> tuple[str, ...]:
        """Columns beside `column` that have an entry for each."""
        return (*super().followers(), *(() if self.area is None else (self.area,)))


class ClipBoxBinding(PlainBoxBinding):
    """Boxes of a video field: per row a list of structs, or a struct of lists, with four numbers and a frame each."""

    frame: Column = Field("frame", description="Member that holds the number of the box's frame, counted from 0.")


class PlainKeypointBinding(_Binding):
    """Points with numbers after them."""

    member: Column = Field("point", description="Member that holds x and y, where the column holds structs.")


class KeypointBinding(PlainKeypointBinding):
    """Keypoints of an image field: per row a list of x, y (in pixels) each; numbers after them follow."""

    swap: tuple[tuple[Column | int, Column | int], ...] = Field(
        (), description="Pairs that change places where the picture is mirrored: names of `labels`, or places from 0."
    )
    keep_all: bool = Field(
        False, description="Keep number and order; points outside get x, y and the visibility after them 0."
    )

    @property
    def fixed(self) -> bool:
        """Whether steps may drop no point."""
        return self.keep_all or bool(self.swap)


class MaskBinding(_Binding):
    """Masks of an image field: a column of pictures of class numbers, or of run lengths (COCO), one or a list."""

    column: Column = Field(description="PNG bytes, {bytes, path}, {counts, size}, or a list of these.")
    uri: Uri = Field(
        False, description="The column holds paths or URLs of files, as `fields.NAME.uri` says of payload; or lists."
    )
    labels: Column | None = Field(None, description="Column with a label for each mask of a list; it follows.")
    min_area: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Pixels; masks of a list with less left are dropped with their box and labels."
    )
    palette: Annotated[tuple[tuple[Level, Level, Level], ...], AfterValidator(distinct), Field(max_length=65_536)] = (
        Field((), description="Of masks in colours: red, green, blue of each class, from class 0, the new ground.")
    )


class PolygonBinding(_Binding):
    """Outlines of an image field, as COCO writes them: per row an entry for each object, of rings x, y, x, y."""

    column: Column = Field(description="A list with an entry for each object, a list of structs, or a struct of lists.")
    member: Column = Field("segmentation", description="Member that holds the rings, where the column holds structs.")
    min_area: Annotated[float, Field(ge=0)] = Field(0.0, description="Square pixels; smaller outlines are dropped.")
    area: Column | None = Field(None, description="Column or member with each outline's area, all rings together.")

    def followers(self) -> tuple[str, ...]:
        """Columns beside `column` that have an entry for each."""
        return (*super().followers(), *(() if self.area is None else (self.area,)))


class VolumeKeypointBinding(PlainKeypointBinding):
    """Keypoints of a volume: per row a list of x, y, z (in voxels) each; numbers after them follow."""

    member: Column = Field("point", description="Member that holds x, y and z, where the column holds structs.")


class VolumeMaskBinding(BaseModel):
    """Masks of a volume: a column of files of class numbers (TIFF, npy, npz, NIfTI), one or a list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Column = Field(description="Bytes of a file, {bytes, path}, or a list of these.")
    uri: Uri = Field(
        False, description="The column holds paths or URLs of files, as `fields.NAME.uri` says of payload; or lists."
    )


class _PairBinding(_Binding):
    """Two numbers that begin and end something."""

    start: Column = Field("start", description="Member for the start, where the column holds structs.")
    end: Column = Field("end", description="Member for the end, where the column holds structs.")


class SegmentBinding(_PairBinding):
    """Segments of a sound or clip: per row a list of start, end in seconds."""

    unit: Literal["seconds", "milliseconds", "samples"] = Field(
        "seconds", description="What start and end are counted in; samples only for sounds."
    )


class SpanBinding(_PairBinding):
    """Spans of a text: first character, and the one after the last; counted in code points."""

    keep: bool = Field(False, description="Whether steps leave the words in them as they are.")


class AnswerBinding(BaseModel):
    """Answers that were cut out of a text: per row their words, and the first character of each, in code points."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Column = Field(description="A struct of lists, or a list of structs, that holds both.")
    text: Column = Field("text", description="Member that holds the words.")
    start: Column = Field("answer_start", description="Member for the first character.")
    keep: bool = Field(False, description="Whether steps leave their words as they are.")

    def followers(self) -> tuple[str, ...]:
        """Columns beside `column`: none."""
        return ()


class TokenBinding(BaseModel):
    """A text that is a list of words: columns with one entry for each word follow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[Column, ...] = Field(min_length=1, description="Columns with one entry for each word, e.g. tags.")
    names: tuple[str, ...] = Field(
        (), description="Names of the first column's tags, where they are numbers: O, B-PER, I-PER…"
    )

    @property
    def column(self) -> str:
        """The first of the columns."""
        return self.columns[0]

    def followers(self) -> tuple[str, ...]:
        """All of the columns."""
        return self.columns


class TextLabels(BaseModel):
    """Labels of a text field."""

    spans: SpanBinding | None = Field(None, description="Spans that follow the words.")
    answers: AnswerBinding | None = Field(None, description="Answers that follow the words of their text.")
    tokens: TokenBinding | None = Field(
        None, description="For a column of lists of words: columns with one entry for each word, which follow."
    )

    @model_validator(mode="after")
    def _one_kind_of_text(self) -> Self:
        if self.tokens is not None and (self.spans is not None or self.answers is not None):
            raise ValueError("tokens: a list of words has no characters that spans or answers could count")
        return self


class SizeBinding(BaseModel):
    """Columns that say how large an image is: copies say how large they are themselves."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    width: Column = Field(description="Column with the width in pixels.")
    height: Column = Field(description="Column with the height in pixels.")

    @property
    def column(self) -> str:
        """The first of both."""
        return self.width

    def followers(self) -> tuple[str, ...]:
        """The other one."""
        return (self.height,)


Bindings = dict[str, Any]
Kind = Literal["answers", "boxes", "keypoints", "masks", "polygons", "segments", "spans", "size", "tokens"]
KINDS: tuple[Kind, ...] = ("answers", "boxes", "keypoints", "masks", "polygons", "segments", "spans", "size", "tokens")
