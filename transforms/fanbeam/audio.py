"""Blends of sounds: MixUp, and other records as background; the partner is resampled to the sound's own rate."""

from dataclasses import replace
from math import gcd

import numpy as np
from numpy.typing import NDArray

from transforms.fanbeam.operation import PARENTS, Drawn, Draws, between, nobody, share, weight_of
from transforms.labels.segments import scaled
from transforms.values import AudioValue, Segments

Blended = tuple[AudioValue, Drawn]
Samples = NDArray[np.float32]
_WHOLE = 2**16
_DIGITS = 6


def mix_up(value: AudioValue, draws: Draws) -> Blended:
    """Weighted mean of two sounds. A longer partner is cut, a shorter one stands at a drawn place, in silence."""
    partner = next(draws.partners, None)
    if partner is None:
        return nobody(value)
    key, found = partner
    length = value.samples.shape[1]
    weight = weight_of(draws)
    other = _suited(found, value)
    room = length - other.shape[1]
    offset = between(draws, min(0, room), max(0, room))
    laid = np.zeros_like(value.samples)
    begin, end = max(0, offset), min(length, offset + other.shape[1])
    laid[:, begin:end] = other[:, begin - offset : end - offset]
    mixed = value.samples * np.float32(share(weight)) + laid * np.float32(share(_WHOLE - weight))
    segments = _with(value, [(found.segments, offset / value.sample_rate)])
    drawn = {"offset": offset, "weight": share(weight), PARENTS: {key: share(_WHOLE - weight)}}
    return replace(value, samples=mixed.astype(np.float32), segments=segments), drawn


def add_from_set(value: AudioValue, draws: Draws) -> Blended:
    """The partner as background, from a drawn place and over again, so loud as the drawn ratio says.

    Shares are those of the power; with `labels: own` the background is not labeled.
    """
    partner = next(draws.partners, None)
    if partner is None:
        return nobody(value)
    key, found = partner
    other = _suited(found, value)
    levels = _level(value.samples), _level(other)
    if not min(levels):
        return nobody(value, "one of the two is silent")
    ratio = float(draws.given["snr_db"])
    length, period = value.samples.shape[1], other.shape[1]
    start = between(draws, 0, period - 1)
    gain = levels[0] / levels[1] * 10.0 ** (-ratio / 20.0)
    mixed = value.samples + other[:, (start + np.arange(length)) % period] * np.float32(gain)
    segments = value.segments
    if draws.given["labels"] == "mixed":
        offsets = range(-start, length, period)
        segments = _with(value, [(found.segments, offset / value.sample_rate) for offset in offsets])
    part = round(1.0 / (1.0 + 10.0 ** (ratio / 10.0)), _DIGITS)
    drawn = {"snr_db": round(ratio, _DIGITS), "start": start, "weight": 1.0 - part, PARENTS: {key: part}}
    return replace(value, samples=mixed.astype(np.float32), segments=segments), drawn


def _suited(other: AudioValue, value: AudioValue) -> Samples:
    """The partner's samples at the value's rate and number of channels."""
    samples = other.samples
    if other.sample_rate != value.sample_rate and samples.size:
        from scipy.signal import resample_poly

        common = gcd(other.sample_rate, value.sample_rate)
        up, down = value.sample_rate // common, other.sample_rate // common
        samples = np.asarray(resample_poly(samples.astype(np.float64), up, down, axis=1), np.float32)
    channels = len(value.samples)
    if len(samples) != channels:
        samples = np.repeat(samples.mean(axis=0, keepdims=True, dtype=np.float64), channels, axis=0)
    return samples.astype(np.float32)


def _with(value: AudioValue, others: list[tuple[Segments | None, float]]) -> Segments | None:
    """The value's segments, then those of others, each so many seconds later, as far as the sound lasts."""
    if value.segments is None:
        return None
    seconds = value.samples.shape[1] / value.sample_rate
    parts = [value.segments, *(scaled(held, 1.0, offset, seconds) for held, offset in others if held is not None)]
    return Segments(np.concatenate([p.bounds for p in parts]), np.concatenate([p.rows for p in parts]))


def _level(samples: Samples) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if samples.size else 0.0
