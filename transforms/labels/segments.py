"""Where stretches of a sound are after a step that moves samples: cut, shifted, reversed, padded, repeated, stretched.

A step that copies samples is asked by sending it a ramp, each sample its own number from 1: where the ramp comes out
whole is where the samples of the sound come out. Fades spoil it for some milliseconds, which are bridged.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from transforms.values import Segments

LONGEST_RAMP = 2**24
"""Samples that float32 can count."""
_BRIDGED_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Piece:
    """Samples `start`..`stop` of the result that are `first`.. of the source, in order or (`step` -1) backwards."""

    start: int
    stop: int
    first: int
    step: int


def ramp(channels: int, length: int) -> NDArray[np.float32]:
    """(channels, length) float32: 1, 2, 3 … Raises ValueError for a sound that is too long to count."""
    if length >= LONGEST_RAMP:
        raise ValueError(f"segments cannot follow a sound of {length} samples: {LONGEST_RAMP - 1} are the most")
    return np.tile(np.arange(1, length + 1, dtype=np.float32), (channels, 1))


def pieces_of(result: NDArray[np.float32], length: int) -> list[Piece]:
    """Read a ramp that went through a step: one channel of the result, and how many samples went in."""
    numbers = np.rint(result).astype(np.int64)
    known = (np.abs(result - numbers) < 1e-3) & (numbers >= 1) & (numbers <= length)
    steps = np.diff(numbers)
    joined = known[1:] & known[:-1] & (np.abs(steps) == 1)
    same = np.zeros(len(numbers), bool)
    same[2:] = joined[1:] & joined[:-1] & (steps[1:] == steps[:-1])
    found: list[Piece] = []
    n = 0
    while n < len(numbers) - 1:
        if not joined[n]:
            n += 1
            continue
        after = np.flatnonzero(~same[n + 2 :])
        stop = n + 2 + (int(after[0]) if len(after) else len(numbers) - n - 2)
        begun = found[-1].stop if found else 0
        found.append(_with_fade(Piece(n, stop, int(numbers[n]) - 1, int(steps[n])), result, begun, length))
        n = stop
    return found


def _with_fade(piece: Piece, result: NDArray[np.float32], begun: int, length: int) -> Piece:
    """The piece begun earlier, as far as something sounds before it that its own beginning, faded in, can be."""
    before = result[begun : piece.start]
    silent = np.flatnonzero(before == 0)
    sounding = len(before) - (int(silent[-1]) + 1 if len(silent) else 0)
    available = piece.first if piece.step > 0 else length - 1 - piece.first
    more = min(sounding, available)
    return Piece(piece.start - more, piece.stop, piece.first - piece.step * more, piece.step)


def by_pieces(segments: Segments, pieces: list[Piece], rate: float) -> Segments:
    """Each stretch wherever its samples came out; one that came out twice is there twice, under the same row."""
    bounds: list[tuple[float, float]] = []
    rows: list[int] = []
    for (begin, end), row in zip(segments.bounds.tolist(), segments.rows.tolist(), strict=True):
        found = [part for piece in pieces if (part := _through(piece, begin, end, rate))]
        for part in _bridged(sorted(found)):
            bounds.append(part)
            rows.append(row)
    return Segments(np.array(bounds, np.float64).reshape(-1, 2), np.array(rows, np.int64))


def scaled(segments: Segments, factor: float, offset: float, seconds: float) -> Segments:
    """Times multiplied and shifted, then clipped to a sound of `seconds`; what has nothing left is dropped."""
    bounds = np.clip(segments.bounds * factor + offset, 0.0, seconds)
    left = bounds[:, 1] > bounds[:, 0]
    return replace(segments, bounds=bounds[left], rows=segments.rows[left])


def _through(piece: Piece, begin: float, end: float, rate: float) -> tuple[float, float] | None:
    """The part of a stretch that lies in a piece, in seconds of the result."""
    length = piece.stop - piece.start
    low = piece.first if piece.step > 0 else piece.first - length + 1
    inside = max(begin, low / rate), min(end, (low + length) / rate)
    if inside[1] <= inside[0]:
        return None
    if piece.step > 0:
        offset = (piece.start - piece.first) / rate
        return inside[0] + offset, inside[1] + offset
    mirror = (piece.start + piece.first + 1) / rate
    return mirror - inside[1], mirror - inside[0]


def _bridged(parts: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Neighbours that only a fade keeps apart as one."""
    out: list[tuple[float, float]] = []
    for part in parts:
        if out and part[0] - out[-1][1] <= _BRIDGED_SECONDS:
            out[-1] = out[-1][0], max(out[-1][1], part[1])
        else:
            out.append(part)
    return out
