import re
import timeit
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.modalities import codecs
from pipeline.rendering import quality
from pipeline.rendering.quality import (
    AudioQuality,
    ImageQuality,
    Quality,
    TextQuality,
    VideoQuality,
    VolumeQuality,
    check,
)
from transforms.values import AudioValue, ImageValue, TextValue, Value, VideoValue, VolumeValue

ROOT = Path(__file__).parents[2]


def picture(height: int = 32, width: int = 40, channels: int = 3) -> ImageValue:
    return ImageValue(np.random.default_rng(0).integers(0, 256, (height, width, channels)).astype(np.uint8))


def sound(level: float = 0.2, length: int = 16_000, channels: int = 1) -> AudioValue:
    return AudioValue(np.random.default_rng(0).normal(0, level, (channels, length)).astype(np.float32), 16_000)


def flat(level: int, channels: int = 3) -> ImageValue:
    return ImageValue(np.full((20, 20, channels), level, np.uint8))


def changed(value: AudioValue, at: int, to: float) -> AudioValue:
    samples = value.samples.copy()
    samples[0, at] = to
    return AudioValue(samples, value.sample_rate)


def volume(depth: int = 8, level: int | None = None) -> VolumeValue:
    shape = (depth, 9, 10, 1)
    voxels = np.random.default_rng(0).integers(0, 4096, shape) if level is None else np.full(shape, level)
    return VolumeValue(voxels.astype(np.uint16))


NAN = changed(sound(), 5, float("nan"))
INFINITE = changed(sound(), 5, float("inf"))
HALF_CLIPPED = AudioValue(np.tile(np.array([[0.1, 1.0]], np.float32), 100), 16_000)


def video(level: int | None = None, count: int = 10, side: int = 20) -> VideoValue:
    frames = np.random.default_rng(3).integers(0, 256, (count, side, side, 3), np.uint8)
    return VideoValue(frames if level is None else np.full_like(frames, level), Fraction(10))


CASES: list[tuple[Value, Value | None, Quality, str | None]] = [
    (picture(31, 40), None, ImageQuality(min_side=32), "too_small"),
    (picture(40, 31), None, ImageQuality(min_side=32), "too_small"),
    (picture(32, 32), None, ImageQuality(min_side=32), None),
    (ImageValue(np.zeros((0, 5, 3), np.uint8)), None, ImageQuality(), "too_small"),
    (flat(0), None, ImageQuality(min_std=1.0), "blank"),
    (flat(255, 1), None, ImageQuality(min_std=0.01), "blank"),
    (flat(77, 4), None, ImageQuality(min_std=1.0), "blank"),
    (picture(channels=1), None, ImageQuality(min_std=1.0), None),
    (picture(channels=4), None, ImageQuality(min_std=1.0), None),
    (flat(0), None, ImageQuality(), None),
    (flat(0), None, ImageQuality(min_std=0.0), None),
    (picture(), picture(), ImageQuality(reject_identical=True), "identical"),
    (picture(), picture(), ImageQuality(), None),
    (picture(), None, ImageQuality(reject_identical=True), None),
    (flat(1), flat(2), ImageQuality(reject_identical=True), None),
    (flat(1, 3), flat(1, 1), ImageQuality(reject_identical=True), None),
    (NAN, None, AudioQuality(), "non_finite"),
    (video(), None, VideoQuality(), None),
    (video(count=9), None, VideoQuality(min_seconds=1.0), "too_short"),
    (video(count=10), None, VideoQuality(min_seconds=1.0), None),
    (video(count=0), None, VideoQuality(), "too_short"),
    (video(side=19), None, VideoQuality(min_side=20), "too_small"),
    (video(7), None, VideoQuality(min_std=1.0), "blank"),
    (video(), None, VideoQuality(min_std=1.0), None),
    (video(), video(), VideoQuality(reject_identical=True), "identical"),
    (video(), video(), VideoQuality(), None),
    (video(), None, VideoQuality(reject_identical=True), None),
    (video(), video(7), VideoQuality(reject_identical=True), None),
    (replace(video(), rate=Fraction(5)), video(), VideoQuality(reject_identical=True), None),
    (replace(video(), audio=sound()), video(), VideoQuality(reject_identical=True), None),
    (
        replace(video(), audio=sound()),
        replace(video(), audio=sound()),
        VideoQuality(reject_identical=True),
        "identical",
    ),
    (replace(video(), audio=sound(0.1)), replace(video(), audio=sound()), VideoQuality(reject_identical=True), None),
    (INFINITE, None, AudioQuality(), "non_finite"),
    (sound(length=0), None, AudioQuality(), "too_short"),
    (sound(length=15_999), None, AudioQuality(min_seconds=1.0), "too_short"),
    (sound(length=16_000), None, AudioQuality(min_seconds=1.0), None),
    (sound(0.0), None, AudioQuality(min_rms_db=-60), "silent"),
    (sound(0.0), None, AudioQuality(), None),
    (sound(0.0009, channels=2), None, AudioQuality(min_rms_db=-60), "silent"),
    (sound(0.0011, channels=2), None, AudioQuality(min_rms_db=-60), None),
    (HALF_CLIPPED, None, AudioQuality(max_clipped=0.49), "clipped"),
    (HALF_CLIPPED, None, AudioQuality(max_clipped=0.5), None),
    (AudioValue(-HALF_CLIPPED.samples, 16_000), None, AudioQuality(max_clipped=0.4), "clipped"),
    (sound(), sound(), AudioQuality(reject_identical=True), "identical"),
    (sound(), sound(), AudioQuality(), None),
    (sound(), AudioValue(sound().samples, 8_000), AudioQuality(reject_identical=True), None),
    (sound(), sound(channels=2), AudioQuality(reject_identical=True), None),
    (TextValue(""), None, TextQuality(reject_empty=True), "empty"),
    (TextValue(" \n\u3000"), None, TextQuality(reject_empty=True), "empty"),
    (TextValue(""), None, TextQuality(), None),
    (TextValue("ab"), None, TextQuality(min_chars=3), "too_short"),
    (TextValue("abc"), None, TextQuality(min_chars=3), None),
    (TextValue("a"), TextValue("a"), TextQuality(reject_unchanged=True), "unchanged"),
    (TextValue("a"), TextValue("b"), TextQuality(reject_unchanged=True), None),
    (TextValue("a"), TextValue("a"), TextQuality(), None),
    (volume(7), None, VolumeQuality(min_side=8), "too_small"),
    (volume(8), None, VolumeQuality(min_side=8), None),
    (VolumeValue(np.zeros((0, 4, 4, 1), np.uint8)), None, VolumeQuality(), "too_small"),
    (volume(level=900), None, VolumeQuality(min_std=1.0), "blank"),
    (volume(level=900), None, VolumeQuality(), None),
    (volume(), None, VolumeQuality(min_std=100.0), None),
    (volume(), volume(), VolumeQuality(reject_identical=True), "identical"),
    (volume(), volume(), VolumeQuality(), None),
    (volume(8), volume(9), VolumeQuality(reject_identical=True), None),
]


