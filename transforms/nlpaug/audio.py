"""The steps of nlpaug's classes on sounds.

Every channel goes through nlpaug alone, with the same draws; its `sampling_rate` is that of each sound. Segments
follow where samples went; a stretch that was masked or filled with noise keeps its segment.
"""

from collections.abc import Mapping
from functools import lru_cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms import assets
from transforms.interface import Transform
from transforms.isolation import global_random
from transforms.labels import segments as audio_segments
from transforms.nlpaug.classes import load
from transforms.values import AudioValue, Segments, Value

_DRAWN = {"aug_factor": "factor", "end_pos": "end", "run_method": "method", "start_pos": "start"}


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step."""
    return _AudioStep(name, construct(name, params), params.get("noises"))


def construct(name: str, params: Mapping[str, Any]) -> Any:
    """Make nlpaug's augmenter, for sounds of any sample rate; its noises come with each sound."""
    cls = load(name)
    given = {key: value for key, value in params.items() if key != "noises"}
    rated = name in ("PitchAug", "ShiftAug", "VtlpAug")
    return cls(**given, stateless=False, **({"sampling_rate": 1} if rated else {}))


class _AudioStep:
    """One nlpaug augmenter; seed to randomness: see `isolation.global_random`.

    Recorded are the stretch (`start`, `end`, in samples of the source) and the factor that were drawn. A sound whose
    stretch is empty, or too short or silent for this class, comes back as it is, without a record.
    """

    __slots__ = ("_name", "_noises", "_step")

    def __init__(self, name: str, step: Any, noises: Any) -> None:
        self._name = name
        self._step = step
        self._noises = None if noises is None else noise_files(noises)

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to an `AudioValue`; raises ValueError for a sound that the class cannot take."""
        if not isinstance(value, AudioValue):
            raise TypeError(f"nlpaug.{self._name} works on audio, not on {type(value).__name__}")
        length = value.samples.shape[1]
        if length == 0:
            raise ValueError(f"nlpaug.{self._name} cannot take a sound without samples")
        zone = self._step.zone
        if zone is not None and int(length * zone[1]) == int(length * zone[0]):
            return value, None
        self._step.sampling_rate = value.sample_rate
        if self._noises is not None:
            self._step.noises = [noise(name, digest, value.sample_rate) for name, digest in self._noises]
        changed = np.stack([self._channel(channel, seed) for channel in value.samples])
        if not changed.shape[1]:
            raise ValueError(f"nlpaug.{self._name} leaves nothing of a sound of {length} samples")
        if not np.isfinite(changed).all():  # silence has no loudest sample
            return value, None
        moved = None if value.segments is None else self._moved(value.segments, length, changed.shape[1], value)
        return AudioValue(changed, value.sample_rate, moved), self._drawn()

    def _channel(self, samples: NDArray[np.float32], seed: bytes) -> NDArray[np.float32]:
        try:
            with global_random.seeded(seed), np.errstate(all="ignore"):
                found = self._step.augment(samples)[0]
        except (ValueError, IndexError) as error:
            message = f"nlpaug.{self._name} cannot take a sound of {len(samples)} samples: {error}"
            raise ValueError(message) from error
        return np.ascontiguousarray(found, np.float32)

    def _drawn(self) -> dict[str, Any]:
        drawn = {ours: getattr(self._step, theirs, None) for theirs, ours in _DRAWN.items()}
        if self._name == "NoiseAug":  # nlpaug keeps the whole spectrum of the noise
            drawn["factor"] = None if self._noises is not None else self._step.color
        if self._name == "ShiftAug":
            drawn = {"shift": drawn["factor"]}
        return {key: value for key, value in drawn.items() if value is not None}

    def _moved(self, segments: Segments, length: int, left: int, value: AudioValue) -> Segments:
        """Where the segments are in the result, of `left` samples."""
        rate = value.sample_rate
        if self._name == "ShiftAug":
            return audio_segments.scaled(segments, 1.0, self._step.aug_factor / rate, left / rate)
        start, end = self._step.start_pos, self._step.end_pos
        before = np.array([0, start, end, max(length, end + 1)], np.float64) / rate
        after = np.array([0, start, left - (length - end), left + max(end + 1 - length, 0)], np.float64) / rate
        bounds = np.interp(segments.bounds, before, after)
        return audio_segments.scaled(Segments(bounds.reshape(-1, 2), segments.rows), 1.0, 0.0, left / rate)


def noise_files(location: Any) -> list[tuple[str, str]]:
    """Give the files of a file, folder or glob, or of a list of them, with digests. Raises FileNotFoundError."""
    places = location if isinstance(location, list | tuple) else [location]
    names = [name for place in places for name in assets.files(str(place))]
    return [(name, assets.digest(name)) for name in names]


@lru_cache(maxsize=256)
def noise(name: str, digest: str, rate: int) -> NDArray[np.float32]:
    """Read a sound, mono, at a sample rate. Raises ValueError for what is none."""
    import librosa
    import soundfile

    try:
        samples, own_rate = soundfile.read(BytesIO(assets.read(name)), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{name} is no sound that can be read: {error.error_string}") from None
    mono = samples.mean(axis=1, dtype=np.float32)
    if not len(mono):
        raise ValueError(f"{name} is a sound without samples")
    return (
        mono if own_rate == rate else np.asarray(librosa.resample(mono, orig_sr=own_rate, target_sr=rate), np.float32)
    )
