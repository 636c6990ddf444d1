from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.audiomentations import adapter
from transforms.labels import segments as audio_segments
from transforms.labels.segments import Piece, by_pieces, pieces_of, ramp, scaled
from transforms.values import AudioValue, Segments

RATE = 16_000
SEED = bytes(range(16))
pytestmark = pytest.mark.usefixtures("quiet_process")


def segments(*bounds: tuple[float, float]) -> Segments:
    return Segments(np.array(bounds, np.float64).reshape(-1, 2), np.arange(len(bounds), dtype=np.int64))


def tone_in_noise(channels: int = 1) -> AudioValue:
    """Three seconds of quiet noise with a loud tone from 1.0 s to 1.5 s, which is labeled."""
    samples = np.random.Generator(np.random.Philox(key=1)).normal(0, 0.01, (channels, RATE * 3)).astype(np.float32)
    samples[:, RATE : RATE + 8000] += (0.5 * np.sin(np.arange(8000) * 0.3)).astype(np.float32)
    return AudioValue(samples, RATE, segments((1.0, 1.5)))


def loud(value: AudioValue) -> list[tuple[float, float]]:
    """Where the result is loud: the tone, found by ear."""
    power = np.convolve(value.samples[0] ** 2, np.ones(200) / 200, "same") > 0.02
    edges = np.flatnonzero(np.diff(np.concatenate([[0], power.astype(int), [0]])))
    return [(a / value.sample_rate, b / value.sample_rate) for a, b in edges.reshape(-1, 2) if b - a > 400]


MOVES: list[tuple[str, dict[str, Any]]] = [
    ("Shift", {"min_shift": 0.4, "max_shift": 0.4}),
    ("Shift", {"min_shift": -0.6, "max_shift": 0.6, "rollover": False}),
    ("Shift", {"min_shift": -0.4, "max_shift": -0.4, "rollover": True, "fade_duration": 0.01}),
    ("Reverse", {}),
    ("Padding", {"mode": "silence", "pad_section": "start"}),
    ("Padding", {"mode": "wrap", "pad_section": "end"}),
    ("Padding", {"mode": "reflect", "pad_section": "end", "min_fraction": 0.4, "max_fraction": 0.4}),
    ("AdjustDuration", {"duration_seconds": 2.0}),
    ("AdjustDuration", {"duration_seconds": 5.0, "padding_mode": "wrap"}),
    ("AdjustDuration", {"duration_seconds": 4.0, "padding_position": "start"}),
    ("RepeatPart", {}),
    ("RepeatPart", {"mode": "replace"}),
    ("RepeatPart", {"crossfade_duration": 0}),
    ("TimeStretch", {"leave_length_unchanged": False}),
    ("Trim", {}),
    ("Resample", {"min_sample_rate": 8000, "max_sample_rate": 8000}),
    ("PitchShift", {}),
    ("Gain", {"min_gain_db": -3, "max_gain_db": 3}),
]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("name", "params"), MOVES)
def test_the_label_is_where_the_tone_is(name: str, params: dict[str, Any], channels: int) -> None:
    result, drawn = adapter.build(name, {**params, "p": 1})(tone_in_noise(channels), SEED)
    assert drawn is not None
    assert isinstance(result, AudioValue)
    assert result.segments is not None
    found = [tuple(pair) for pair in result.segments.bounds.tolist() if pair[1] - pair[0] > 0.05]
    heard = loud(result)
    assert len(found) == len(heard)
    for label, sound in zip(sorted(found), heard, strict=True):
        assert label == pytest.approx(sound, abs=0.03)
    assert set(result.segments.rows.tolist()) <= {0}


def test_a_cut_label_is_dropped_with_its_row() -> None:
    value = AudioValue(tone_in_noise().samples, RATE, segments((0.0, 0.2), (1.0, 1.5), (2.9, 3.0)))
    step = adapter.build("Shift", {"min_shift": 0.5, "max_shift": 0.5, "rollover": False, "p": 1})
    result, _ = step(value, SEED)
    assert isinstance(result, AudioValue)
    assert result.segments is not None
    assert result.segments.rows.tolist() == [0, 1]
    assert result.segments.bounds[0].tolist() == pytest.approx([1.5, 1.7], abs=1e-3)


def test_a_label_that_rolls_over_is_there_twice() -> None:
    value = AudioValue(tone_in_noise().samples, RATE, segments((2.0, 2.8)))
    result, _ = adapter.build("Shift", {"min_shift": 0.2, "max_shift": 0.2, "p": 1})(value, SEED)
    assert isinstance(result, AudioValue)
    assert result.segments is not None
    assert result.segments.rows.tolist() == [0, 0]
    assert result.segments.bounds.tolist() == [[0.0, pytest.approx(0.4)], [pytest.approx(2.6), 3.0]]


def test_every_class_carries_segments() -> None:
    assert all(adapter.carries(name) == {"segments"} for name in adapter.names())


@given(st.integers(2, 400), st.integers(-500, 500), st.booleans())
def test_a_rolled_ramp_is_read_back(length: int, shift: int, backwards: bool) -> None:
    given_ramp = ramp(1, length)[0]
    result = np.roll(given_ramp[::-1] if backwards else given_ramp, shift)
    found = pieces_of(result, length)
    told = np.zeros(length)
    for piece in found:
        told[piece.start : piece.stop] = piece.first + 1 + piece.step * np.arange(piece.stop - piece.start)
    lone = result != told  # a single sample at either end belongs to no piece
    assert lone.sum() <= 2
    assert all(0 < piece.stop - piece.start <= length for piece in found)


@given(st.floats(0, 2), st.floats(0.01, 2))
def test_backwards_twice_is_forwards(begin: float, length: float) -> None:
    mirrored = [Piece(0, RATE * 4, RATE * 4 - 1, -1)]
    once = by_pieces(segments((begin, begin + length)), mirrored, RATE)
    twice = by_pieces(once, mirrored, RATE)
    assert twice.bounds.tolist() == [[pytest.approx(begin), pytest.approx(begin + length)]]


def test_scaling_clips_and_drops() -> None:
    found = scaled(segments((0.0, 1.0), (2.0, 3.0), (5.0, 6.0)), 0.5, -0.25, 2.0)
    assert found.bounds.tolist() == [[0.0, 0.25], [0.75, 1.25]]
    assert found.rows.tolist() == [0, 1]


def test_a_sound_that_float32_cannot_count_is_an_error() -> None:
    with pytest.raises(ValueError, match="segments cannot follow a sound of 16777216 samples"):
        ramp(1, audio_segments.LONGEST_RAMP)