@pytest.mark.parametrize(("value", "parent", "settings", "expected"), CASES)
def test_finding(value: Value, parent: Value | None, settings: Quality, expected: str | None) -> None:
    assert check(value, parent, settings) == expected


def test_picture_without_contrast_under_its_alpha_is_blank() -> None:
    pixels = picture(channels=4).pixels.copy()
    pixels[..., 3] = 0
    assert check(ImageValue(pixels), None, ImageQuality(min_std=1.0)) == "blank"


@pytest.mark.parametrize(("settings", "value"), [(ImageQuality(), sound()), (TextQuality(), picture())])
def test_settings_of_another_modality_are_a_mistake_of_the_caller(settings: Quality, value: Value) -> None:
    with pytest.raises(TypeError, match="cannot judge"):
        check(value, None, settings)


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3, 4]))))
def test_blank_is_the_standard_deviation_of_grey_levels(pixels: np.ndarray) -> None:
    before = pixels.copy()
    grey = pixels[..., 0] if pixels.shape[2] == 1 else None
    found = check(ImageValue(pixels), None, ImageQuality(min_std=10.0))
    assert found in (None, "blank")
    if grey is not None and abs(grey.std() - 10.0) > 1e-6:
        assert (found == "blank") == (grey.std() < 10.0)
    assert np.array_equal(pixels, before)


def test_every_slug_has_a_case() -> None:
    assert {expected for *_, expected in CASES} == {*quality.REASONS, None}


def test_codecs_use_no_slug_that_is_not_listed() -> None:
    sources = [file.read_text(encoding="utf-8") for file in (ROOT / "pipeline" / "modalities" / "codecs").rglob("*.py")]
    used = {slug for source in sources for slug in re.findall(r'CodecError\(\s*"(\w+)"', source)}
    assert "truncated" in used
    assert used <= set(codecs.REASONS)


@pytest.mark.parametrize("slug", sorted({*quality.REASONS, *codecs.REASONS}))
def test_every_slug_is_explained_in_the_docs(slug: str) -> None:
    assert f"| `{slug}` |" in (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8")


def _timed(call: Any) -> float:
    return min(timeit.repeat(call, number=50, repeat=5)) / 50


def test_checks_of_a_picture_take_far_less_than_its_decoding() -> None:
    value, parent = picture(256, 256), picture(256, 256)
    settings = ImageQuality(min_side=16, min_std=2.0, reject_identical=True)
    assert _timed(lambda: check(value, parent, settings)) < 1e-3
