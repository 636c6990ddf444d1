from pathlib import Path
from typing import Any

import nlpaug.augmenter.audio as naa
import numpy as np
import pytest
import soundfile
from nlpaug_direct import SEED, seeded_globals
from numpy.typing import NDArray

from transforms.nlpaug import adapter
from transforms.nlpaug.audio import noise, noise_files
from transforms.values import AudioValue, Segments, TextValue

pytestmark = pytest.mark.usefixtures("quiet_process")

RATE = 16_000
DIRECT: list[tuple[str, dict[str, Any]]] = [
    ("CropAug", {}),
    ("CropAug", {"duration": 0.25, "zone": [0.1, 0.9]}),
    ("LoudnessAug", {"coverage": 0.5, "factor": [0.2, 0.4]}),
    ("MaskAug", {"coverage": 0.3}),
    ("MaskAug", {"mask_with_noise": False}),
    *(("NoiseAug", {"color": color}) for color in ("white", "pink", "red", "violet", "random")),
    *(("NormalizeAug", {"method": method}) for method in ("max", "minmax", "standard", "random")),
    ("PitchAug", {}),
    ("PolarityInverseAug", {}),
    ("ShiftAug", {"duration": 0.2}),
    ("ShiftAug", {"duration": 0.2, "direction": "right"}),
    ("SpeedAug", {"coverage": 0.7}),
    ("VtlpAug", {"coverage": 0.8}),
]


def sound(length: int = 12_000, channels: int = 1) -> NDArray[np.float32]:
    rng = np.random.Generator(np.random.Philox(key=11))
    return (0.2 * rng.standard_normal((channels, length))).astype(np.float32)


def direct(name: str, params: dict[str, Any], samples: NDArray[np.float32]) -> NDArray[np.float32]:
    rated = {"sampling_rate": RATE} if name in ("PitchAug", "ShiftAug", "VtlpAug") or "duration" in params else {}
    augmenter = vars(naa)[name](**params, **rated)
    with seeded_globals():
        return np.asarray(augmenter.augment(samples)[0], np.float32)


@pytest.mark.parametrize(("name", "params"), DIRECT)
def test_the_result_is_that_of_the_library_called_directly(name: str, params: dict[str, Any]) -> None:
    value = AudioValue(sound(), RATE)
    result, drawn = adapter.build(name, params)(value, SEED)
    assert isinstance(result, AudioValue)
    assert result.samples.dtype == np.float32
    assert np.array_equal(result.samples[0], direct(name, params, sound()[0]))
    assert drawn
    assert adapter.problems(name, params) == []


@pytest.mark.parametrize(("name", "params"), DIRECT)
def test_channels_share_their_draws(name: str, params: dict[str, Any]) -> None:
    samples = sound(channels=2)
    result, _ = adapter.build(name, params)(AudioValue(samples, RATE), SEED)
    assert isinstance(result, AudioValue)
    for channel, given in zip(result.samples, samples, strict=True):
        assert np.array_equal(channel, direct(name, params, given))


@pytest.mark.parametrize("length", [0, 1, 2, 7, 40, 1000])
@pytest.mark.parametrize(("name", "params"), DIRECT)
def test_short_and_silent_sounds_work_or_say_so(name: str, params: dict[str, Any], length: int) -> None:
    step = adapter.build(name, params)
    for samples in (np.zeros((1, length), np.float32), sound(max(length, 1), 2)[:, :length]):
        try:
            result, _ = step(AudioValue(samples, RATE), SEED)
        except ValueError as error:
            assert str(error).startswith(f"nlpaug.{name} ")
            continue
        assert isinstance(result, AudioValue)
        assert np.isfinite(result.samples).all()
        assert result.samples.shape[1] > 0


def test_both_names_of_the_inversion() -> None:
    value = AudioValue(sound(), RATE)
    first, second = (adapter.build(name, {})(value, SEED)[0] for name in ("InversionAug", "PolarityInverseAug"))
    assert isinstance(first, AudioValue)
    assert isinstance(second, AudioValue)
    assert np.array_equal(first.samples, second.samples)


def marked(name: str, params: dict[str, Any], bounds: list[list[float]]) -> tuple[AudioValue, dict[str, Any]]:
    segments = Segments(np.array(bounds, np.float64), np.arange(len(bounds)))
    result, drawn = adapter.build(name, params)(AudioValue(sound(), RATE, segments), SEED)
    assert isinstance(result, AudioValue)
    assert result.segments is not None
    assert drawn is not None
    return result, drawn


def test_segments_around_what_was_cropped() -> None:
    result, drawn = marked("CropAug", {"coverage": 0.5}, [[0, 0.1], [0.74, 0.75], [0, 0.75], [0.2, 0.21]])
    start, end = drawn["start"] / RATE, drawn["end"] / RATE
    assert result.segments is not None
    found = dict(zip(result.segments.rows.tolist(), result.segments.bounds.tolist(), strict=True))
    gone = end - start
    assert found[0] == [0, 0.1]
    assert found[1] == pytest.approx([0.74 - gone, 0.75 - gone])
    assert found[2] == pytest.approx([0, 0.75 - gone])


def test_a_segment_within_what_was_cropped_is_gone() -> None:
    _, drawn = marked("CropAug", {"coverage": 0.5}, [[0, 0.1]])
    begin = (drawn["start"] + 100) / RATE
    result, _ = marked("CropAug", {"coverage": 0.5}, [[begin, begin + 0.01]])
    assert result.segments is not None
    assert len(result.segments.rows) == 0


