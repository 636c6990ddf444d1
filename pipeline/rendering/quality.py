"""The quality gate: whether a copy is good enough to train on.

A check answers None or one of REASONS (docs/reasons.md explains them); it never raises for what it finds and changes
nothing. All settings are off by default: what they call bad depends on the data.
"""

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from pipeline.modalities.codecs.image.channels import to_grey
from transforms.values import AudioValue, ImageValue, TextValue, Value, VideoValue, VolumeValue

REASONS: Final = (
    "blank",
    "clipped",
    "empty",
    "identical",
    "non_finite",
    "silent",
    "too_short",
    "too_small",
    "unchanged",
)

FULL_SCALE: Final = 0.999


@dataclass(frozen=True, slots=True)
class ImageQuality:
    """`min_side`: pixels of the shorter side. `min_std`: grey levels of 0..255, standard deviation of BT.601 luma."""

    min_side: int | None = None
    min_std: float | None = None
    reject_identical: bool = False


@dataclass(frozen=True, slots=True)
class AudioQuality:
    """`min_seconds`: length. `min_rms_db`: level of all channels in dB of full scale, at most 0, e.g. -60.

    `max_clipped`: share 0..1 of samples at full scale (magnitude 0.999 and more).
    """

    min_seconds: float | None = None
    min_rms_db: float | None = None
    max_clipped: float | None = None
    reject_identical: bool = False


@dataclass(frozen=True, slots=True)
class TextQuality:
    """`reject_empty`: nothing but white space. `reject_unchanged`: equal to its parent. `min_chars`: code points."""

    reject_empty: bool = False
    reject_unchanged: bool = False
    min_chars: int | None = None


@dataclass(frozen=True, slots=True)
class VideoQuality:
    """`min_seconds`: length. `min_side`: pixels. `min_std`: of the BT.601 luma of all frames together, 0..127."""

    min_seconds: float | None = None
    min_side: int | None = None
    min_std: float | None = None
    reject_identical: bool = False


@dataclass(frozen=True, slots=True)
class VolumeQuality:
    """`min_side`: voxels of the shortest side. `min_std`: standard deviation of all voxels, in their own numbers."""

    min_side: int | None = None
    min_std: float | None = None
    reject_identical: bool = False


Quality = ImageQuality | AudioQuality | TextQuality | VideoQuality | VolumeQuality


def check(value: Value, parent: Value | None, settings: Quality) -> str | None:
    """Judge a copy; `parent` is the record it was made from, None where there is nothing to compare with.

    Returns None to keep it, or the slug of the first finding. `TypeError` if the settings are of another modality.
    """
    if isinstance(value, ImageValue) and isinstance(settings, ImageQuality):
        return _check_image(value, parent, settings)
    if isinstance(value, AudioValue) and isinstance(settings, AudioQuality):
        return _check_audio(value, parent, settings)
    if isinstance(value, TextValue) and isinstance(settings, TextQuality):
        return _check_text(value, parent, settings)
    if isinstance(value, VolumeValue) and isinstance(settings, VolumeQuality):
        return _check_volume(value, parent, settings)
    if isinstance(value, VideoValue) and isinstance(settings, VideoQuality):
        return _check_video(value, parent, settings)
    raise TypeError(f"{type(settings).__name__} cannot judge {type(value).__name__}")


def _check_image(value: ImageValue, parent: Value | None, settings: ImageQuality) -> str | None:
    pixels = value.pixels
    if pixels.size == 0 or (settings.min_side is not None and min(pixels.shape[:2]) < settings.min_side):
        return "too_small"
    if settings.min_std is not None and cv2.meanStdDev(to_grey(pixels))[1][0, 0] < settings.min_std:
        return "blank"
    if settings.reject_identical and isinstance(parent, ImageValue) and np.array_equal(pixels, parent.pixels):
        return "identical"
    return None


def _check_audio(value: AudioValue, parent: Value | None, settings: AudioQuality) -> str | None:
    samples = value.samples
    if not np.isfinite(samples).all():
        return "non_finite"
    if samples.size == 0 or _is_short(value, settings.min_seconds):
        return "too_short"
    if settings.min_rms_db is not None and _rms_db(value) < settings.min_rms_db:
        return "silent"
    if settings.max_clipped is not None and np.mean(np.abs(samples) >= FULL_SCALE) > settings.max_clipped:
        return "clipped"
    return "identical" if settings.reject_identical and _same_sound(value, parent) else None


def _is_short(value: AudioValue, min_seconds: float | None) -> bool:
    return min_seconds is not None and value.samples.shape[1] / value.sample_rate < min_seconds


def _rms_db(value: AudioValue) -> float:
    """Root mean square over all channels in dB of full scale; minus infinity for digital silence."""
    power = float(np.mean(np.square(value.samples, dtype=np.float64)))
    return 10 * math.log10(power) if power > 0 else -math.inf


def _same_sound(value: AudioValue, parent: Value | None) -> bool:
    if not isinstance(parent, AudioValue) or value.sample_rate != parent.sample_rate:
        return False
    return np.array_equal(value.samples, parent.samples)


def _check_text(value: TextValue, parent: Value | None, settings: TextQuality) -> str | None:
    if settings.reject_empty and not value.text.strip():
        return "empty"
    if settings.min_chars is not None and len(value.text) < settings.min_chars:
        return "too_short"
    if settings.reject_unchanged and isinstance(parent, TextValue) and value.text == parent.text:
        return "unchanged"
    return None


def _check_volume(value: VolumeValue, parent: Value | None, settings: VolumeQuality) -> str | None:
    voxels = value.voxels
    if voxels.size == 0 or (settings.min_side is not None and min(voxels.shape[:3]) < settings.min_side):
        return "too_small"
    if settings.min_std is not None and float(voxels.astype(np.float64).std()) < settings.min_std:
        return "blank"
    same = settings.reject_identical and isinstance(parent, VolumeValue) and np.array_equal(voxels, parent.voxels)
    return "identical" if same else None


def _check_video(value: VideoValue, parent: Value | None, settings: VideoQuality) -> str | None:
    frames = value.frames
    if frames.size == 0 or (settings.min_seconds is not None and len(frames) / value.rate < settings.min_seconds):
        return "too_short"
    if settings.min_side is not None and min(frames.shape[1:3]) < settings.min_side:
        return "too_small"
    if settings.min_std is not None and _deviation(value) < settings.min_std:
        return "blank"
    return "identical" if settings.reject_identical and _same_clip(value, parent) else None


def _deviation(value: VideoValue) -> float:
    """Standard deviation of the grey levels of all frames as of one picture."""
    count, height, width = value.frames.shape[:3]
    return float(cv2.meanStdDev(to_grey(value.frames.reshape(count * height, width, 3)))[1][0, 0])


def _same_clip(value: VideoValue, parent: Value | None) -> bool:
    if (
        not isinstance(parent, VideoValue)
        or value.rate != parent.rate
        or (value.audio is None) != (parent.audio is None)
    ):
        return False
    same_sound = value.audio is None or _same_sound(value.audio, parent.audio)
    return same_sound and np.array_equal(value.frames, parent.frames)
