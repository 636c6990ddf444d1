"""Sounds: WAV, FLAC, Ogg (Vorbis, Opus) and MP3 to (channels, length) float32, and back to WAV or FLAC.

Only integer WAV and FLAC are written: the other formats of libsndfile put times or random serial numbers into the
file.
"""

import io
import struct
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.modalities.codecs import FULL_SCALE, CodecError, Decoded, Payload, as_bytes
from pipeline.modalities.codecs.audio import mp3, wav
from pipeline.modalities.codecs.audio.containers import Sound, whole_sound
from pipeline.modalities.codecs.quiet import quiet
from transforms.values import AudioValue, Value

FORMATS = ("flac", "wav")
PEAKS = ("fail", "normalize")

_UNKNOWN_LENGTH = 2**62
_FLOATS: Final = ("FLOAT", "DOUBLE")
_DEEP: Final = ("PCM_24", "PCM_32", "FLOAT", "DOUBLE")
_UNRECOGNISED = 1
_SEEK_FAILED = 39
_FLAC_MAX_CHANNELS = 8
_FLAC_MAX_RATE = 655_350
_FLAC_EXACT_RATE = 65_535
_FLAC_COMPRESSION = 0.5
_WAV_MAX_CHANNELS = 1024
_WAV_MAX_BYTES = 2**32 - 4096


@dataclass(frozen=True, slots=True)
class AudioCodec:
    """Settings of an audio field.

    `format`: `flac`, `wav`, or None to keep these and make FLAC of the rest. `max_samples`: frames times channels that
    a header may announce (the default takes 512 MiB decoded). Files are written with 24 bit if the source had more
    than 16 (24 or 32 bit, float), else with 16 bit. `peaks`: what becomes of float samples beyond -1..1: `fail`, or
    `normalize`, which divides a sound (what is read and what is written) by its greatest sample.
    """

    format: str | None = None
    max_samples: int = 2**27
    peaks: str = "fail"

    def __post_init__(self) -> None:
        if self.peaks not in PEAKS:
            raise ValueError(f"peaks {self.peaks!r}: choose one of {', '.join(PEAKS)}")
        if self.format is not None and self.format not in FORMATS:
            raise ValueError(f"format {self.format!r}: choose one of {', '.join(FORMATS)}")

    def decode(self, payload: Payload) -> Decoded:
        """Decode to an `AudioValue` with a contiguous (channels, length) float32 array at the file's own rate.

        Integer samples are divided by their full scale, to -1..1; float samples are taken as they are. Streams of an
        Ogg file that follow each other become one sound. Raises `CodecError`: empty_payload, not_audio,
        unsupported_format, too_long (from the header, before any sample is decoded), empty_audio, non_finite, too_loud,
        truncated, corrupt.
        """
        sound = whole_sound(as_bytes(payload, "not_audio"))
        try:
            with quiet() if sound.kind == "mp3" else nullcontext():
                parts = [self._part(part, sound.kind) for part in sound.parts]
        except soundfile.LibsndfileError as error:
            raise _decoder_error(error, sound) from error
        except (RuntimeError, ValueError, OverflowError, struct.error) as error:
            if isinstance(error, CodecError):
                raise
            raise CodecError("corrupt", f"the {sound.kind.upper()} file cannot be decoded") from error
        value, source_format = parts[0] if len(parts) == 1 else self._joined(parts)
        return Decoded(AudioValue(self._within_scale(value.samples, source_format), value.sample_rate), source_format)

    def _part(self, data: bytes, kind: str) -> tuple[AudioValue, str]:
        with soundfile.SoundFile(io.BytesIO(data)) as sound:
            exact = mp3.with_length(data, sound.frames) if kind == "mp3" else data
            if exact is data:
                return self._read(sound)
        with soundfile.SoundFile(io.BytesIO(exact)) as sound:
            return self._read(sound)

    def _read(self, sound: soundfile.SoundFile) -> tuple[AudioValue, str]:
        frames, channels = sound.frames, sound.channels
        self._check_length(frames, channels)
        samples = np.ascontiguousarray(sound.read(frames, dtype="float32", always_2d=True).T)
        if samples.shape[1] < frames:
            raise CodecError("truncated", f"{samples.shape[1]} of {frames} samples can be read")
        if not np.isfinite(samples).all():
            raise CodecError("non_finite", "the file holds samples that are not numbers, or infinite")
        container = "wav" if sound.format in ("WAV", "WAVEX", "RF64") else sound.format.lower()
        return AudioValue(samples, sound.samplerate), f"{container}:{sound.subtype}"

    def _joined(self, parts: list[tuple[AudioValue, str]]) -> tuple[AudioValue, str]:
        """Streams that follow each other as one sound."""
        kinds = {(value.samples.shape[0], value.sample_rate) for value, _ in parts}
        if len(kinds) > 1:
            message = "the streams of the Ogg file differ in sample rate or channels; convert it to FLAC"
            raise CodecError("unsupported_format", message)
        first, source_format = parts[0]
        self._check_length(sum(value.samples.shape[1] for value, _ in parts), first.samples.shape[0])
        samples = np.concatenate([value.samples for value, _ in parts], axis=1)
        return AudioValue(samples, first.sample_rate), source_format

    def _within_scale(self, samples: NDArray[np.float32], source_format: str) -> NDArray[np.float32]:
        """Samples beyond full scale would be cut off when they are written: a sine becomes a square wave."""
        if self.peaks == "normalize":
            return _normalized(samples)
        if source_format.partition(":")[2] in _FLOATS and (peak := float(np.abs(samples).max())) > FULL_SCALE:
            cure = "scale them, or write peaks: normalize in the config of the field"
            raise CodecError("too_loud", f"float samples reach {peak:g}, full scale is 1; {cure}")
        return samples

    def _check_length(self, frames: int, channels: int) -> None:
        if frames == 0:
            raise CodecError("empty_audio", "the file holds no samples")
        if frames >= _UNKNOWN_LENGTH:
            raise CodecError("unsupported_format", "the header does not give the length; rewrite the file with `flac`")
        if frames * channels > self.max_samples:
            raise CodecError("too_long", f"{frames} x {channels} samples; at most {self.max_samples} are decoded")

    def encode(self, value: Value, source_format: str) -> bytes:
        """Encode an `AudioValue`: the same samples give the same bytes.

        Values outside -1..1 are clipped, unless `peaks` normalizes them.

        Raises `CodecError`: non_finite, empty_audio, cannot_encode (FLAC takes 1..8 channels and 1..655350 Hz, above
        65535 Hz in steps of 10).
        """
        sound = _encodable(value)
        container, _, depth = source_format.partition(":")
        kind = self.format or (container if container in FORMATS else "flac")
        subtype = "PCM_24" if depth in _DEEP else "PCM_16"
        _check_target(kind, sound, subtype)
        samples = _normalized(sound.samples) if self.peaks == "normalize" else sound.samples
        return _write(kind, AudioValue(samples, sound.sample_rate), subtype)


