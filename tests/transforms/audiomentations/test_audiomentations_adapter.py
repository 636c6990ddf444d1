import importlib.util
import random
from typing import Any

import audiomentations
import numpy as np
import pyroomacoustics
import pytest

from transforms.audiomentations import adapter
from transforms.interface import MissingLibrary
from transforms.isolation.global_random import numpy_seed, python_seed
from transforms.recipe import check_steps
from transforms.values import AudioValue, TextValue

pytestmark = pytest.mark.usefixtures("quiet_process")

SEED = bytes(range(50, 66))
_RNG = np.random.Generator(np.random.Philox(key=3))
MONO = AudioValue((_RNG.standard_normal((1, 8000)) * 0.1).astype(np.float32), 16_000)
STEREO = AudioValue((_RNG.standard_normal((2, 8000)) * 0.1).astype(np.float32), 16_000)
DIRECT: list[tuple[str, dict[str, Any]]] = [
    ("AddColorNoise", {}),
    ("AddGaussianNoise", {}),
    ("AddGaussianSNR", {}),
    ("AdjustDuration", {"duration_samples": 3000}),
    ("AirAbsorption", {}),
    ("BandPassFilter", {}),
    ("BitCrush", {}),
    ("ClippingDistortion", {}),
    ("Gain", {}),
    ("GainTransition", {}),
    ("HighPassFilter", {}),
    ("HighShelfFilter", {}),
    ("Limiter", {}),
    ("LoudnessNormalization", {}),
    ("LowPassFilter", {}),
    ("Mp3Compression", {}),
    ("Normalize", {}),
    ("Padding", {}),
    ("PeakingFilter", {}),
    ("PitchShift", {}),
    ("RepeatPart", {"min_part_duration": 0.1, "max_part_duration": 0.2}),
    ("RoomSimulator", {}),
    ("SevenBandParametricEQ", {}),
    ("Shift", {}),
    ("TimeMask", {}),
    ("TimeStretch", {"leave_length_unchanged": False}),
]


@pytest.mark.parametrize(("name", "params"), DIRECT)
@pytest.mark.parametrize("p", [1.0, 0.5])
@pytest.mark.parametrize("value", [MONO, STEREO])
def test_the_result_is_that_of_the_library_called_directly(
    name: str, params: dict[str, Any], p: float, value: AudioValue
) -> None:
    result, drawn = adapter.build(name, {**params, "p": p})(value, SEED)
    assert isinstance(result, AudioValue)
    samples = value.samples[0] if len(value.samples) == 1 else value.samples
    step = vars(audiomentations)[name](**params, p=p)
    kept = random.getstate(), np.random.get_state()
    random.seed(python_seed(SEED))
    np.random.seed(numpy_seed(SEED))
    pyroomacoustics.random.seed(numpy_seed(SEED)[0])
    try:
        multichannel = samples.ndim == 1 or step.supports_multichannel
        expected = step(samples.copy(), value.sample_rate) if multichannel else None
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
    if expected is None:  # mono only: each channel alone
        first, _ = adapter.build(name, {**params, "p": p})(AudioValue(value.samples[:1], value.sample_rate), SEED)
        assert isinstance(first, AudioValue)
        assert np.array_equal(result.samples[0], first.samples[0])
        return
    assert np.array_equal(result.samples, np.atleast_2d(expected))
    assert (drawn is not None) == step.parameters["should_apply"]


def test_the_real_globals_are_untouched() -> None:
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    adapter.build("AddGaussianNoise", {"p": 1})(MONO, SEED)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index, union-attr]


def test_resample_changes_the_sample_rate_with_the_samples() -> None:
    step = adapter.build("Resample", {"min_sample_rate": 8000, "max_sample_rate": 8000, "p": 1})
    result, drawn = step(MONO, SEED)
    assert isinstance(result, AudioValue)
    assert drawn == {"target_sample_rate": 8000}
    assert (result.sample_rate, result.samples.shape) == (8000, (1, 4000))
    assert step(result, SEED)[0].sample_rate == 8000  # type: ignore[union-attr]
    assert adapter.build("Resample", {"p": 0})(MONO, SEED)[0].sample_rate == 16_000  # type: ignore[union-attr]


def test_a_tone_keeps_its_pitch_through_resample() -> None:
    time = np.arange(16_000) / 16_000
    tone = AudioValue(np.sin(2 * np.pi * 440 * time)[np.newaxis].astype(np.float32), 16_000)
    result, _ = adapter.build("Resample", {"min_sample_rate": 22_050, "max_sample_rate": 22_050, "p": 1})(tone, SEED)
    assert isinstance(result, AudioValue)
    peak = np.abs(np.fft.rfft(result.samples[0])).argmax() * result.sample_rate / result.samples.shape[1]
    assert abs(peak - 440) < 1.5


