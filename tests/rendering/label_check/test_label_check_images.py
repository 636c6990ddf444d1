from typing import Any, cast

import numpy as np
import pytest

from pipeline.rendering.label_check.images import disagrees
from transforms import registry
from transforms.isolation import library_warnings
from transforms.recipe import Recipe, build_recipe
from transforms.values import AudioValue, Boxes, ImageValue, Keypoints, Segments, Value

SEEDS = [bytes([n]) * 16 for n in range(4)]
NEEDED: dict[str, dict[str, Any]] = {
    "CenterCrop": {"height": 150, "width": 200}, "Crop": {"x_max": 200, "y_max": 150},
    "LongestMaxSize": {"max_size": 200}, "RandomCrop": {"height": 150, "width": 200},
    "RandomResizedCrop": {"size": [150, 150]}, "RandomSizedBBoxSafeCrop": {"height": 150, "width": 150},
    "RandomSizedCrop": {"min_max_height": [100, 200], "size": [150, 150]}, "Resize": {"height": 120, "width": 300},
    "SmallestMaxSize": {"max_size": 150}, "CropNonEmptyMaskIfExists": {"height": 150, "width": 150},
    "CropAndPad": {"percent": 0.1}, "Affine": {"rotate": [-40, 40], "translate_percent": [-0.2, 0.2]},
    "ConstrainedCoarseDropout": {"mask_indices": [1]},
}  # fmt: skip


def picture() -> ImageValue:
    pixels = np.random.Generator(np.random.Philox(key=2)).integers(0, 256, (240, 320, 3), dtype=np.uint8)
    mask = np.zeros((1, 240, 320), np.uint8)
    mask[0, 60:140, 80:200] = 1
    corners = np.array([[80.0, 60, 200, 140], [150, 100, 300, 220], [10, 150, 60, 230]])
    points = Keypoints(np.array([[100.0, 100], [250, 180], [40, 40]]), np.arange(3))
    return ImageValue(pixels, Boxes(corners, np.arange(3)), points, mask)


def sound() -> AudioValue:
    samples = np.random.Generator(np.random.Philox(key=2)).normal(0, 0.1, (1, 32_000)).astype(np.float32)
    bounds = np.array([[0.3, 0.9], [1.2, 1.6]])
    return AudioValue(samples, 16_000, Segments(bounds, np.arange(2)))


class Fake:
    """A recipe of one made-up step."""

    def __init__(self, step: Any) -> None:
        self._step = step

    def apply(self, value: Value, seed: bytes) -> tuple[Value, tuple[()]]:
        return self._step(value), ()


def fake(step: Any) -> Recipe:
    return cast(Recipe, Fake(step))


def forgets_labels(value: ImageValue) -> ImageValue:
    """Moves pixels and nothing else."""
    return ImageValue(np.roll(value.pixels, 90, axis=1), value.boxes, value.keypoints, value.masks)


@pytest.mark.parametrize("kind", ["boxes", "keypoints", "masks"])
def test_a_step_that_moves_pixels_and_forgets_labels_is_caught(kind: str) -> None:
    whole = picture()
    value = ImageValue(whole.pixels, **{kind: getattr(whole, kind)})
    assert all(disagrees(fake(forgets_labels), value, forgets_labels(value), seed) for seed in SEEDS)


@pytest.mark.parametrize("kind", ["classes", "instances"])
def test_pixels_that_take_the_place_of_another_mask_are_caught(kind: str) -> None:
    halves = np.zeros((2, 240, 320), np.uint8)
    halves[0, 60:180, 20:140] = halves[1, 60:180, 180:300] = 1
    masks = halves if kind == "instances" else (halves[:1] + 2 * halves[1:])
    value = ImageValue(picture().pixels, masks=masks)

    def exchanged(value: ImageValue) -> ImageValue:
        return ImageValue(np.roll(value.pixels, 160, axis=1), masks=value.masks)

    assert all(disagrees(fake(exchanged), value, exchanged(value), seed) for seed in SEEDS)


def test_a_step_that_moves_labels_and_forgets_pixels_is_caught() -> None:
    def forgets_pixels(value: ImageValue) -> ImageValue:
        boxes = cast(Boxes, value.boxes)
        return ImageValue(value.pixels, Boxes(boxes.corners + np.array([100, 0, 100, 0]), boxes.rows))

    value = ImageValue(picture().pixels, picture().boxes)
    assert all(disagrees(fake(forgets_pixels), value, forgets_pixels(value), seed) for seed in SEEDS)


def test_a_step_that_reverses_a_sound_and_forgets_segments_is_caught() -> None:
    def reversed_sound(value: AudioValue) -> AudioValue:
        return AudioValue(np.ascontiguousarray(value.samples[:, ::-1]), value.sample_rate, value.segments)

    assert all(disagrees(fake(reversed_sound), sound(), reversed_sound(sound()), seed) for seed in SEEDS)


