import io
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.similarity.audio import CELLS, PITCHES, SoundMeasure

MEASURE = SoundMeasure()
RATE = 22_050


def sound(seed: int = 1, seconds: float = 0.8, rate: int = RATE) -> np.ndarray:
    """A melody of eight decaying tones with overtones, (1, length)."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    notes = np.zeros_like(time)
    for start, pitch in zip(np.linspace(0, seconds, 8, endpoint=False), rng.uniform(150, 2500, 8), strict=True):
        after = np.clip(time - start, 0, None)
        notes += (
            (time >= start) * np.exp(-12 * after) * (np.sin(6.283 * pitch * after) + 0.3 * np.sin(15 * pitch * after))
        )
    return (0.3 * notes / np.abs(notes).max()).astype(np.float32)[np.newaxis]


def detail(samples: np.ndarray, rate: int = RATE) -> bytes:
    return MEASURE.signature_of(samples.astype(np.float32), rate).detail


def apart(one: np.ndarray, other: np.ndarray, other_rate: int = RATE) -> float:
    details = detail(one), detail(other, other_rate)
    assert MEASURE.distance(*details) == pytest.approx(MEASURE.distance(*reversed(details)), abs=1e-6)
    return MEASURE.distance(*details)


def faster(samples: np.ndarray, factor: float) -> np.ndarray:
    length = samples.shape[1]
    return np.interp(np.arange(0, length - 1, factor), np.arange(length), samples[0])[np.newaxis]


def noisy(samples: np.ndarray, decibels: float) -> np.ndarray:
    level = np.sqrt((samples**2).mean() / 10 ** (decibels / 10))
    return samples + level * np.random.default_rng(2).standard_normal(samples.shape)


CHANGES = {
    "quieter": lambda s: s * 0.1,
    "louder": lambda s: s * 3,
    "faster": lambda s: faster(s, 1.01),
    "slower": lambda s: faster(s, 0.99),
    "noise": lambda s: noisy(s, 30),
    "stereo": lambda s: np.concatenate([s, s]),
    "opposite channels": lambda s: np.concatenate([s, -s]),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_alike(change: str) -> None:
    assert apart(sound(), CHANGES[change](sound())) <= MEASURE.threshold


def test_another_sample_rate_is_alike() -> None:
    assert apart(sound(), sound(rate=44_100), 44_100) <= MEASURE.threshold


@pytest.mark.parametrize("seed", range(2, 8))
def test_others_are_not(seed: int) -> None:
    assert apart(sound(), sound(seed)) > 2 * MEASURE.threshold


def test_half_of_a_sound_is_another_one() -> None:
    assert apart(sound(), sound()[:, : RATE // 3]) == 1


def test_embeddings_of_changed_copies_are_near() -> None:
    views = [MEASURE.signature_of(s, RATE).embeddings[0].astype(float) for s in (sound(), noisy(sound(), 30), sound(3))]
    assert ((views[0] - views[1]) ** 2).sum() < 0.2 * ((views[0] - views[2]) ** 2).sum()


def test_shapes_and_sizes_of_a_signature() -> None:
    signature = MEASURE.signature_of(sound(), RATE)
    assert (signature.embeddings.shape, signature.embeddings.dtype) == ((1, 512), np.int8)
    assert len(signature.detail) == 4 + CELLS * PITCHES
    assert 4 * (signature.embeddings.astype(int) ** 2).sum() < 2**24


def test_silence_is_like_silence_alone_and_found_by_nothing() -> None:
    silence = np.zeros((1, 4000), np.float32)
    assert not MEASURE.signature_of(silence, RATE).embeddings.any()
    assert apart(silence, np.zeros((2, 900))) == 0
    assert apart(silence, sound()) == 1


@pytest.mark.parametrize("length", [1, 2, 17, 1000])
@pytest.mark.parametrize("rate", [100, 8000, 192_000])
def test_a_few_samples_at_any_rate(length: int, rate: int) -> None:
    click = np.ones((1, length), np.float32)
    assert MEASURE.distance(detail(click, rate), detail(click * 0.5, rate)) <= MEASURE.threshold
    assert 0 <= MEASURE.distance(detail(click, rate), detail(sound())) <= 1


def test_long_sounds_are_read_in_blocks() -> None:
    long = np.tile(sound(), (1, 12))
    assert apart(long, long * 0.5) < 0.05


def test_payloads_and_damage() -> None:
    file = io.BytesIO()
    soundfile.write(file, sound().T, RATE, format="FLAC", subtype="PCM_24")
    payload = file.getvalue()
    assert MEASURE.distance(MEASURE.signature(payload).detail, detail(sound())) < 0.02
    with pytest.raises(CodecError):
        MEASURE.signature(payload[: len(payload) // 2])


SCRIPT = """
import hashlib, sys
sys.path[:0] = ["tests/support", "tests/modalities/similarity"]
from test_similarity_audio import MEASURE, RATE, noisy, sound
parts = [MEASURE.signature_of(s, RATE) for s in (sound(), noisy(sound(), 20), sound(4))]
distances = [MEASURE.distance(a.detail, b.detail) for a in parts for b in parts]
print(hashlib.sha256(b"".join(s.embeddings.tobytes() + s.detail for s in parts)).hexdigest(), distances)
"""


def test_the_same_in_another_process() -> None:
    def printed(hash_seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": "."}
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True, timeout=120
        )
        return done.stdout

    assert printed("1") == printed("2") != ""
