"""Envelopes, scales and spectrograms of known sounds."""

import numpy as np

from pipeline.preview.spectrogram import Scale, coloured, envelope, mono, scale_of, seconds_of, spectrogram
from transforms.values import AudioValue


def sine(hertz: float, rate: int = 16_000, seconds: float = 1.0) -> AudioValue:
    times = np.arange(int(rate * seconds)) / rate
    return AudioValue(np.sin(2 * np.pi * hertz * times).astype(np.float32)[None], rate)


def test_scale_fits_all_sounds():
    assert scale_of([sine(100, 8000, 0.5), sine(100)]) == Scale(1.0, scale_of([sine(100)]).peak, 8000.0)
    assert seconds_of(sine(5, 8000, 0.25)) == 0.25
    assert scale_of([AudioValue(np.zeros((1, 4), np.float32), 8)]).peak > 0


def test_mono_is_the_mean():
    both = AudioValue(np.array([[1, 0], [0, 0]], np.float32), 8)
    np.testing.assert_array_equal(mono(both), [0.5, 0])


def test_envelope_has_least_and_greatest():
    low, high = envelope(np.array([0, 3, -1, 2, 5, 4], np.float32), 3)
    np.testing.assert_array_equal(low, [0, -1, 4])
    np.testing.assert_array_equal(high, [3, 2, 5])


def test_envelope_of_fewer_samples_than_columns():
    low, high = envelope(np.array([7], np.float32), 4)
    np.testing.assert_array_equal(low, high)


def test_higher_tones_stand_higher():
    rows = [int(spectrogram(mono(sine(f)), 16_000, (10, 96), 8000)[:, 5].argmax()) for f in (200, 1000, 4000)]
    assert rows == sorted(rows, reverse=True)
    mel = 2595 * np.log10(1 + 1000 / 700) / (2595 * np.log10(1 + 8000 / 700))
    assert abs(rows[1] - 95 * (1 - mel)) <= 1.5


def test_a_full_scale_tone_has_its_level():
    levels = spectrogram(mono(sine(1000)), 16_000, (10, 400), 8000)
    assert abs(levels.max() - 10 * np.log10(0.25)) < 1


def test_silence_is_dark_and_the_loudest_is_bright():
    levels = np.array([[-120.0, 0.0]], np.float32)
    dark, bright = coloured(levels, 0.0)[0]
    assert dark.sum() < 60
    assert bright.sum() > 600
