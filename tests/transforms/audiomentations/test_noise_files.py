"""Steps that mix sounds of the user: which files they find, what they record, what a check says of bad ones."""

import random
from pathlib import Path
from typing import Any

import audiomentations
import fsspec
import numpy as np
import pytest
import soundfile

from pipeline.sources import assets
from transforms.audiomentations import adapter, noise_files
from transforms.isolation.global_random import numpy_seed, python_seed
from transforms.registry import versions
from transforms.steps import Step
from transforms.values import AudioValue, Segments

pytestmark = pytest.mark.usefixtures("quiet_process")

SEED = bytes(range(60, 76))
_RNG = np.random.Generator(np.random.Philox(key=4))
MONO = AudioValue((_RNG.standard_normal((1, 16_000)) * 0.1).astype(np.float32), 16_000)
STEREO = AudioValue(np.concatenate([MONO.samples, MONO.samples * np.float32(0.5)]), 16_000)
BURSTS = {"min_time_between_sounds": 0.01, "max_time_between_sounds": 0.2}
CLASSES: list[tuple[str, dict[str, Any]]] = [
    ("AddBackgroundNoise", {}),
    ("AddBackgroundNoise", {"noise_rms": "absolute"}),
    ("AddShortNoises", BURSTS),
    ("AddShortNoises", {**BURSTS, "noise_rms": "relative", "signal_gain_db_during_noise": -20}),
    ("ApplyImpulseResponse", {}),
    ("ApplyImpulseResponse", {"leave_length_unchanged": False}),
]


@pytest.fixture(autouse=True)
def connected() -> None:
    assets.connect()


