"""Times of a file's frames and sound -> frames at a constant rate, and a sound track in step with them."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

COARSEST = 1001
"""Largest denominator of a rate: that of the NTSC family, such as 30000/1001."""
_USUAL = Fraction(25)
Rates = Sequence[Fraction | None]
_SLACK_SECONDS = 0.02


def constant_rate(
    times: Sequence[float | None], last_seconds: float, stated: Sequence[Fraction | None]
) -> tuple[Fraction, NDArray[np.int64]]:
    """A rate in frames per second, and for each frame at that rate the number of the file's frame to show.

    `times` are seconds, ascending; `stated` are the rates that the file names, the best first. Where frames come as one
    of them says, to half a frame, all are taken as they are. Else the rate is the file's own average, and each frame is
    the one that the file shows in the middle of its time.
    """
    rates = [rate for given in stated if given and (rate := given.limit_denominator(COARSEST)) > 0] or [_USUAL]
    count = len(times)
    if None in times or count == 1:
        return rates[0], np.arange(count)
    shown = np.array(times, np.float64)
    shown -= shown[0]
    for rate in rates:
        if np.array_equal(np.rint(shown * float(rate)), np.arange(count)):
            return rate, np.arange(count)
    if shown[-1] <= 0:
        return rates[0], np.arange(count)
    average = Fraction((count - 1) / float(shown[-1])).limit_denominator(COARSEST)
    rate = max(average, Fraction(1, COARSEST))
    seconds = float(shown[-1]) + (last_seconds or 1 / float(rate))
    middles = (np.arange(max(1, round(seconds * float(rate)))) + 0.5) / float(rate)
    return rate, np.maximum(np.searchsorted(shown, middles, side="right") - 1, 0).astype(np.int64)


def in_order(times: list[float | None], stated: Rates) -> tuple[list[float | None], Rates]:
    """Times by which frames are shown and rates for `constant_rate`; of times that go back only their distance is used.

    AVI says when frames are decoded: with B-frames in H.264 those times come with the wrong ones of the frames, which
    are in the order of showing.
    """
    known = [time for time in times if time is not None]
    if len(known) < len(times) or known == sorted(known):
        return times, stated
    distance = float(np.median(np.diff(sorted(known))))
    nothing: list[float | None] = [None] * len(times)
    return nothing, ((Fraction(1 / distance).limit_denominator(COARSEST),) if distance > 0 else stated)


def track(
    chunks: Sequence[tuple[float | None, NDArray[np.float32]]], start: float, length: int, rate: int
) -> NDArray[np.float32]:
    """(channels, length) float32: chunks laid where they sound, counted from the time `start`; gaps are silent.

    Chunks that come within 20 ms of the end of the one before follow it without a gap: containers round times.
    """
    out = np.zeros((chunks[0][1].shape[0], length), np.float32)
    cursor: int | None = None
    for time, samples in chunks:
        at = round((time - start) * rate) if time is not None else (cursor or 0)
        if cursor is not None and abs(at - cursor) <= _SLACK_SECONDS * rate:
            at = cursor
        cursor = at + samples.shape[1]
        first, last = max(at, 0), min(cursor, length)
        if last > first:
            out[:, first:last] = samples[:, first - at : last - at]
    return out
