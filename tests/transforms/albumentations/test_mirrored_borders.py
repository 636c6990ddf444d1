"""Where new ground shows the picture again, an object keeps one box, one point and one mask, each on itself."""

from typing import Any

import numpy as np
import pytest

from transforms.recipe import build_recipe
from transforms.values import Boxes, ImageValue, Keypoints, VideoValue

HEIGHT, WIDTH = 100, 160
AREAS = ((6, 8, 46, 40), (120, 60, 156, 96))
REFLECT = 4


def value(instances: bool = True) -> ImageValue:
    pixels = np.full((HEIGHT, WIDTH, 3), 30, np.uint8)
    masks = np.zeros((2, HEIGHT, WIDTH), np.uint8)
    for place, (x1, y1, x2, y2) in enumerate(AREAS):
        pixels[y1:y2, x1:x2] = (255, 0, 0) if place else (0, 255, 0)
        masks[place, y1:y2, x1:x2] = 1
    rows = np.arange(2)
    centres = np.array([[(a + c) / 2, (b + d) / 2] for a, b, c, d in AREAS])
    boxes = Boxes(np.array(AREAS, np.float64), rows)
    if instances:
        return ImageValue(pixels, boxes, Keypoints(centres, rows), masks, mask_rows=rows)
    numbers = (masks * np.array([1, 2], np.uint8)[:, np.newaxis, np.newaxis]).max(axis=0, keepdims=True)
    return ImageValue(pixels, boxes, Keypoints(centres, rows), numbers)


def applied(name: str, params: dict[str, Any], given: Any, seed: int) -> Any:
    modality = "video" if isinstance(given, VideoValue) else "image"
    return build_recipe([{name: params}], modality).apply(given, bytes([seed]) * 16)[0]


STEPS: list[tuple[str, dict[str, Any]]] = [
    ("albumentations.Affine", {"scale": [0.5, 0.6], "rotate": [-15, 15], "border_mode": REFLECT, "p": 1}),
    ("albumentations.PadIfNeeded", {"min_height": 180, "min_width": 240, "border_mode": REFLECT, "p": 1}),
    ("albumentations.Rotate", {"limit": [30, 40], "border_mode": REFLECT, "p": 1}),
    ("albumentations.SafeRotate", {"limit": [30, 40], "border_mode": REFLECT, "p": 1}),
    ("albumentations.ShiftScaleRotate", {"scale_limit": [-0.4, -0.3], "border_mode": REFLECT, "p": 1}),
    ("albumentations.Pad", {"padding": 60, "border_mode": 3, "p": 1}),
    ("torchvision.Pad", {"padding": 60, "padding_mode": "reflect"}),
]


@pytest.mark.filterwarnings("ignore:ShiftScaleRotate is a special case")
@pytest.mark.parametrize(("name", "params"), STEPS)
def test_each_object_is_marked_once(name: str, params: dict[str, Any]) -> None:
    for seed in range(4):
        result = applied(name, params, value(), seed)
        rows = result.boxes.rows.tolist()
        assert len(set(rows)) == len(rows)
        assert len(set(result.keypoints.rows.tolist())) == len(result.keypoints.rows)
        for corners, row in zip(result.boxes.corners, rows, strict=True):
            ys, xs = np.nonzero(result.masks[row])
            assert corners[0] - 2 <= xs.min() <= xs.max() <= corners[2] + 2
            assert corners[1] - 2 <= ys.min() <= ys.max() <= corners[3] + 2
        for (x, y), row in zip(result.keypoints.points, result.keypoints.rows.tolist(), strict=True):
            shown = result.pixels[round(float(y)), round(float(x))]
            assert shown[0 if row else 1] > 200


@pytest.mark.parametrize(("name", "params"), [STEPS[1], STEPS[6]])
def test_class_numbers_cover_what_is_mirrored(name: str, params: dict[str, Any]) -> None:
    result = applied(name, params, value(instances=False), 0)
    red = (result.pixels[..., 0] > 200) & (result.pixels[..., 1] < 100)
    assert red.sum() > 1.2 * 36 * 36  # the border shows a part of it again
    assert np.array_equal(result.masks[0] == 2, red)
    assert len(result.boxes.rows) == 2


def test_boxes_of_clips_are_not_repeated() -> None:
    from fractions import Fraction

    still = value()
    frames = np.stack([still.pixels] * 2)
    boxes = Boxes(np.array([*AREAS, *AREAS], np.float64), np.arange(4), frames=np.array([0, 0, 1, 1]))
    result = applied(*STEPS[1], VideoValue(frames, Fraction(5), boxes=boxes), 0)
    assert result.boxes.rows.tolist() == [0, 1, 2, 3]
    assert result.boxes.frames.tolist() == [0, 0, 1, 1]


def test_empty_borders_are_as_they_were() -> None:
    from albumentations import PadIfNeeded

    result = applied("albumentations.PadIfNeeded", {"min_height": 180, "min_width": 240, "border_mode": 0}, value(), 0)
    direct = PadIfNeeded(180, 240, border_mode=0, p=1)
    assert np.array_equal(result.pixels, direct(image=value().pixels)["image"])
    assert len(result.boxes.rows) == 2