def test_the_bands_of_the_equalizer_are_recorded() -> None:
    _, drawn = adapter.build("SevenBandParametricEQ", {"p": 1})(MONO, SEED)
    assert drawn is not None
    assert len(drawn["bands"]) == 7
    assert set(drawn["bands"][0]) == {"center_freq", "gain_db", "q_factor"}


def test_what_is_drawn_does_not_outlive_its_call() -> None:
    step = adapter.build("Gain", {"p": 0.5})
    results = [step(MONO, bytes([number] * 16))[1] for number in range(30)]
    assert None in results
    assert all(drawn is None or set(drawn) == {"amplitude_ratio"} for drawn in results)


def test_a_part_that_is_too_long_is_skipped_in_silence() -> None:
    result, drawn = adapter.build("RepeatPart", {"min_part_duration": 5, "max_part_duration": 6, "p": 1})(MONO, SEED)
    assert drawn is None
    assert result is MONO


def test_a_sound_without_samples_is_an_error() -> None:
    with pytest.raises(ValueError, match="without samples"):
        adapter.build("Gain", {"p": 1})(AudioValue(np.zeros((1, 0), np.float32), 16_000), SEED)
    with pytest.raises(TypeError, match="works on audio, not on TextValue"):
        adapter.build("Gain", {"p": 1})(TextValue(""), SEED)


def test_a_class_for_mono_draws_alike_for_every_channel() -> None:
    step = adapter.build("Gain", {"p": 1})
    step._step.supports_multichannel = False  # type: ignore[attr-defined]
    result, drawn = step(STEREO, SEED)
    both, same = adapter.build("Gain", {"p": 1})(STEREO, SEED)
    assert np.array_equal(result.samples, both.samples)  # type: ignore[union-attr]
    assert drawn == same


@pytest.mark.parametrize(
    ("name", "params", "path", "message"),
    [
        ("Gain", {"min_gain_db": "a"}, ("min_gain_db",), "min_gain_db: 'a' is not a number"),
        ("Gain", {"min_gain_db": 3, "max_gain_db": 1}, (), "min_gain_db cannot be greater than max_gain_db"),
        ("Gain", {"p": 3}, ("p",), "p: 3 is not a number in 0..1"),
        ("Gain", {"min_gain": 3}, ("min_gain",), "audiomentations.Gain has no parameter 'min_gain'"),
        ("AddGaussianNoise", {"max_amplitude": -1}, (), "does not satisfy: max_amplitude"),
        ("RepeatPart", {"mode": "replce"}, ("mode",), "mode: 'replce' is not one of insert, replace"),
        ("RepeatPart", {"part_transform": "x"}, ("part_transform",), "part_transform needs a function"),
        ("Shift", {"rollover": 1}, ("rollover",), "rollover: 1 is not true or false"),
        ("BitCrush", {"min_bit_depth": 1.5}, (), "fails on a plain audio: "),
        ("AdjustDuration", {}, (), "does not satisfy: duration_samples is not None or duration_seconds is not None"),
    ],
)
def test_bad_parameters(name: str, params: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (problem,) = adapter.problems(name, params)
    assert problem.path == path
    assert problem.message.startswith(message)


def test_describe() -> None:
    description = adapter.describe("RepeatPart")
    assert [(p.name, p.default) for p in description.parameters][:2] == [("min_repeats", "1"), ("max_repeats", "3")]
    assert "part_transform" not in [p.name for p in description.parameters]
    assert "Minimum number of times" in description.doc


def test_a_class_without_its_extra_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyroomacoustics" else find(name))
    with pytest.raises(MissingLibrary, match=r"needs pyroomacoustics: pip install 'fanbeam\[audio-extras\]'"):
        adapter.build("RoomSimulator", {})
    assert "fanbeam[audio-extras]" in check_steps(["audiomentations.RoomSimulator"], "audio")[0].message


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("TimeStretch", {"min_rate": 0.3, "max_rate": 0.45}),
        ("TimeStretch", {"min_rate": 0.3, "max_rate": 0.45, "leave_length_unchanged": False}),
        ("PitchShift", {"min_semitones": 13, "max_semitones": 24}),
        ("PitchShift", {"min_semitones": -24, "max_semitones": -13}),
    ],
)
def test_far_stretching_repeats(name: str, params: dict[str, Any]) -> None:
    results = [adapter.build(name, {**params, "p": 1})(MONO, SEED)[0] for _ in range(3)]
    assert all(isinstance(r, AudioValue) for r in results)
    assert len({r.samples.tobytes() for r in results if isinstance(r, AudioValue)}) == 1
