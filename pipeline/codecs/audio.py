"""Sounds: WAV, FLAC, Ogg (Vorbis, Opus) and MP3 to (channels, length) float32, and back to WAV or FLAC.

Only integer WAV and FLAC are written: the other formats of libsndfile put times or random serial numbers into the
file. MP3 without a Xing, Info or VBRI header does not know its length: libsndfile estimates it from the bit rate.
"""

import io
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np
import soundfile
from numpy.typing import NDArray

from pipeline.codecs import CodecError, Decoded, Payload, as_bytes
from pipeline.codecs.containers import check_sound, sniff_sound
from transforms.values import AudioValue, Value

FORMATS = ("flac", "wav")

_UNKNOWN_LENGTH = 2**62
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
    than 16 (24 or 32 bit, float), else with 16 bit.
    """

    format: str | None = None
    max_samples: int = 2**27

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise ValueError(f"format {self.format!r}: choose one of {', '.join(FORMATS)}")

    def decode(self, payload: Payload) -> Decoded:
        """Decode to an `AudioValue` with a contiguous (channels, length) float32 array at the file's own rate.

        Integer samples are divided by their full scale, to -1..1; float samples are taken as they are. Raises
        `CodecError`: empty_payload, not_audio, unsupported_format, too_long (from the header, before any sample is
        decoded), empty_audio, non_finite, truncated, corrupt.
        """
        data = as_bytes(payload, "not_audio")
        kind = sniff_sound(data)
        check_sound(data, kind)
        try:
            with soundfile.SoundFile(io.BytesIO(data)) as sound:
                return self._read(sound)
        except soundfile.LibsndfileError as error:
            raise _decoder_error(error, kind) from error
        except (RuntimeError, ValueError, OverflowError, struct.error) as error:
            if isinstance(error, CodecError):
                raise
            raise CodecError("corrupt", f"the {kind.upper()} file cannot be decoded") from error

    def _read(self, sound: soundfile.SoundFile) -> Decoded:
        frames, channels = sound.frames, sound.channels
        self._check_length(frames, channels)
        samples = np.ascontiguousarray(sound.read(dtype="float32", always_2d=True).T)
        if samples.shape[1] < frames:
            raise CodecError("truncated", f"{samples.shape[1]} of {frames} samples can be read")
        if not np.isfinite(samples).all():
            raise CodecError("non_finite", "the file holds samples that are not numbers, or infinite")
        container = "wav" if sound.format in ("WAV", "WAVEX", "RF64") else sound.format.lower()
        return Decoded(AudioValue(samples, sound.samplerate), f"{container}:{sound.subtype}")

    def _check_length(self, frames: int, channels: int) -> None:
        if frames == 0:
            raise CodecError("empty_audio", "the file holds no samples")
        if frames >= _UNKNOWN_LENGTH:
            raise CodecError("unsupported_format", "the header does not give the length; rewrite the file with `flac`")
        if frames * channels > self.max_samples:
            raise CodecError("too_long", f"{frames} x {channels} samples; at most {self.max_samples} are decoded")

    def encode(self, value: Value, source_format: str) -> bytes:
        """Encode an `AudioValue`: the same samples give the same bytes. Values outside -1..1 are clipped.

        Raises `CodecError`: non_finite, empty_audio, cannot_encode (FLAC takes 1..8 channels and 1..655350 Hz, above
        65535 Hz in steps of 10).
        """
        sound = _encodable(value)
        container, _, depth = source_format.partition(":")
        kind = self.format or (container if container in FORMATS else "flac")
        subtype = "PCM_24" if depth in _DEEP else "PCM_16"
        _check_target(kind, sound, subtype)
        return _write(kind, sound, subtype)


def _decoder_error(error: soundfile.LibsndfileError, kind: str) -> CodecError:
    """Without `str(error)`, which has the address of the buffer. FLAC cut between two frames fails in seeking."""
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
