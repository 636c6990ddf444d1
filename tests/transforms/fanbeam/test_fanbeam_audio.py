import json
from dataclasses import replace

import numpy as np
import pytest
from blend_values import SEEDS, SOURCE, blended, with_donors

from transforms.values import AudioValue, Segments

every_seed = pytest.mark.parametrize("seed", SEEDS[:10])
RATE = 8_000


def tone(hertz: float, seconds: float, rate: int = RATE, level: float = 0.5, channels: int = 1) -> AudioValue:
    time = np.arange(round(seconds * rate)) / rate
    wave = (level * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
    return AudioValue(np.tile(wave, (channels, 1)), rate)


def with_segments(value: AudioValue, *bounds: tuple[float, float], source: int = 0) -> AudioValue:
    rows = np.arange(len(bounds)) + source * SOURCE
    return replace(value, segments=Segments(np.array(bounds, np.float64).reshape(-1, 2), rows))


@every_seed
@pytest.mark.parametrize("seconds", [0.2, 0.7])
def test_mix_up_is_the_weighted_mean_of_what_sounds(seed: bytes, seconds: float) -> None:
    own, other = tone(440, 0.5), tone(1000, seconds)
    result, applied = blended(with_donors(own, {"other": other}), "MixUp", seed, alpha=1.0)
    drawn = json.loads(applied.params)
    offset = drawn["offset"]
    laid = np.zeros_like(own.samples)
    for n in range(own.samples.shape[1]):
        if 0 <= n - offset < other.samples.shape[1]:
            laid[0, n] = other.samples[0, n - offset]
    wanted = own.samples * drawn["weight"] + laid * drawn["parents"]["other"]
    assert np.allclose(result.samples, wanted, atol=1e-6)
    assert result.samples.dtype == np.float32
    assert drawn["weight"] + drawn["parents"]["other"] == 1
    assert (offset >= 0) == (seconds < 0.5)


@every_seed
def test_segments_of_both_stay_where_they_sound(seed: bytes) -> None:
    own = with_segments(tone(440, 0.5), (0.1, 0.2))
    for seconds in (0.2, 0.7):
        other = with_segments(tone(1000, seconds), (0.0, 0.1), (0.1, seconds), source=1)
        result, applied = blended(with_donors(own, {"other": other}), "MixUp", seed)
        offset = json.loads(applied.params)["offset"] / RATE
        wanted = [(0, 0.1, 0.2)]
        for row, (begin, end) in enumerate([(0.0, 0.1), (0.1, seconds)]):
            clipped = max(0.0, begin + offset), min(0.5, end + offset)
            wanted += [(SOURCE + row, *clipped)] if clipped[0] < clipped[1] else []
        assert result.segments is not None
        found = [
            (row, *bounds)
            for row, bounds in zip(result.segments.rows.tolist(), result.segments.bounds.tolist(), strict=True)
        ]
        assert np.allclose(found, wanted)


@every_seed
def test_a_background_is_as_loud_as_the_ratio_says(seed: bytes) -> None:
    own, other = tone(440, 0.5, level=0.4), tone(1000, 0.13, level=0.05)
    result, applied = blended(with_donors(own, {"other": other}), "AddFromSet", seed, snr_db=[0, 20])
    drawn = json.loads(applied.params)
    added = result.samples - own.samples
    ratio = 10 * np.log10(np.mean(own.samples**2) / np.mean(added**2))
    assert ratio == pytest.approx(drawn["snr_db"], abs=0.15)  # the last repetition is cut
    power = np.mean(added**2) / (np.mean(added**2) + np.mean(own.samples**2))
    assert drawn["parents"]["other"] == pytest.approx(power, rel=0.04)
    assert drawn["weight"] == 1 - drawn["parents"]["other"]
    period = other.samples.shape[1]
    assert np.allclose(added[0, :-period], added[0, period:], atol=1e-6)


def test_segments_of_a_background_come_as_often_as_it_sounds() -> None:
    own = with_segments(tone(440, 0.5), (0.1, 0.2))
    other = with_segments(tone(1000, 0.2), (0.05, 0.1), source=1)
    result, applied = blended(with_donors(own, {"other": other}), "AddFromSet", SEEDS[3])
    start = json.loads(applied.params)["start"] / RATE
    wanted = [[0.1, 0.2]]
    for repetition in range(4):
        begin, end = (repetition * 0.2 - start + at for at in (0.05, 0.1))
        begin, end = max(begin, 0.0), min(end, 0.5)
        wanted += [[begin, end]] if begin < end else []
    assert result.segments is not None
    assert np.allclose(result.segments.bounds, wanted)
    assert result.segments.rows.tolist() == [0] + [SOURCE] * (len(wanted) - 1)
    assert applied.mixed is not None
    assert applied.mixed.labels
    unlabeled, applied = blended(with_donors(own, {"other": other}), "AddFromSet", SEEDS[3], labels="own")
    assert np.array_equal(unlabeled.samples, result.samples)
    assert unlabeled.segments is not None
    assert unlabeled.segments.bounds.tolist() == [[0.1, 0.2]]
    assert applied.mixed is not None
    assert not applied.mixed.labels


@pytest.mark.parametrize("rate", [4_000, 11_025, 16_000])
@pytest.mark.parametrize(("own", "theirs"), [(1, 2), (2, 1)])
def test_rates_and_channels_become_those_of_the_sound(rate: int, own: int, theirs: int) -> None:
    """The partner's tone keeps its pitch."""
    value = replace(tone(440, 0.5, channels=own), samples=np.full((own, 4_000), 1e-4, np.float32))
    donors = {"other": tone(1000, 0.5, rate, channels=theirs)}
    result, _ = blended(with_donors(value, donors), "AddFromSet", SEEDS[0], snr_db=-40)
    assert result.samples.shape == value.samples.shape
    assert result.sample_rate == RATE
    spectrum = np.abs(np.fft.rfft(result.samples[0] - value.samples[0]))
    assert np.argmax(spectrum) * 2 == pytest.approx(1000, abs=4)


def test_silence_has_no_ratio() -> None:
    silent = AudioValue(np.zeros((1, 100), np.float32), RATE)
    for own, other in ((silent, tone(9, 0.1)), (tone(9, 0.1), silent)):
        result, applied = blended(with_donors(own, {"other": other}), "AddFromSet", SEEDS[0])
        assert json.loads(applied.params) == {"not_applied": "one of the two is silent", "parents": {}}
        assert np.array_equal(result.samples, own.samples)
