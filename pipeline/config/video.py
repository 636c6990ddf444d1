"""Config of how clips are written."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Preset = Literal[
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"
]  # fmt: skip


class VideoEncode(BaseModel):
    """How augmented clips are written. Absent: lossless FFV1 in MKV stays, anything else becomes MP4."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["mp4", "mkv"] | None = Field(None, description="mp4: H.264 and AAC; mkv: FFV1 and FLAC, lossless.")
    crf: Annotated[int, Field(ge=0, le=51, strict=True)] = Field(18, description="MP4: x264's quality, 0 is lossless.")
    preset: Preset = Field("veryfast", description="MP4: x264's effort; slower files are smaller.")