def test_segments_of_another_speed() -> None:
    result, drawn = marked("SpeedAug", {"factor": [2, 2]}, [[0.15, 0.6], [0.6, 0.75]])
    assert (drawn["start"] / RATE, drawn["end"] / RATE) == pytest.approx((0.15, 0.6))
    assert result.segments is not None
    assert result.segments.bounds.tolist()[0] == pytest.approx([0.15, 0.375], abs=1e-3)
    assert result.segments.bounds.tolist()[1] == pytest.approx([0.375, 0.525], abs=1e-3)


def test_segments_after_a_stretch_that_nlpaug_cuts_to_whole_windows() -> None:
    result, drawn = marked("VtlpAug", {"coverage": 0.8}, [[0.0, 0.1], [0.72, 0.75]])
    lost = (sound().shape[1] - result.samples.shape[1]) / RATE
    assert 0 < lost < 512 / RATE
    assert drawn["end"] / RATE < 0.72
    assert result.segments is not None
    assert result.segments.bounds.tolist() == [[0.0, 0.1], pytest.approx([0.72 - lost, 0.75 - lost])]


@pytest.mark.parametrize("name", ["MaskAug", "NoiseAug", "LoudnessAug", "NormalizeAug", "PitchAug"])
def test_segments_that_stay(name: str) -> None:
    result, _ = marked(name, {}, [[0.1, 0.75]])
    assert result.segments is not None
    assert result.segments.bounds.tolist() == [pytest.approx([0.1, 0.75])]


@pytest.mark.parametrize(("direction", "moved"), [("left", [0.3, 0.6]), ("right", [0.0, 0.2])])
def test_segments_are_shifted(direction: str, moved: list[float]) -> None:
    result, _ = marked("ShiftAug", {"duration": 0.2, "direction": direction}, [[0.1, 0.4]])
    assert result.segments is not None
    assert result.segments.bounds.tolist() == [pytest.approx(moved)]


def test_noises_of_ones_own(tmp_path: Path) -> None:
    for number, rate in enumerate((RATE, 8_000)):
        soundfile.write(tmp_path / f"{number}.wav", np.full((rate, 2), 0.1 * (number + 1)), rate, subtype="FLOAT")
    found = [noise(name, digest, RATE) for name, digest in noise_files(str(tmp_path))]
    assert [len(samples) for samples in found] == [RATE, RATE]
    params = {"noises": str(tmp_path), "zone": [0, 1]}
    assert adapter.problems("NoiseAug", params) == []
    assert f"nlpaug {tmp_path}" in adapter.resources("NoiseAug", params)
    added = set()
    for number in range(8):
        result, drawn = adapter.build("NoiseAug", params)(AudioValue(sound(), RATE), bytes([number]) * 16)
        assert isinstance(result, AudioValue)
        added.add(round(float((result.samples - sound())[0, 6000]), 2))
        assert drawn == {"start": 0, "end": 12_000}
    assert added == {0.1, 0.2}
    listed = {**params, "noises": [str(tmp_path / "0.wav")]}
    assert adapter.problems("NoiseAug", listed) == []


def test_a_noise_that_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"no sound")
    (problem,) = adapter.problems("NoiseAug", {"noises": str(tmp_path)})
    assert "is no sound that can be read" in problem.message


@pytest.mark.parametrize(
    ("name", "params", "path", "message"),
    [
        ("CropAug", {"zone": [0.8, 0.2]}, ("zone",), "zone: [0.8, 0.2] is not a range [lo, hi] within 0..1"),
        ("CropAug", {"zone": 1}, ("zone",), "zone: 1 is not of type tuple"),
        ("CropAug", {"duration": -1}, ("duration",), "duration: -1 is not more than 0"),
        ("LoudnessAug", {"factor": [0.5]}, ("factor",), "factor: [0.5] is not a range [lo, hi] within 0..1e+06"),
        ("MaskAug", {"coverage": 2}, ("coverage",), "coverage: 2 is not a number in 0..1"),
        ("MaskAug", {"duration": 2}, ("duration",), "duration is not read by nlpaug; write coverage instead"),
        ("NoiseAug", {"color": "wite"}, ("color",), "color: 'wite' is not one of white, pink"),
        ("NoiseAug", {"noises": "/no/such"}, ("noises",), "noises: no such path: /no/such"),
        ("PitchAug", {"sampling_rate": 8000}, ("sampling_rate",), "sampling_rate is taken from each sound"),
        ("ShiftAug", {"direction": "up"}, ("direction",), "direction: 'up' is not one of left, right, random"),
        ("ShiftAug", {"duration": 0}, ("duration",), "duration: 0 is not more than 0"),
        ("SpeedAug", {"factor": [0, 1]}, ("factor",), "factor: [0, 1] is not a range [lo, hi] within 0.01..100"),
    ],
)
def test_bad_parameters(name: str, params: dict[str, Any], path: tuple[str, ...], message: str) -> None:
    (problem,) = adapter.problems(name, params)
    assert (problem.path, problem.message[: len(message)]) == (path, message)


def test_a_text_is_refused() -> None:
    with pytest.raises(TypeError, match="works on audio, not on TextValue"):
        adapter.build("CropAug", {})(TextValue("a"), SEED)


def test_packages_that_decide_bytes_are_named() -> None:
    assert set(adapter.resources("PitchAug", {})) == {"librosa", "numba", "scipy", "soxr"}
    assert adapter.modality("PitchAug") == "audio"
    assert adapter.carries("PitchAug") == {"segments"}
