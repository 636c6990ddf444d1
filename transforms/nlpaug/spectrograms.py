"""The steps of nlpaug's classes on spectrograms, for sounds.

Such a class multiplies cells of a mel spectrogram, by 0 or by a loudness. Here it is given a spectrogram of ones, of
128 channels (as nlpaug's own loader makes) and one column per 512 samples; what comes out is the gain of each cell.
The sound's short-time Fourier transform (windows of 2048 samples) is multiplied by it, each frequency by the gain of
its mel channel up to half of the sample rate, so magnitudes change and phases stay; then it is transformed back. What
no gain touches keeps its samples exactly. All channels have the same gains; segments stay where they are.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.interface import Transform
from transforms.isolation import global_random
from transforms.nlpaug.classes import load
from transforms.nlpaug.values import MEL_CHANNELS
from transforms.values import AudioValue, Value

WINDOW, HOP = 2048, 512
_DRAWN = {
    "f": "channels", "f0": "first_channel", "loudness_level": "factor",
    "t": "columns", "t0": "first_column", "time_end": "end_column", "time_start": "start_column",
}  # fmt: skip
_NLPAUG_LOUDNESS = 1000
"""nlpaug's LoudnessAug multiplies spectrograms by 1000 beside the factor; it is taken out, for sounds in -1..1."""


def build(name: str, params: Mapping[str, Any]) -> Transform:
    """Make the step."""
    return _SpectrogramStep(name, construct(name, params))


def construct(name: str, params: Mapping[str, Any]) -> Any:
    """Make nlpaug's augmenter."""
    return load(name)(**params, stateless=False, silence=True)


class _SpectrogramStep:
    """One nlpaug augmenter; seed to randomness: see `isolation.global_random`.

    Recorded are the mel channels, the columns (512 samples each) and the factor that were drawn.
    """

    __slots__ = ("_name", "_step")

    def __init__(self, name: str, step: Any) -> None:
        self._name = name
        self._step = step

    def __call__(self, value: Value, seed: bytes) -> tuple[Value, dict[str, Any] | None]:
        """Apply to an `AudioValue`; raises ValueError for a sound that is too short."""
        if not isinstance(value, AudioValue):
            raise TypeError(f"nlpaug.{self._name} works on audio, not on {type(value).__name__}")
        length = value.samples.shape[1]
        columns = 1 + max(length, WINDOW) // HOP
        try:
            with global_random.seeded(seed):
                gains = self._step.substitute(np.ones((MEL_CHANNELS, columns), np.float32))
        except ValueError as error:
            raise ValueError(f"nlpaug.{self._name} cannot take a sound of {length} samples: {error}") from error
        if not length:
            raise ValueError(f"nlpaug.{self._name} cannot take a sound without samples")
        if self._name == "LoudnessSpecAug":
            gains[:, self._step.time_start : self._step.time_end] /= _NLPAUG_LOUDNESS
        of_bins = gains[_mel_channels(value.sample_rate)]
        changed = np.stack([_with_gains(channel, of_bins) for channel in value.samples])
        drawn = {ours: getattr(self._step, theirs) for theirs, ours in _DRAWN.items() if hasattr(self._step, theirs)}
        return AudioValue(changed, value.sample_rate, value.segments), drawn


def _with_gains(samples: NDArray[np.float32], gains: NDArray[np.float32]) -> NDArray[np.float32]:
    """Add what the gains change of the sound: nothing where they are 1."""
    import librosa

    padded = np.pad(samples, (0, max(WINDOW - len(samples), 0)))
    spectrum = librosa.stft(padded, n_fft=WINDOW, hop_length=HOP)
    change = librosa.istft(spectrum * (gains - 1), n_fft=WINDOW, hop_length=HOP, length=len(padded))
    return np.asarray(samples + change[: len(samples)], np.float32)


@lru_cache(maxsize=8)
def _mel_channels(rate: int) -> NDArray[np.int64]:
    """The mel channel of each frequency of the transform."""
    import librosa

    edges = librosa.mel_frequencies(MEL_CHANNELS + 1, fmin=0.0, fmax=rate / 2)
    frequencies = librosa.fft_frequencies(sr=rate, n_fft=WINDOW)
    return np.asarray(np.clip(np.searchsorted(edges, frequencies, side="right") - 1, 0, MEL_CHANNELS - 1), np.int64)