def _normalized(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """A sound that goes beyond full scale, divided by its greatest sample."""
    peak = np.abs(samples).max()
    return samples / peak if peak > FULL_SCALE else samples


def _decoder_error(error: soundfile.LibsndfileError, sound: Sound) -> CodecError:
    """Without `str(error)`, which has the address of the buffer. FLAC cut between two frames fails in seeking."""
    kind = sound.kind
    if kind == "wav" and (words := wav.unread(sound.tag)):
        return CodecError("unsupported_format", words)
    words = error.error_string.strip(" .\n").removeprefix("Error : ")
    if error.code == _SEEK_FAILED or "lost sync" in words:
        return CodecError("truncated", f"the {kind.upper()} file ends too early or has a gap: {words}")
    if error.code == _UNRECOGNISED and kind == "mp3":
        return CodecError("not_audio", "the file is neither WAV, FLAC, Ogg nor MP3")
    return CodecError("corrupt", f"the {kind.upper()} file cannot be decoded: {words}")


def _encodable(value: Value) -> AudioValue:
    """Check what a step returned."""
    if not isinstance(value, AudioValue):
        raise CodecError("cannot_encode", f"expected audio, found {type(value).__name__}")
    samples = value.samples
    if samples.dtype != np.float32 or samples.ndim != 2:
        found = f"{samples.dtype} {samples.shape}"
        raise CodecError("cannot_encode", f"expected float32 (channels, length), found {found}")
    if samples.size == 0:
        raise CodecError("empty_audio", "no samples are left to write")
    if not np.isfinite(samples).all():
        raise CodecError("non_finite", "there are samples that are not numbers, or infinite")
    return value


def _check_target(kind: str, sound: AudioValue, subtype: str) -> None:
    channels, length = sound.samples.shape
    rate = sound.sample_rate
    if not 1 <= rate < 2**31:
        raise CodecError("cannot_encode", f"a sample rate of {rate} Hz")
    if kind == "wav" and (channels > _WAV_MAX_CHANNELS or channels * length * int(subtype[-2:]) // 8 > _WAV_MAX_BYTES):
        raise CodecError("cannot_encode", f"WAV ends at {_WAV_MAX_CHANNELS} channels and 4 GiB; make it shorter")
    if kind == "flac" and channels > _FLAC_MAX_CHANNELS:
        raise CodecError("cannot_encode", f"FLAC takes up to {_FLAC_MAX_CHANNELS} channels, not {channels}; use wav")
    if kind == "flac" and (rate > _FLAC_MAX_RATE or (rate > _FLAC_EXACT_RATE and rate % 10)):
        raise CodecError("cannot_encode", f"FLAC takes no sample rate of {rate} Hz; resample it or use wav")


def _write(kind: str, sound: AudioValue, subtype: str) -> bytes:
    file = io.BytesIO()
    compression = {"compression_level": _FLAC_COMPRESSION} if kind == "flac" else {}
    channels = sound.samples.shape[0]
    levels = _levels(sound.samples, subtype)
    try:
        with soundfile.SoundFile(
            file, "w", sound.sample_rate, channels, subtype, format=kind.upper(), **compression
        ) as target:
            target.write(levels)
    except soundfile.LibsndfileError as error:
        raise CodecError("cannot_encode", f"libsndfile could not write {kind.upper()}: {error.error_string}") from error
    return file.getvalue()


def _levels(samples: NDArray[np.float32], subtype: str) -> NDArray[np.int16] | NDArray[np.int32]:
    """Round to the nearest level, so that what was decoded from as many bits comes back exactly."""
    full = 2.0 ** (int(subtype[-2:]) - 1)
    rounded = np.rint(np.clip(samples.T * np.float32(full), -full, full - 1))
    if subtype == "PCM_16":
        return np.ascontiguousarray(rounded, dtype=np.int16)
    return np.ascontiguousarray(rounded, dtype=np.int32) << 8
