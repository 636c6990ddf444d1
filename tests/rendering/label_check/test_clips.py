"""A painting of a clip's labels finds what was forgotten, in place and in time, and suspects nobody wrongly."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from pipeline.rendering.label_check.images import disagrees
from transforms.isolation import library_warnings
from transforms.recipe import build_recipe
from transforms.values import Boxes, Segments, VideoValue
from transforms.video.vidaug_adapter import names

SEEDS = [bytes([n]) * 16 for n in range(1, 6)]
NEEDED: dict[str, dict[str, Any]] = {
    "CenterCrop": {"size": [60, 80]},
    "CornerCrop": {"size": 60},
    "ElasticTransformation": {"alpha": 10, "sigma": 4, "order": 1},
    "GaussianBlur": {"sigma": 2},
    "RandomCrop": {"size": 60},
    "RandomRotate": {"degrees": 30},
    "RandomShear": {"x": 0.2, "y": 0.1},
    "RandomTranslate": {"x": 20, "y": 20},
    "RandomResize": {"rate": 0.3},
    "Downsample": {"ratio": 0.6},
    "Upsample": {"ratio": 1.7},
    "Superpixel": {"n_segments": 20},
    **{name: {"size": 9} for name in names() if name.startswith("Temporal") and "Elastic" not in name},
}


def clip() -> VideoValue:
    frames = np.random.default_rng(0).integers(0, 256, (16, 80, 100, 3), np.uint8)
    corners = np.array([[20.0, 15, 60, 45], [40, 30, 90, 70], [5, 5, 40, 40]])
    boxes = Boxes(corners, np.arange(3), frames=np.array([2, 7, 12]))
    return VideoValue(frames, Fraction(10), None, boxes, Segments(np.array([[0.2, 0.6], [0.9, 1.4]]), np.arange(2)))


@pytest.mark.parametrize("name", names())
def test_no_operation_is_suspected_wrongly(name: str) -> None:
    recipe = build_recipe([{f"vidaug.{name}": NEEDED.get(name, {})}], "video")
    for seed in SEEDS:
        after, _ = recipe.apply(clip(), seed)
        assert not disagrees(recipe, clip(), after, seed)


@pytest.mark.parametrize("step", ["albumentations.Affine", "albumentations.Perspective", "video.Speed"])
def test_nor_are_others(step: str) -> None:
    params = {"factor": [0.5, 2]} if step == "video.Speed" else {"p": 1}
    recipe = build_recipe([{step: params}], "video")
    with library_warnings.quiet():
        for seed in SEEDS:
            after, _ = recipe.apply(clip(), seed)
            assert not disagrees(recipe, clip(), after, seed)


@pytest.mark.parametrize("step", ["vidaug.HorizontalFlip", "vidaug.InverseOrder"])
def test_forgotten_labels_are_found(step: str) -> None:
    recipe = build_recipe([step], "video")
    after, _ = recipe.apply(clip(), SEEDS[0])
    assert isinstance(after, VideoValue)
    forgotten = [replace(after, boxes=clip().boxes)]
    forgotten += [replace(after, segments=clip().segments)] if step == "vidaug.InverseOrder" else []
    for wrong in forgotten:
        assert any(disagrees(recipe, clip(), wrong, seed) for seed in SEEDS)
