"""Clips: MP4, MOV, MKV, WebM, AVI and GIF to frames and sound at a constant rate, and back to MP4 or MKV.

MP4 holds H.264 and AAC; MKV holds FFV1 and 16 bit FLAC, both lossless. All frames of a clip are in memory at once,
three bytes for each pixel: `max_frames` and `max_pixels` bound them before memory is reserved.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from pipeline.modalities.codecs import CodecError, Decoded, Payload, as_bytes
from pipeline.modalities.codecs.video.containers import check_clip, sniff_clip
from pipeline.modalities.codecs.video.library import load
from pipeline.modalities.codecs.video.reader import read_clip
from pipeline.modalities.codecs.video.writer import MOST_CHANNELS, Encoding, write_clip
from transforms.values import AudioValue, Value, VideoValue

FORMATS: Final = ("mp4", "mkv")
PRESETS: Final = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow")
_LOSSLESS = "mkv:ffv1"
_H264_MAX_SIDE = 16_384


@dataclass(frozen=True, slots=True)
class VideoCodec:
    """Settings of a video field.

    `format`: `mp4`, `mkv`, or None to keep lossless FFV1 in MKV and make MP4 of the rest. `crf`: 0 (lossless) .. 51 and
    `preset` (x264's own names) are for MP4. `max_frames`: frames of a clip; `max_pixels`: pixels of all its frames
    together.
    """

    format: str | None = None
    crf: int = 18
    preset: str = "veryfast"
    max_frames: int = 10_000
    max_pixels: int = 2**28

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise ValueError(f"format {self.format!r}: choose one of {', '.join(FORMATS)}")
        if self.preset not in PRESETS:
            raise ValueError(f"preset {self.preset!r}: choose one of {', '.join(PRESETS)}")
        if not 0 <= self.crf <= 51:
            raise ValueError(f"crf {self.crf!r}: choose 0..51")

    def decode(self, payload: Payload) -> Decoded:
        """Decode to a `VideoValue`: frames upright, at a constant rate, the first sound track as long as they are.

        Raises `CodecError`: empty_payload, not_a_video, unsupported_format, too_long and too_many_pixels (from the
        header where it tells, else before the frame that is too much), truncated, corrupt, non_finite.
        """
        data = as_bytes(payload, "not_a_video")
        kind = sniff_clip(data)
        check_clip(data, kind)
        value, codecs = read_clip(data, kind, self.max_frames, self.max_pixels)
        return Decoded(value, f"{kind}:{codecs}")

    def encode(self, value: Value, source_format: str) -> bytes:
        """Encode a `VideoValue`: the same frames and samples give the same bytes. Raises `CodecError`."""
        clip = _encodable(value)
        kind = self.format or ("mkv" if source_format.startswith(_LOSSLESS) else "mp4")
        height, width = clip.frames.shape[1:3]
        if kind == "mp4" and max(height, width) > _H264_MAX_SIDE:
            raise CodecError("cannot_encode", f"H.264 sides end at {_H264_MAX_SIDE} pixels; use mkv")
        if kind == "mkv" and clip.pixel_aspect != 1:  # PyAV has no way to tell the container
            cure = "use encode: {format: mp4}, or files of square pixels"
            raise CodecError("cannot_encode", f"pixels of {clip.pixel_aspect} cannot be written to MKV; {cure}")
        try:
            return write_clip(clip, Encoding(kind, self.crf, self.preset))
        except load().error.FFmpegError as error:
            words = error.strerror or type(error).__name__
            raise CodecError("cannot_encode", f"FFmpeg could not write {kind.upper()}: {words}") from error


def _encodable(value: Value) -> VideoValue:
    """Check what a step returned."""
    if not isinstance(value, VideoValue):
        raise CodecError("cannot_encode", f"expected a clip, found {type(value).__name__}")
    frames = value.frames
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or frames.size == 0:
        found = f"{frames.dtype} {frames.shape}"
        raise CodecError("cannot_encode", f"expected uint8 (frames, height, width, 3), none of them 0, found {found}")
    if value.rate <= 0 or max(value.rate.numerator, value.rate.denominator) >= 2**31:
        raise CodecError("cannot_encode", f"a rate of {value.rate} frames per second")
    sound = value.audio
    if sound is not None and sound.samples.shape[1] == 0:
        return replace(value, audio=None)
    if sound is not None:
        _check_sound(sound)
    return value


def _check_sound(sound: AudioValue) -> None:
    if not np.isfinite(sound.samples).all():
        raise CodecError("non_finite", "the sound track has samples that are not numbers, or infinite")
    if sound.samples.shape[0] > MOST_CHANNELS:
        raise CodecError("cannot_encode", f"a sound track of {sound.samples.shape[0]} channels")