@pytest.fixture
def noises(tmp_path: Path) -> Path:
    folder = tmp_path / "noises"
    (folder / "more").mkdir(parents=True)
    for number, (name, rate, channels) in enumerate(
        [("z.wav", 16_000, 1), ("more/a.flac", 8_000, 1), ("m.wav", 44_100, 2)]
    ):
        rng = np.random.Generator(np.random.Philox(key=number))
        soundfile.write(folder / name, rng.uniform(-0.4, 0.4, (rate // 4, channels)), rate)
    (folder / "notes.txt").write_text("no sound")
    return folder


@pytest.mark.parametrize(("name", "params"), CLASSES)
def test_the_result_is_that_of_the_library_with_the_sorted_files(
    name: str, params: dict[str, Any], noises: Path
) -> None:
    key = adapter.FILES[name]
    result, drawn = adapter.build(name, {**params, key: str(noises), "p": 1})(MONO, SEED)
    listed = [str(noises / n) for n in ("m.wav", "more/a.flac", "z.wav")]
    step = vars(audiomentations)[name](listed, **params, p=1)
    kept = random.getstate(), np.random.get_state()
    random.seed(python_seed(SEED))
    np.random.seed(numpy_seed(SEED))
    try:
        expected = step(MONO.samples[0].copy(), MONO.sample_rate)
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
    assert isinstance(result, AudioValue)
    assert np.array_equal(result.samples, expected[np.newaxis])
    assert str(noises) not in str(drawn)
    assert any(name in str(drawn) for name in ("m.wav", "more/a.flac", "z.wav"))


@pytest.mark.parametrize(("name", "params"), CLASSES)
def test_every_channel_gets_the_same_noise(name: str, params: dict[str, Any], noises: Path) -> None:
    step = adapter.build(name, {**params, adapter.FILES[name]: str(noises / "z.wav"), "p": 1})
    both, drawn = step(STEREO, SEED)
    first, same = step(MONO, SEED)
    assert isinstance(both, AudioValue)
    assert isinstance(first, AudioValue)
    assert drawn == same
    assert both.samples.shape[0] == 2
    if name != "ApplyImpulseResponse":  # it takes channels together, and levels their common peak
        assert np.array_equal(both.samples[0], first.samples[0])


def test_segments_stay_where_they_are(noises: Path) -> None:
    segments = Segments(np.array([[0.2, 0.7]]), np.arange(1))
    value = AudioValue(MONO.samples, MONO.sample_rate, segments)
    for name, params in CLASSES:
        result, _ = adapter.build(name, {**params, adapter.FILES[name]: str(noises), "p": 1})(value, SEED)
        assert isinstance(result, AudioValue)
        assert result.segments is not None
        assert np.array_equal(result.segments.bounds, segments.bounds)


def test_names_are_the_same_wherever_the_folder_lies(noises: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    noises.rename(moved)
    assert list(noise_files.sounds(str(moved))) == ["m.wav", "more/a.flac", "z.wav"]
    assert list(noise_files.sounds([str(moved / "z.wav"), str(moved / "m.wav")])) == ["m.wav", "z.wav"]
    assert list(noise_files.sounds(str(moved / "*.wav"))) == ["m.wav", "z.wav"]


def test_remote_sounds_are_used_like_local_ones(noises: Path) -> None:
    memory = fsspec.filesystem("memory")
    for name in ("m.wav", "more/a.flac", "z.wav"):
        memory.pipe(f"/noises/{name}", (noises / name).read_bytes())
    near = adapter.build("AddBackgroundNoise", {"sounds_path": str(noises), "p": 1})(MONO, SEED)
    far = adapter.build("AddBackgroundNoise", {"sounds_path": "memory://noises", "p": 1})(MONO, SEED)
    assert np.array_equal(near[0].samples, far[0].samples)  # type: ignore[union-attr]
    assert near[1] == far[1]


def test_the_content_of_the_files_is_part_of_the_version(noises: Path) -> None:
    step = Step("audiomentations.AddBackgroundNoise", {"sounds_path": str(noises)}, "", ())
    before = versions([step])[f"material {noises}"]
    (noises / "z.wav").write_bytes((noises / "m.wav").read_bytes())
    assert versions([step])[f"material {noises}"] != before
    gone = Step("audiomentations.ApplyImpulseResponse", {"ir_path": ["/no/where"]}, "", ())
    assert versions([gone])["material /no/where"] == "missing"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("nowhere", "sounds_path: no such path: "),
        ("empty", "sounds_path: no sound in "),
        ("damaged.wav", "sounds_path: damaged.wav cannot be read as sound (Format not recognised.): mend or remove it"),
        ("silent.wav", "sounds_path: silent.wav has no samples: mend or remove it"),
        (3, "sounds_path: 3 is not a file, glob or folder of sounds, nor a list of them"),
        ([], "sounds_path: [] is not a file"),
        (["z.wav", 1], "sounds_path: ["),
    ],
)
def test_bad_places(value: Any, message: str, noises: Path) -> None:
    (noises / "empty").mkdir()
    (noises / "damaged.wav").write_bytes(b"no sound at all")
    soundfile.write(noises / "silent.wav", np.zeros((0, 1)), 16_000)
    given = str(noises / value) if isinstance(value, str) else value
    (problem,) = adapter.problems("AddBackgroundNoise", {"sounds_path": given})
    assert problem.path == ("sounds_path",)
    assert problem.message.startswith(message)


def test_a_missing_parameter_and_a_function() -> None:
    (problem,) = adapter.problems("ApplyImpulseResponse", {})
    assert problem.message == "audiomentations.ApplyImpulseResponse needs the parameter 'ir_path'"
    problems = adapter.problems("AddShortNoises", {"noise_transform": "x"})
    assert problems[0].message.startswith("noise_transform needs a function")


@pytest.mark.filterwarnings("ignore:PySoundFile failed:FutureWarning")
def test_a_file_that_is_damaged_later_names_the_class(noises: Path) -> None:
    step = adapter.build("AddBackgroundNoise", {"sounds_path": str(noises / "z.wav"), "p": 1})
    (noises / "z.wav").write_bytes(b"no sound any more")
    with pytest.raises(ValueError, match=r"audiomentations\.AddBackgroundNoise: "):
        step(MONO, SEED)
    with pytest.raises(ValueError, match="no such path"):
        adapter.build("AddBackgroundNoise", {"sounds_path": str(noises / "nowhere")})


def test_a_sound_too_short_for_any_noise_names_the_class(noises: Path) -> None:
    step = adapter.build("AddBackgroundNoise", {"sounds_path": str(noises / "more"), "p": 1})
    with pytest.raises(ValueError, match=r"audiomentations\.AddBackgroundNoise: "):
        step(AudioValue(np.full((1, 1), 0.1, np.float32), 16_000), SEED)
