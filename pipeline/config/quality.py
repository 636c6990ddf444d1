"""Config of the quality gate: why a copy is drawn again, and then rejected."""

from typing import Annotated

from pydantic import Field

from pipeline.config.types import Float, Int, Node, Share


class _Gate(Node):
    retries: Annotated[Int, Field(ge=0, le=100)] = Field(
        2, description="New sub-seeds for a copy that the gate refuses, before it is rejected."
    )


class _LabelGate(_Gate):
    label_check: Share = Field(
        0.0, description="Share of copies whose bound labels are compared with a painting of them: labels_disagree."
    )


class ImageGate(_LabelGate):
    """Reasons to reject an augmented image."""

    min_side: Annotated[Int, Field(ge=1)] | None = Field(None, description="Pixels; below it: too_small.")
    min_std: Annotated[Float, Field(ge=0)] | None = Field(
        None, description="Standard deviation of grey levels, 0..127; below it: blank."
    )
    reject_identical: bool = Field(False, description="Same pixels as the original: identical.")


class AudioGate(_LabelGate):
    """Reasons to reject an augmented sound; non-finite samples are always refused."""

    min_seconds: Annotated[Float, Field(ge=0)] | None = Field(None, description="Below it: too_short.")
    min_rms_db: Float | None = Field(None, description="dB of full scale, e.g. -60; below it: silent.")
    max_clipped: Share | None = Field(None, description="Share of samples at full scale; above it: clipped.")
    reject_identical: bool = Field(False, description="Same samples as the original: identical.")


class VideoGate(_LabelGate):
    """Reasons to reject an augmented clip."""

    min_seconds: Annotated[Float, Field(ge=0)] | None = Field(None, description="Below it: too_short.")
    min_side: Annotated[Int, Field(ge=1)] | None = Field(None, description="Pixels; below it: too_small.")
    min_std: Annotated[Float, Field(ge=0)] | None = Field(None, description="As of images, of all frames: blank.")
    reject_identical: bool = Field(False, description="Same frames and sound as the original: identical.")


class TextGate(_Gate):
    """Reasons to reject an augmented text."""

    reject_empty: bool = Field(False, description="Nothing but white space left: empty.")
    reject_unchanged: bool = Field(False, description="Same text as the original: unchanged.")
    min_chars: Annotated[int, Field(ge=0)] | None = Field(None, description="Code points; below it: too_short.")


class VolumeGate(_Gate):
    """Reasons to reject an augmented volume."""

    min_side: Annotated[Int, Field(ge=1)] | None = Field(None, description="Voxels, any side; below it: too_small.")
    min_std: Annotated[Float, Field(ge=0)] | None = Field(
        None, description="Standard deviation of all voxels, in the file's own numbers; below it: blank."
    )
    reject_identical: bool = Field(False, description="Same voxels as the original: identical.")
