"""A sound as pictures: its waveform's envelope, and a spectrogram on the mel scale in decibels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transforms.values import AudioValue

Mono = NDArray[np.float32]
Levels = NDArray[np.float32]

WINDOW_SECONDS = 0.032
RANGE_DB = 75.0

# Ten colours of matplotlib's magma, spread evenly, with white paper's opposite at the quiet end.
_MAGMA = np.array(
    [
        (10, 8, 28), (29, 17, 71), (68, 15, 118), (107, 29, 129), (148, 44, 128),
        (190, 58, 118), (229, 80, 100), (250, 125, 94), (254, 178, 122), (252, 236, 186),
    ],
    np.float64,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scale:
    """What the sounds of one row share, so that louder, longer and higher can be seen: seconds, peak, top in Hz."""

    seconds: float
    peak: float
    top_hz: float


def scale_of(sounds: list[AudioValue]) -> Scale:
    """The scale that fits all of them."""
    return Scale(
        seconds=max(seconds_of(s) for s in sounds),
        peak=max(1e-6, *(float(np.abs(s.samples).max(initial=0.0)) for s in sounds)),
        top_hz=max(s.sample_rate for s in sounds) / 2,
    )


def seconds_of(sound: AudioValue) -> float:
    """Duration."""
    return float(sound.samples.shape[1] / max(1, sound.sample_rate))


def mono(sound: AudioValue) -> Mono:
    """The mean of all channels."""
    return np.asarray(sound.samples.mean(axis=0), np.float32)


def envelope(samples: Mono, columns: int) -> tuple[Mono, Mono]:
    """Least and greatest sample of each of `columns` equal stretches; a stretch has at least one sample."""
    edges = np.minimum(np.arange(columns) * len(samples) // max(1, columns), len(samples) - 1)
    return np.minimum.reduceat(samples, edges), np.maximum.reduceat(samples, edges)


def spectrogram(samples: Mono, rate: int, size: tuple[int, int], top_hz: float) -> Levels:
    """Power in dB, (height, width), low tones at the bottom; the rows are even steps of mel up to `top_hz`.

    One Hann window per column, in the middle of its stretch, so that the work does not grow with the duration.
    """
    width, height = size
    length = 1 << max(5, round(np.log2(max(32.0, rate * WINDOW_SECONDS))))
    padded = np.pad(samples, (length // 2, length // 2))
    starts = ((np.arange(width) + 0.5) * len(samples) / width).astype(int)
    frames = padded[np.minimum(starts, len(samples) - 1)[:, None] + np.arange(length)]
    hann = np.hanning(length)
    power = np.abs(np.fft.rfft(frames * hann, axis=1)) ** 2 / hann.sum() ** 2
    bins = _mel_steps(height, top_hz) * length / max(1, rate)
    rows = np.stack([np.interp(bins, np.arange(power.shape[1]), p, right=0.0) for p in power], axis=1)
    levels: Levels = (10 * np.log10(np.maximum(rows[::-1], 1e-12))).astype(np.float32)
    return levels


def coloured(levels: Levels, loudest_db: float) -> NDArray[np.uint8]:
    """Levels as RGB: from RANGE_DB below the loudest up to it."""
    place = np.clip((levels - loudest_db) / RANGE_DB + 1.0, 0.0, 1.0) * (len(_MAGMA) - 1)
    channels = [np.interp(place, np.arange(len(_MAGMA)), _MAGMA[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def _mel_steps(count: int, top_hz: float) -> NDArray[np.float64]:
    """Frequencies in even steps of mel (O'Shaughnessy 1987: 2595 log10(1 + f/700))."""
    top = 2595 * np.log10(1 + top_hz / 700)
    return np.asarray(700 * (10 ** (np.linspace(0, top, count) / 2595) - 1))