@pytest.mark.parametrize("recipe", ["albumentations.InvertImg", "albumentations.ToGray", "albumentations.Solarize"])
def test_colours_tell_nothing_wrong(recipe: str) -> None:
    steps = build_recipe([recipe], "image")
    assert not any(disagrees(steps, picture(), picture(), seed) for seed in SEEDS)


def moving(library: str, modality: str, kind: str) -> list[str]:
    names = [n for n in registry.all_names(modality) if n.startswith(f"{library}.") and kind in registry.carries(n)]
    return [n for n in names if not registry.find(n)[0].problems(n.partition(".")[2], parameters(n))]


def parameters(name: str) -> dict[str, Any]:
    return {**NEEDED.get(name.partition(".")[2], {}), "p": 1.0}


def test_no_class_of_albumentations_is_suspected_wrongly() -> None:
    names = moving("albumentations", "image", "boxes")
    assert len(names) > 80
    suspected = set()
    for name in names:
        recipe = build_recipe([{name: parameters(name)}], "image")
        with library_warnings.quiet():
            for seed in SEEDS[:2]:
                after, _ = recipe.apply(picture(), seed)
                if disagrees(recipe, picture(), after, seed):
                    suspected.add(name)
    assert suspected <= {"albumentations.RandomGridShuffle"}  # rightly: a box over several cells comes apart


def test_no_class_of_audiomentations_is_suspected_wrongly() -> None:
    names = moving("audiomentations", "audio", "segments")
    assert len(names) > 30
    suspected = set()
    for name in names:
        recipe = build_recipe([{name: parameters(name)}], "audio")
        with library_warnings.quiet():
            for seed in SEEDS[:2]:
                after, _ = recipe.apply(sound(), seed)
                if disagrees(recipe, sound(), after, seed):
                    suspected.add(name)
    assert not suspected


def boxed(corners: list[list[float]], rows: list[int]) -> ImageValue:
    return ImageValue(picture().pixels, Boxes(np.array(corners, np.float64).reshape(-1, 4), np.array(rows)))


TWO = [[60.0, 50, 120, 100], [190, 120, 290, 200]]


def joins(value: ImageValue) -> ImageValue:
    """Gives every box the edges of all of them, as a library did."""
    boxes = cast(Boxes, value.boxes)
    around = np.concatenate([boxes.corners[:, :2].min(axis=0), boxes.corners[:, 2:].max(axis=0)])
    return ImageValue(value.pixels, Boxes(np.tile(around, (len(boxes.rows), 1)), boxes.rows))


def loses(value: ImageValue) -> ImageValue:
    """Forgets all boxes but the first."""
    boxes = cast(Boxes, value.boxes)
    return ImageValue(value.pixels, Boxes(boxes.corners[:1], boxes.rows[:1]))


def widens(value: ImageValue) -> ImageValue:
    """Makes every box as large as the picture."""
    boxes = cast(Boxes, value.boxes)
    return ImageValue(value.pixels, Boxes(np.tile([0.0, 0, 320, 240], (len(boxes.rows), 1)), boxes.rows))


def drops_all(value: ImageValue) -> ImageValue:
    boxes = cast(Boxes, value.boxes)
    return ImageValue(value.pixels, Boxes(boxes.corners[:0], boxes.rows[:0]))


@pytest.mark.parametrize("step", [joins, widens, drops_all])
def test_boxes_that_are_joined_widened_or_lost_are_caught(step: Any) -> None:
    value = boxed(TWO, [0, 1])
    assert all(disagrees(fake(step), value, step(value), seed) for seed in SEEDS)


def test_a_box_that_is_lost_in_company_is_caught_when_it_is_chosen() -> None:
    value = boxed(TWO, [0, 1])
    found = [disagrees(fake(loses), value, loses(value), seed) for seed in SEEDS]
    assert found == [seed[0] % 2 == 1 for seed in SEEDS]


@pytest.mark.parametrize(
    ("step", "params"),
    [
        ("albumentations.Rotate", {"limit": [45, 45], "border_mode": 4, "p": 1}),
        ("albumentations.RandomResizedCrop", {"size": [100, 140], "scale": [0.2, 0.5], "p": 1}),
        ("albumentations.CoarseDropout", {"hole_height_range": [0.4, 0.5], "hole_width_range": [0.4, 0.5], "p": 1}),
        ("albumentations.RandomScale", {"scale_limit": [-0.7, -0.6], "p": 1}),
    ],
)
def test_boxes_that_are_cut_hidden_or_turned_twice_are_not_suspected(step: str, params: dict[str, Any]) -> None:
    recipe = build_recipe([{step: params}, {"albumentations.Rotate": {"limit": [45, 45], "p": 1}}], "image")
    value = boxed(TWO, [0, 1])
    for number in range(12):
        seed = bytes([number]) * 16
        assert not disagrees(recipe, value, cast(ImageValue, recipe.apply(value, seed)[0]), seed)


def test_morphological_carries_no_labels() -> None:
    assert registry.carries("albumentations.Morphological") == frozenset()
