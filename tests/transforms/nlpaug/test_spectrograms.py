from typing import Any

import librosa
import nlpaug.augmenter.spectrogram as nas
import numpy as np
import pytest
from nlpaug_direct import SEED, seeded_globals
from numpy.typing import NDArray

from transforms.nlpaug import adapter
from transforms.values import AudioValue, Segments, TextValue

pytestmark = pytest.mark.usefixtures("quiet_process")

RATE = 16_000
NAMES = {
    "FrequencyMaskingAug": "FrequencyMaskingAug",
    "LoudnessSpecAug": "LoudnessAug",
    "TimeMaskingAug": "TimeMaskingAug",
}
every_class = pytest.mark.parametrize("name", NAMES)


def sound(length: int = 32_000, channels: int = 1) -> NDArray[np.float32]:
    rng = np.random.Generator(np.random.Philox(key=12))
    return (0.2 * rng.standard_normal((channels, length))).astype(np.float32)


def apply(
    name: str, params: dict[str, Any], samples: NDArray[np.float32]
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    result, drawn = adapter.build(name, params)(AudioValue(samples, RATE), SEED)
    assert isinstance(result, AudioValue)
    assert drawn is not None
    return result.samples, drawn


@every_class
@pytest.mark.parametrize("params", [{}, {"zone": [0.0, 1.0], "coverage": 0.3}])
def test_gains_are_those_of_the_library_and_phases_stay(name: str, params: dict[str, Any]) -> None:
    """The whole way by hand: magnitudes times gains, the old phases, back."""
    samples = sound()
    with seeded_globals():
        gains = vars(nas)[NAMES[name]](**params, silence=True).augment(np.ones((128, 63), np.float32))[0]
    gains[gains > 100] /= 1000
    edges = librosa.mel_frequencies(129, fmin=0, fmax=RATE / 2)
    channel = [min(max(int((edges <= hz).sum()) - 1, 0), 127) for hz in librosa.fft_frequencies(sr=RATE, n_fft=2048)]
    spectrum = librosa.stft(samples[0], n_fft=2048, hop_length=512)
    masked = np.abs(spectrum) * gains[channel] * np.exp(1j * np.angle(spectrum))
    expected = librosa.istft(masked.astype(np.complex64), n_fft=2048, hop_length=512, length=samples.shape[1])
    result, drawn = apply(name, params, samples)
    assert np.allclose(result[0], expected, atol=1e-5)
    assert not np.allclose(result, samples, atol=1e-3)
    assert drawn
    assert adapter.problems(name, params) == []


def test_masked_time_is_silent_and_the_rest_is_untouched() -> None:
    samples = sound()
    result, drawn = apply("TimeMaskingAug", {}, samples)
    begin, end = drawn["first_column"] * 512, (drawn["first_column"] + drawn["columns"]) * 512
    assert np.array_equal(result[0, : begin - 2048], samples[0, : begin - 2048])
    assert np.array_equal(result[0, end + 2048 :], samples[0, end + 2048 :])
    assert np.abs(result[0, begin + 2048 : end - 2048]).max(initial=0) < 1e-6


def test_masked_frequencies_are_gone() -> None:
    samples = sound()
    result, drawn = apply("FrequencyMaskingAug", {"zone": [0, 1]}, samples)
    edges = librosa.mel_frequencies(129, fmin=0, fmax=RATE / 2)
    low, high = edges[drawn["first_channel"]], edges[drawn["first_channel"] + drawn["channels"]]
    hz = librosa.fft_frequencies(sr=RATE, n_fft=2048)
    inside = (hz > low + 50) & (hz < high - 50)
    powers = [np.abs(librosa.stft(x[0], n_fft=2048, hop_length=512))[inside][:, 4:-4].mean() for x in (samples, result)]
    assert powers[1] < 0.01 * powers[0]


def test_loudness_is_the_factor_itself() -> None:
    samples = sound()
    result, drawn = apply("LoudnessSpecAug", {"zone": [0, 1], "factor": [0.5, 0.5]}, samples)
    assert drawn["factor"] == 0.5
    assert np.allclose(result[:, 2048:-2048], 0.5 * samples[:, 2048:-2048], atol=1e-5)


@every_class
def test_channels_share_their_draws(name: str) -> None:
    samples = sound(channels=2)
    both, _ = apply(name, {}, samples)
    for number in range(2):
        assert np.array_equal(both[number : number + 1], apply(name, {}, samples[number : number + 1])[0])


@every_class
@pytest.mark.parametrize("length", [0, 1, 7, 600, 2048])
def test_short_sounds_work_or_say_so(name: str, length: int) -> None:
    try:
        result, _ = apply(name, {}, sound(max(length, 1))[:, :length])
    except ValueError as error:
        assert str(error).startswith(f"nlpaug.{name} cannot take a sound")
    else:
        assert result.shape == (1, length)
        assert np.isfinite(result).all()


@every_class
def test_segments_stay(name: str) -> None:
    segments = Segments(np.array([[0.5, 1.0]]), np.arange(1))
    result, _ = adapter.build(name, {})(AudioValue(sound(), RATE, segments), SEED)
    assert isinstance(result, AudioValue)
    assert result.segments is segments


@pytest.mark.parametrize(
    ("params", "path", "message"),
    [
        ({"factor": [40, 200]}, ("factor",), "factor: [40, 200] is not a range [lo, hi] within 0..128"),
        ({"factor": [40, 40]}, ("factor",), "factor: [40, 40] is not two whole numbers, the first one less"),
        ({"factor": [0.5, 3]}, ("factor",), "factor: [0.5, 3] is not two whole numbers, the first one less"),
        ({"zone": [-1, 1]}, ("zone",), "zone: [-1, 1] is not a range [lo, hi] within 0..1"),
        ({"stateless": True}, ("stateless",), "stateless has no effect here"),
    ],
)
def test_bad_parameters(params: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (problem,) = adapter.problems("FrequencyMaskingAug", params)
    assert (problem.path, problem.message) == (path, message)


def test_a_text_is_refused_and_warping_does_not_exist() -> None:
    with pytest.raises(TypeError, match="works on audio, not on TextValue"):
        adapter.build("TimeMaskingAug", {})(TextValue("a"), SEED)
    assert adapter.REFUSED["TimeWarpingAug"] == "is not implemented in nlpaug"
    assert not hasattr(nas, "TimeWarpingAug")
