"""The frozen config tree. Every key is documented here; `fanbeam schema` prints it for editors."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ByteSize,
    Field,
    model_validator,
)

from pipeline.config.blends import BlendSettings
from pipeline.config.copies import Balanced, CopySettings, most_copies
from pipeline.config.input import InputConfig as InputConfig
from pipeline.config.labels import (
    KINDS,
    BoxBinding,
    ClipBoxBinding,
    KeypointBinding,
    Kind,
    MaskBinding,
    PolygonBinding,
    SegmentBinding,
    SizeBinding,
    TextLabels,
    VolumeKeypointBinding,
    VolumeMaskBinding,
)
from pipeline.config.output import OutputConfig
from pipeline.config.quality import AudioGate, ImageGate, TextGate, VideoGate, VolumeGate
from pipeline.config.same_draws import SameDraws, groups_of
from pipeline.config.split import NearSettings, SplitConfig
from pipeline.config.types import (
    Column,
    Float,
    Int,
    Node,
    Seed,
    Share,
    Steps,
    Uri,
    each_once,
    number,
    rising,
)
from pipeline.config.video import VideoEncode
from transforms.steps import Step, leaves, read_steps

MAX_PIXELS = 89_478_485  # Pillow's own bound: a quarter of a GiB of RGB
MAX_VOXELS = 2**27  # half a GiB of float32


class ImageEncode(Node):
    """How augmented images are written. Absent: JPEG, PNG and WebP keep their format, others become PNG."""

    format: Literal["jpeg", "png", "webp"] | None = None
    quality: Annotated[Int, Field(ge=1, le=100)] | None = Field(None, description="JPEG (95) and WebP (90) only.")


class AudioEncode(Node):
    """How augmented sounds are written. Absent: WAV stays WAV, anything else becomes FLAC."""

    format: Literal["flac", "wav"] | None = None


class VolumeEncode(Node):
    """How augmented volumes are written. Absent: every file keeps its format."""

    format: Literal["nii", "nii.gz", "npy", "npz", "tiff"] | None = None


class _Field(Node):
    uri: Uri = Field(
        False,
        description="The column holds paths or URLs of files; relative ones against its file. They must lie below the "
        "folder of that file, or in its bucket; `{allow: [PREFIX]}` names other places.",
    )
    max_bytes: Annotated[ByteSize, BeforeValidator(number), Field(ge=1, le=2**31 - 1)] = Field(
        ByteSize(2**30), description="Files that are larger fail before they are read: too_many_bytes."
    )
    prepare: Steps = Field(default_factory=list, description="Steps for every sample of every split.")
    originals: Literal["as_is", "decoded"] = Field(
        "as_is",
        description="Originals and held-out samples: their own bytes, or decoded and written again as copies are, with "
        "the same orientation, channels and depth. With `prepare` steps always decoded.",
    )
    augment: Steps = Field(default_factory=list, description="Steps for copies of training records only.")

    def bound(self) -> dict[Kind, Any]:
        """The labels that are bound to this field: kind -> binding."""
        found = {kind: getattr(self, kind, None) for kind in KINDS}
        return {kind: binding for kind, binding in found.items() if binding is not None}


class ImageField(_Field):
    """A column of images."""

    type: Literal["image"]
    mode: Literal["rgb", "grey", "rgba", "keep"] = Field("rgb", description="Channels that the steps see.")
    max_pixels: Annotated[Int, Field(ge=1)] = Field(MAX_PIXELS, description="Larger images fail: too_many_pixels.")
    window: Annotated[tuple[Float, Float], AfterValidator(rising)] | None = Field(
        None,
        description="Values of black and white where pictures have more than 8 bits (16 bit, float). "
        "Absent: 0 and 65535 of 16 bit, 0 and 1 of floats; floats beyond that fail.",
    )
    encode: ImageEncode = ImageEncode()
    quality: ImageGate | None = None
    boxes: BoxBinding | None = Field(None, description="Boxes that follow the picture.")
    keypoints: KeypointBinding | None = Field(None, description="Keypoints that follow the picture.")
    masks: MaskBinding | None = Field(None, description="Masks that follow the picture.")
    polygons: PolygonBinding | None = Field(None, description="Outlines that follow the picture.")
    size: SizeBinding | None = Field(None, description="Columns of width and height, which copies state anew.")


class AudioField(_Field):
    """A column of sounds."""

    type: Literal["audio"]
    peaks: Literal["fail", "normalize"] = Field(
        "fail",
        description="Of float samples beyond full scale (-1..1): fail as too_loud, or normalize: what is read and what "
        "is written is divided by its greatest sample.",
    )
    encode: AudioEncode = AudioEncode()
    quality: AudioGate | None = None
    segments: SegmentBinding | None = Field(None, description="Segments that follow the sound.")


class TextField(_Field, TextLabels):
    """A column of texts."""

    type: Literal["text"]
    quality: TextGate | None = None


class VideoField(_Field):
    """A column of clips. All frames of a clip are in memory at once, three bytes for each pixel."""

    type: Literal["video"]
    max_frames: Annotated[Int, Field(ge=1)] = Field(10_000, description="Longer clips fail: too_long.")
    max_pixels: Annotated[Int, Field(ge=1)] = Field(2**28, description="Of all frames together: too_many_pixels.")
    encode: VideoEncode = VideoEncode()
    quality: VideoGate | None = None
    boxes: ClipBoxBinding | None = Field(None, description="Boxes that follow pictures and time.")
    segments: SegmentBinding | None = Field(None, description="Segments that follow the time.")


class VolumeField(_Field):
    """A column of volumes: stacks of slices."""

    type: Literal["volume"]
    window: Annotated[tuple[Float, Float], AfterValidator(rising)] | None = Field(
        None, description="Values that steps see as 0..1, where voxels are not uint8. Absent: each volume's own range."
    )
    max_voxels: Annotated[Int, Field(ge=1)] = Field(MAX_VOXELS, description="Larger volumes fail: too_many_voxels.")
    encode: VolumeEncode = VolumeEncode()
    quality: VolumeGate | None = None
    keypoints: VolumeKeypointBinding | None = Field(None, description="Keypoints that follow the volume.")
    masks: VolumeMaskBinding | None = Field(None, description="Masks that follow the volume.")


FieldConfig = Annotated[ImageField | AudioField | TextField | VideoField | VolumeField, Field(discriminator="type")]


class Limits(Node):
    """Shares above which nothing is committed. Not part of the version."""

    failed: Share = Field(0.01, description="Share of records that may fail.")
    rejected: Share = Field(0.2, description="Share of planned copies that may be rejected.")
    leaks: Share = Field(
        0.0,
        description="Share of validation and test records that may share an id, group, parent or content with train.",
    )


class JobConfig(Node):
    """One job: what to read, how to split, how often to multiply, what to do to each field, where to write."""

    seed: Seed = Field(0, description="Another seed draws other augmentations; splits stay.")
    input: InputConfig
    split: SplitConfig = SplitConfig(validation=0.1)
    copies: CopySettings = Field(4, description="Per training record, besides the original: a number, or by class.")
    keep_original: bool = Field(True, description="Whether training records appear themselves, as copy 0.")
    fields: Annotated[dict[Column, FieldConfig], Field(min_length=1)] = Field(description="Column -> how to treat it.")
    mirror_words: Annotated[dict[Column, Column], AfterValidator(each_once)] = Field(
        default_factory=dict,
        description="Pairs such as left: right that change places in the texts of a record whose picture is mirrored.",
    )
    same_draws: SameDraws = Field(
        (),
        description="Fields of one modality that belong together, such as [t1, t2] or [noisy, clean]: they draw from "
        "the same seeds, and a copy is drawn again for all of them. Several groups: a list of lists.",
    )
    blends: BlendSettings = BlendSettings()
    output: OutputConfig
    limits: Limits = Limits()
    certificate: Literal["facts", "near", "full"] | None = Field(
        None,
        description="What the audit of the written files looks for: facts (shared ids, groups, parents, contents); "
        "near: near duplicates of originals as well; full: of copies too. Absent: near, of up to 10,000 records; "
        "of more, the certificate says that it is not complete.",
    )
    record_timeout: Annotated[Float, Field(gt=0)] = Field(
        60.0, description="Seconds for one record, all its copies; as many to read its files."
    )

    @model_validator(mode="after")
    def _something_to_write(self) -> Self:
        if not self.keep_original and self.most_copies == 0:
            raise ValueError("copies is 0 and keep_original is false: no training sample would be written")
        return self

    @property
    def most_copies(self) -> int:
        """Copies that a training record may get at most."""
        return most_copies(self.copies)

    @property
    def draw_groups(self) -> tuple[tuple[str, ...], ...]:
        """Fields that draw together."""
        return groups_of(self.same_draws)

    @property
    def class_columns(self) -> tuple[str, ...]:
        """Columns that say which class a record is of when copies are counted out."""
        label = self.input.label
        if isinstance(self.copies, Balanced):
            return self.copies.balance.columns(label)
        return () if label is None else (label,)

    @property
    def watched(self) -> tuple[str, ...]:
        """Columns whose values are watched while classes are balanced: the group, and those that the config names."""
        if not isinstance(self.copies, Balanced):
            return ()
        named = (self.input.group, *self.copies.balance.watch)
        return tuple(dict.fromkeys(c for c in named if c is not None))

    @property
    def group_columns(self) -> tuple[str, ...]:
        """Columns whose values make relatives."""
        named = (self.input.group, *self.split.keep_together.groups)
        return tuple(dict.fromkeys(c for c in named if c is not None))

    @property
    def near_duplicates(self) -> dict[str, NearSettings]:
        """Fields whose near duplicates stay together. Of `true` all, but for texts beside media: captions repeat."""
        asked = self.split.keep_together.near_duplicates
        if isinstance(asked, dict):
            return asked
        media = [name for name, field in self.fields.items() if field.type != "text"]
        return {name: NearSettings() for name in media or self.fields} if asked else {}

    def key_columns(self) -> tuple[str, ...]:
        """Columns that decide key, label, group and split; read by the survey."""
        own = (self.input.id, self.input.label, *self.group_columns, self.split.column)
        named = (*own, *self.class_columns, *self.watched)
        return tuple(dict.fromkeys(c for c in named if c is not None))

    def steps(self) -> tuple[Step, ...]:
        """Every step of every recipe, in order; nothing is imported for it."""
        readings = [read_steps(part) for field in self.fields.values() for part in (field.prepare, field.augment)]
        return tuple(step for reading in readings for step in leaves(reading.nodes))


AnyField = ImageField | AudioField | TextField | VideoField | VolumeField
