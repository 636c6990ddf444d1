"""How alike two sounds are: their energies over time and pitch, on a grid as wide as the sound is long.

A grid of the whole makes 1 % of speed no difference, decibels below the loudest cell make gain none, and a floor hides
faint noise. Neighbours of a coarse grid are candidates; the fine grids, shifted by up to a cell, decide.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.modalities.codecs import Codec, Payload
from pipeline.modalities.codecs.audio.codec import AudioCodec
from pipeline.modalities.similarity.interface import NO_BANDS, Signature, embedding

Floats = NDArray[np.floating[Any]]

CELLS, PITCHES = 64, 48
"""A detail is the length in seconds (float32) and a grid (64, 48) uint8: sixths of a decibel above the floor."""
_WINDOW, _HOP = 0.046, 0.010
_LOWEST, _HIGHEST = 60.0, 7600.0
_FLOOR, _LEVELS = 40.0, 6.0
_COARSE = 2, 3
_BLOCK = 512
_SHIFTS = (-1, 0, 1)
_LENGTHS = 0.15
_LEAST_SPREAD = 3.0


@dataclass(frozen=True, slots=True)
class SoundMeasure:
    """`codec` decodes payloads; the channels' energies are added."""

    codec: Codec = field(default_factory=AudioCodec)
    threshold: ClassVar[float] = 0.25

    def signature(self, payload: Payload) -> Signature:
        """One view of 512 numbers, of zeros for silence."""
        sound: Any = self.codec.decode(payload).value
        return self.signature_of(sound.samples, sound.sample_rate)

    def signature_of(self, samples: Floats, rate: int) -> Signature:
        """Of (channels, length) at `rate` Hz."""
        grid = sum(_grid(channel.astype(np.float64), rate) for channel in samples)
        loudest = float(np.max(grid))
        if loudest <= 0:
            return Signature(np.zeros((1, _width()), np.int8), NO_BANDS, b"")
        decibels = 10 * np.log10(np.maximum(grid / loudest, 10 ** (-_FLOOR / 10)))
        levels = np.rint((decibels + _FLOOR) * _LEVELS).astype(np.uint8)
        coarse = levels.reshape(CELLS // _COARSE[0], _COARSE[0], PITCHES // _COARSE[1], _COARSE[1]).mean((1, 3))
        detail = struct.pack("<f", samples.shape[1] / rate) + levels.tobytes()
        return Signature(embedding((coarse - coarse.mean()).ravel())[np.newaxis], NO_BANDS, detail)

    def distance(self, left: bytes, right: bytes) -> float:
        """Root mean square difference of the grids, their levels made equal, in standard deviations of one."""
        if left == right:
            return 0.0
        if not left or not right:
            return 1.0
        (first, one), (second, other) = (_read(detail) for detail in (left, right))
        if abs(np.log(first / second)) > _LENGTHS:
            return 1.0
        return min(1.0, *(_difference(*_shifted(one, other, by)) for by in _SHIFTS))


def _width() -> int:
    return CELLS * PITCHES // (_COARSE[0] * _COARSE[1])


def _read(detail: bytes) -> tuple[float, Floats]:
    levels = np.frombuffer(detail, np.uint8, offset=4).reshape(CELLS, PITCHES)
    return struct.unpack_from("<f", detail)[0], levels / np.float32(_LEVELS)


def _shifted(one: Floats, other: Floats, by: int) -> tuple[Floats, Floats]:
    return one[max(0, by) : CELLS + min(0, by)], other[max(0, -by) : CELLS + min(0, -by)]


def _difference(one: Floats, other: Floats) -> float:
    error = (one - one.mean()) - (other - other.mean())
    return float(np.sqrt((error**2).mean())) / max(float(one.std()), float(other.std()), _LEAST_SPREAD)


def _grid(samples: Floats, rate: int) -> Floats:
    """Energies (64, 48) of (length,) samples."""
    window = max(16, round(_WINDOW * rate))
    padded = np.pad(samples, (window // 2, window // 2 + 1))
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[:: max(1, round(_HOP * rate))]
    energies = np.concatenate(list(_energies(frames, _filters(window, rate))))
    return _cells(energies)


def _energies(frames: Floats, filters: Floats) -> Iterator[Floats]:
    shape = np.hanning(frames.shape[1])
    for start in range(0, len(frames), _BLOCK):
        yield np.abs(np.fft.rfft(frames[start : start + _BLOCK] * shape)) ** 2 @ filters


@lru_cache(maxsize=8)
def _filters(window: int, rate: int) -> Floats:
    """(frequencies, 48): triangles on a logarithmic scale, each at least as wide as a line of the spectrum."""
    edges = np.geomspace(_LOWEST, _HIGHEST, PITCHES + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    lines = np.fft.rfftfreq(window, 1 / rate)[:, np.newaxis]
    triangles = np.minimum((lines - low) / (centre - low), (high - lines) / (high - centre))
    filters: Floats = np.maximum(np.clip(triangles, 0, None), 0.5 * (np.abs(lines - centre) < rate / window / 2))
    return filters


def _cells(energies: Floats) -> Floats:
    """The mean energy of 64 equal parts of the time, whose ends lie between frames."""
    sums = np.concatenate([np.zeros((1, PITCHES)), np.cumsum(energies, 0)])
    ends = np.linspace(0, len(energies), CELLS + 1)
    below = np.minimum(ends.astype(int), len(energies) - 1)
    until = sums[below] + (ends - below)[:, np.newaxis] * energies[below]
    cells: Floats = np.maximum(np.diff(until, axis=0), 0)
    return cells
