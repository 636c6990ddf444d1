"""Frames of a clip put into another order, or on another clock, with its sound, boxes and segments in step.

`taken`: frames as numbered, each with its own stretch of sound, as when a film is cut. `paced`: the
whole clip faster or slower, its sound stretched with the pitch kept. `bent`: faster here and slower there; the sound's
pitch bends with it, as on a tape. `resampled`: as fast as before, with other frames.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from transforms.labels.segments import Piece, by_pieces, scaled
from transforms.values import AudioValue, Boxes, Segments, VideoValue

Numbers = NDArray[np.int64]
Times = NDArray[np.float64]


def seconds_of(clip: VideoValue) -> float:
    """How long a clip is."""
    return len(clip.frames) / float(clip.rate)


def taken(clip: VideoValue, source: Numbers) -> VideoValue:
    """The clip of the frames `source`, (n,) numbers of its frames: cut, reversed, repeated."""
    pieces = _runs(source)
    rate = float(clip.rate)
    segments = clip.segments
    if segments is not None:
        segments = _within(by_pieces(segments, pieces, rate), len(source) / rate)
    audio = None if clip.audio is None else replace(clip.audio, samples=_spliced(clip.audio, pieces, rate))
    return _with_frames(clip, source, clip.rate, audio, segments)


def paced(clip: VideoValue, source: Numbers, rate: Fraction) -> VideoValue:
    """The clip of the frames `source`, which show all of it evenly, at `rate`: faster, slower, or as fast as before."""
    seconds = len(source) / float(rate)
    factor = seconds / seconds_of(clip)
    segments = None if clip.segments is None else scaled(clip.segments, factor, 0.0, seconds)
    audio = None if clip.audio is None else stretched(clip.audio, seconds)
    return _with_frames(clip, source, rate, audio, segments)


def resampled(clip: VideoValue, source: Numbers, rate: Fraction) -> VideoValue:
    """The clip of the frames `source`, which show all of it as fast as before, at `rate`; the sound stays as it is."""
    seconds = len(source) / float(rate)
    audio = clip.audio
    if audio is not None:
        audio = replace(audio, samples=_fitted(audio.samples, round(seconds * audio.sample_rate)))
    segments = None if clip.segments is None else _within(clip.segments, seconds)
    return _with_frames(clip, source, rate, audio, segments)


def bent(clip: VideoValue, source: Numbers, places: Times) -> VideoValue:
    """The clip of the frames `source` at the clip's rate; `places` is where, in frames, each was taken, ascending."""
    count = len(source)
    after = np.concatenate([[0.0], np.arange(count) + 0.5, [count]])
    before = np.concatenate([[0.0], np.clip(places, 0, len(clip.frames) - 1) + 0.5, [len(clip.frames)]])
    rate = float(clip.rate)
    segments = clip.segments
    if segments is not None:
        bounds = np.interp(segments.bounds * rate, before, after) / rate
        segments = _within(replace(segments, bounds=bounds), count / rate)
    audio = None if clip.audio is None else _bent_sound(clip.audio, after / rate, before / rate, count / rate)
    return _with_frames(clip, source, clip.rate, audio, segments)


def _with_frames(
    clip: VideoValue, source: Numbers, rate: Fraction, audio: AudioValue | None, segments: Segments | None
) -> VideoValue:
    boxes = moved_boxes(clip.boxes, source)
    return replace(clip, frames=clip.frames[source], rate=rate, audio=audio, boxes=boxes, segments=segments)


def moved_boxes(boxes: Boxes | None, source: Numbers) -> Boxes | None:
    """Each box wherever its frame is shown now; one whose frame is shown twice is there twice, under the same row."""
    if boxes is None or boxes.frames is None:
        return boxes
    found, frames = np.nonzero(boxes.frames[:, np.newaxis] == source[np.newaxis, :])
    return replace(boxes, corners=boxes.corners[found], rows=boxes.rows[found], frames=frames.astype(np.int64))


def stretched(sound: AudioValue, seconds: float) -> AudioValue:
    """The sound made `seconds` long by Signalsmith Stretch, which keeps its pitch."""
    channels, length = sound.samples.shape
    wanted = round(seconds * sound.sample_rate)
    if wanted == length or not length or not wanted:
        return replace(sound, samples=_fitted(sound.samples, wanted))
    import python_stretch

    stretch = python_stretch.Signalsmith.Stretch(0)  # beyond twice as long it draws phases; without a seed at random
    stretch.preset(channels, sound.sample_rate)
    stretch.setTimeFactor(length / wanted)
    made = np.atleast_2d(stretch.process(np.ascontiguousarray(sound.samples)))
    return replace(sound, samples=_fitted(made.astype(np.float32), wanted))


def _fitted(samples: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Samples cut to a length, or with silence behind them."""
    cut = samples[:, :length]
    missing = length - cut.shape[1]
    return np.ascontiguousarray(np.pad(cut, ((0, 0), (0, missing))) if missing else cut)


def _runs(source: Numbers) -> list[Piece]:
    """Stretches of frames that follow each other, forwards or backwards."""
    numbers = source.tolist()
    pieces: list[Piece] = []
    start = 0
    while start < len(numbers):
        stop, step = start + 1, 1
        if stop < len(numbers) and abs(numbers[stop] - numbers[start]) == 1:
            step = numbers[stop] - numbers[start]
            while stop < len(numbers) and numbers[stop] - numbers[stop - 1] == step:
                stop += 1
        pieces.append(Piece(start, stop, numbers[start], step))
        start = stop
    return pieces


def _spliced(sound: AudioValue, pieces: list[Piece], rate: float) -> NDArray[np.float32]:
    """The sound of each stretch of frames, laid where the frames are."""
    stops = [round(piece.stop / rate * sound.sample_rate) for piece in pieces]
    out = np.zeros((sound.samples.shape[0], stops[-1]), np.float32)
    for piece, start, stop in zip(pieces, [0, *stops], stops, strict=False):
        low = piece.first if piece.step > 0 else piece.first - (piece.stop - piece.start) + 1
        begin = round(low / rate * sound.sample_rate)
        part = sound.samples[:, begin : begin + stop - start]
        if piece.step > 0:
            out[:, start : start + part.shape[1]] = part
        else:
            out[:, stop - part.shape[1] : stop] = part[:, ::-1]
    return out


def _bent_sound(sound: AudioValue, after: Times, before: Times, seconds: float) -> AudioValue:
    length = round(seconds * sound.sample_rate)
    if not sound.samples.shape[1]:
        return sound
    places = np.interp(np.arange(length) / sound.sample_rate, after, before) * sound.sample_rate
    known = np.arange(sound.samples.shape[1])
    samples = np.stack([np.interp(places, known, channel) for channel in sound.samples])
    return replace(sound, samples=samples.astype(np.float32))


def _within(segments: Segments, seconds: float) -> Segments:
    return scaled(segments, 1.0, 0.0, seconds)
