"""Classes of albumentations and audiomentations in video fields: all frames alike, or the sound track."""

from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.sources import assets
from transforms import registry
from transforms.albumentations import adapter
from transforms.audiomentations import adapter as audiomentations_audio
from transforms.isolation import library_warnings
from transforms.recipe import build_recipe, check_steps
from transforms.values import AudioValue, Boxes, ImageValue, Value, VideoValue

SEEDS = [bytes([n]) * 16 for n in range(1, 4)]
PARAMETERS: dict[str, dict[str, Any]] = {
    "AtLeastOneBBoxRandomCrop": {"height": 40, "width": 40},
    "CenterCrop": {"height": 40, "width": 40},
    "Crop": {"x_max": 30, "y_max": 30},
    "CropAndPad": {"percent": [-0.2, 0.2]},
    "CLAHE": {"tile_grid_size": [2, 2]},
    "GridElasticDeform": {"num_grid_xy": [4, 4], "magnitude": 10},
    "LongestMaxSize": {"max_size": 40},
    "Pad": {"padding": 5},
    "PadIfNeeded": {"min_height": 100, "min_width": 100},
    "RandomCrop": {"height": 40, "width": 40},
    "RandomResizedCrop": {"size": [40, 40]},
    "RandomSizedBBoxSafeCrop": {"height": 40, "width": 40},
    "RandomSizedCrop": {"min_max_height": [20, 40], "size": [32, 32]},
    "Resize": {"height": 40, "width": 40},
    "SmallestMaxSize": {"max_size": 40},
    "ToGray": {"num_output_channels": 1},
}
IN_VIDEOS = [name for name in adapter.names() if "video" in adapter.modalities(name)]


def still(count: int = 3) -> VideoValue:
    """The same picture several times, a box on the first and one on the last frame."""
    picture = np.kron(np.random.default_rng(8).integers(0, 256, (6, 8, 3), np.uint8), np.ones((10, 10, 1), np.uint8))
    corners = np.array([[5.0, 5, 35, 30], [30, 20, 70, 55]])
    return VideoValue(
        np.stack([picture] * count), Fraction(10), None, Boxes(corners, np.arange(2), frames=np.array([0, 2]))
    )


def applied(step: str, value: Value, seed: bytes, **params: Any) -> Any:
    modality = "video" if isinstance(value, VideoValue) else "image"
    with library_warnings.quiet():
        return build_recipe([{step: {**params, "p": 1}}], modality).apply(value, seed)


@pytest.mark.parametrize("name", IN_VIDEOS)
def test_every_frame_is_what_the_picture_alone_would_be(name: str) -> None:
    clip = still()
    before = clip.frames.copy()
    picture = ImageValue(clip.frames[0], replace(clip.boxes, frames=None) if clip.boxes else None)
    for seed in SEEDS:
        params = PARAMETERS.get(name, {})
        result, steps = applied(f"albumentations.{name}", clip, seed, **params)
        alone, _ = applied(f"albumentations.{name}", picture, seed, **params)
        assert [s.name for s in steps] == [f"albumentations.{name}"]
        assert result.frames.dtype == np.uint8
        assert result.frames.shape[3] == 3
        expected = np.repeat(alone.pixels, 3, axis=2) if alone.pixels.shape[2] == 1 else alone.pixels
        assert all(np.array_equal(frame, expected) for frame in result.frames)
        assert np.array_equal(result.boxes.corners, alone.boxes.corners)
        assert np.array_equal(result.boxes.rows, alone.boxes.rows)
        assert result.boxes.frames.tolist() == [[0, 2][row] for row in result.boxes.rows]
        assert np.array_equal(clip.frames, before)


def test_classes_that_need_masks_stay_with_pictures() -> None:
    pictures = {n for n in adapter.names() if "image" in adapter.modalities(n)}
    masks = {"ConstrainedCoarseDropout", "CropNonEmptyMaskIfExists", "MaskDropout"}
    more = {"FDA", "HistogramMatching", "Mosaic", "OverlayElements", "PixelDistributionAdaptation", "TextImage"}
    assert pictures - set(IN_VIDEOS) == masks | more | {"RandomCropNearBBox"}
    message = check_steps(["albumentations.MaskDropout"], "video")[0].message
    assert message == "albumentations.MaskDropout works on images; this field is video"


def test_the_sound_track_is_treated_alone() -> None:
    samples = np.full((1, 4000), 0.1, np.float32)
    clip = replace(still(), audio=AudioValue(samples, 8000))
    step = {"audiomentations.Gain": {"min_gain_db": 6, "max_gain_db": 6, "p": 1}}
    result, steps = build_recipe([step], "video").apply(clip, SEEDS[0])
    assert isinstance(result, VideoValue)
    assert result.audio is not None
    assert np.allclose(result.audio.samples, samples * 10 ** (6 / 20), rtol=1e-5)
    assert result.frames is clip.frames
    assert [s.name for s in steps] == ["audiomentations.Gain"]
    silent, none = build_recipe([step], "video").apply(still(), SEEDS[0])
    assert none == ()
    assert isinstance(silent, VideoValue)
    assert silent.audio is None


def test_classes_that_move_sound_in_time_stay_with_sounds() -> None:
    assert audiomentations_audio.modalities("Gain") == {"audio", "video"}
    for name in ("Reverse", "Shift", "TimeStretch", "Trim", "Padding", "RoomSimulator"):
        assert audiomentations_audio.modalities(name) == {"audio"}
        assert "works on audio; this field is video" in check_steps([f"audiomentations.{name}"], "video")[0].message


FILES = {"AddBackgroundNoise": "sounds_path", "AddShortNoises": "sounds_path", "ApplyImpulseResponse": "ir_path"}


@pytest.mark.parametrize("name", [n for n in registry.all_names("video") if n.startswith("audiomentations.")])
def test_sound_stays_as_long_as_the_frames(name: str, tmp_path: Path) -> None:
    assets.connect()
    soundfile.write(tmp_path / "noise.wav", np.random.default_rng(1).normal(0, 0.1, 4_000), 16_000)
    files = {FILES[cls]: str(tmp_path)} if (cls := name.partition(".")[2]) in FILES else {}
    rng = np.random.default_rng(5)
    clip = replace(still(10), audio=AudioValue((rng.standard_normal((1, 16_000)) * 0.1).astype(np.float32), 16_000))
    result, _ = build_recipe([{name: {"p": 1, **files}}], "video").apply(clip, SEEDS[0])
    assert isinstance(result, VideoValue)
    assert result.audio is not None
    assert abs(result.audio.samples.shape[1] / result.audio.sample_rate - 1.0) < 0.05
