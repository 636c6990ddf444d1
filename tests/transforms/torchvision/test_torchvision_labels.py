"""Labels that follow pictures, against the library called directly on a whole sample."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torchvision import tv_tensors
from torchvision.transforms import v2

from transforms.isolation.torch_random import torch_seed
from transforms.labels.filters import kept_boxes, kept_keypoints
from transforms.recipe import build_recipe, check_steps
from transforms.torchvision import adapter
from transforms.torchvision.classes import NEEDS, PLACE_KEEPERS, POLICIES
from transforms.values import LABEL_KINDS, Boxes, ImageValue, Keypoints

pytestmark = pytest.mark.usefixtures("quiet_process")
SEEDS = [bytes([n, 7 * n + 1]) * 8 for n in range(6)]
CORNERS = np.array([[10.0, 10, 60, 50], [40, 30, 110, 90], [70, 5, 100, 35], [0, 60, 30, 96], [90, 70, 128, 96]])
POINTS = np.array([[20.0, 20.0], [64, 48], [100.5, 30.25], [5, 90]])
DIRECT: list[tuple[str, dict[str, Any]]] = [
    ("RandomHorizontalFlip", {}),
    ("RandomVerticalFlip", {}),
    ("Resize", {"size": [50, 200]}),
    ("CenterCrop", {"size": [60, 70]}),
    ("Pad", {"padding": [3, 5, 7, 9]}),
    ("RandomCrop", {"size": [60, 70], "padding": 6}),
    ("RandomResizedCrop", {"size": [64, 80], "scale": [0.2, 0.8]}),
    ("RandomRotation", {"degrees": 45}),
    ("RandomRotation", {"degrees": 45, "expand": True}),
    ("RandomAffine", {"degrees": 30, "translate": [0.2, 0.2], "scale": [0.7, 1.3], "shear": [-9, 9]}),
    ("RandomPerspective", {"distortion_scale": 0.4}),
    ("ElasticTransform", {"alpha": 80.0}),
    ("RandomZoomOut", {}),
    ("RandomShortestSize", {"min_size": [40, 120]}),
    ("RandomResize", {"min_size": 40, "max_size": 120}),
    ("ScaleJitter", {"target_size": [100, 100]}),
    ("RandomIoUCrop", {}),
]
# Moves labels by whole pixels, against a field that is no exact inverse: compared with the library only.
UNSHARP = {"ElasticTransform"}


def picture(min_visibility: float = 0.0) -> ImageValue:
    pixels = np.random.Generator(np.random.Philox(key=3)).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    masks = np.zeros((2, 96, 128), np.uint8)
    masks[0, 10:50, 10:60] = 1
    masks[1, 30:90, 40:110] = 1
    boxes = Boxes(CORNERS, np.arange(len(CORNERS)) + 10, 20.0, min_visibility)
    return ImageValue(pixels, boxes, Keypoints(POINTS, np.arange(len(POINTS)) + 20), masks)


def direct(name: str, params: dict[str, Any], seed: bytes, clamping: str | None) -> dict[str, Any]:
    """What the library gives without this project, boxes with their numbers beside."""
    cls = vars(v2)[name]
    step = cls(**params, p=1.0) if "p" in cls.__init__.__annotations__ else cls(**params)
    value = picture()
    size = (96, 128)
    sample = {
        "image": tv_tensors.Image(torch.from_numpy(value.pixels).permute(2, 0, 1).contiguous()),
        "boxes": tv_tensors.BoundingBoxes(
            torch.from_numpy(CORNERS.copy()), format="XYXY", canvas_size=size, clamping_mode=clamping
        ),
        "points": tv_tensors.KeyPoints(torch.from_numpy(POINTS.copy()), canvas_size=size),
        "masks": tv_tensors.Mask(torch.from_numpy(value.masks)),
    }
    torch.manual_seed(torch_seed(seed))
    return dict(step(sample))


@pytest.mark.parametrize(("name", "params"), DIRECT)
@pytest.mark.parametrize("min_visibility", [0.0, 0.6])
def test_labels_are_those_of_the_library_called_directly(
    name: str, params: dict[str, Any], min_visibility: float
) -> None:
    step = adapter.build(name, {**params, "p": 1})
    for seed in SEEDS:
        before = picture(min_visibility)
        result, _ = step(before, seed)
        expected = direct(name, params, seed, None)
        assert isinstance(result, ImageValue)
        assert before.boxes is not None
        assert before.keypoints is not None
        assert result.boxes is not None
        assert result.keypoints is not None
        assert np.array_equal(result.pixels, expected["image"].permute(1, 2, 0).numpy())
        shape = result.pixels.shape[:2]
        boxes = kept_boxes(replace(before.boxes, corners=expected["boxes"].numpy()), *shape)
        points = kept_keypoints(replace(before.keypoints, points=expected["points"].numpy()), *shape)
        assert np.array_equal(result.boxes.corners, boxes.corners)
        assert result.boxes.rows.tolist() == boxes.rows.tolist()
        assert np.array_equal(result.keypoints.points, points.points)
        assert result.keypoints.rows.tolist() == points.rows.tolist()
        assert np.array_equal(result.masks, expected["masks"].numpy())  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "params"), DIRECT)
def test_boxes_are_the_librarys_own_clamped_ones(name: str, params: dict[str, Any]) -> None:
    step = adapter.build(name, {**params, "p": 1})
    value = picture()
    assert value.boxes is not None
    for seed in SEEDS:
        result, _ = step(replace(value, boxes=replace(value.boxes, min_area=0.0)), seed)
        expected = direct(name, params, seed, "soft")["boxes"].numpy()
        wanted = (expected[:, 2] - expected[:, 0]) * (expected[:, 3] - expected[:, 1]) > 1e-6
        assert isinstance(result, ImageValue)
        assert result.boxes is not None
        assert np.allclose(result.boxes.corners, expected[wanted], atol=1e-4)
        assert (result.boxes.rows - 10).tolist() == np.flatnonzero(wanted).tolist()


def test_every_class_that_moves_is_compared() -> None:
    moving = set(adapter.names()) - PLACE_KEEPERS - POLICIES
    assert {name for name, _ in DIRECT} | {"SanitizeBoundingBoxes"} == moving


@pytest.mark.parametrize(("name", "params"), [one for one in DIRECT if one[0] not in UNSHARP])
def test_labels_are_where_the_pixels_went(name: str, params: dict[str, Any]) -> None:
    mask = np.zeros((1, 120, 160), np.int32)
    mask[0, 50:80, 60:110] = 70_000
    pixels = np.repeat((mask[0] > 0)[:, :, np.newaxis] * np.uint8(255), 3, axis=2)
    boxes = Boxes(np.array([[60.0, 50, 110, 80]]), np.array([5]))
    value = ImageValue(pixels, boxes, Keypoints(np.array([[84.5, 64.5]]), np.array([7])), mask)
    for seed in SEEDS:
        result, _ = adapter.build(name, {**params, "p": 1})(value, seed)
        assert isinstance(result, ImageValue)
        assert result.boxes is not None
        assert result.keypoints is not None
        assert result.masks is not None
        assert result.masks.dtype == np.int32
        assert set(np.unique(result.masks)) <= {0, 70_000}
        white = result.pixels[:, :, 0] > 127
        ys, xs = np.nonzero(white)
        border = 2 * (np.ptp(xs) + np.ptp(ys) + 2) if len(xs) else 0
        assert ((result.masks[0] > 0) != white).sum() <= border  # the library's nearest pixels begin at corners
        assert len(xs) == 0 or result.boxes.rows.tolist() == [5]
        if len(xs):
            seen = [xs.min(), ys.min(), xs.max() + 1, ys.max() + 1]
            assert result.boxes.corners[0] == pytest.approx(seen, abs=2.1)
        whole = len(xs) and min(xs.min(), ys.min()) > 0 and xs.max() + 1 < white.shape[1] and ys.max() + 1 < len(white)
        if whole and name != "RandomPerspective":
            assert result.keypoints.rows.tolist() == [7]
            assert result.keypoints.points[0] == pytest.approx([xs.mean(), ys.mean()], abs=1.1)


def test_a_crop_for_boxes_drops_those_whose_centre_is_outside_with_their_rows() -> None:
    lost = 0
    for number in range(40):
        seed = bytes([number]) * 16
        result, drawn = adapter.build("RandomIoUCrop", {})(picture(), seed)
        assert isinstance(result, ImageValue)
        assert result.boxes is not None
        assert drawn is not None
        if not drawn:
            assert result.boxes.rows.tolist() == [10, 11, 12, 13, 14]
            continue
        inside = np.flatnonzero(drawn["is_within_crop_area"]) + 10
        assert set(result.boxes.rows.tolist()) <= set(inside.tolist())
        lost += 5 - len(inside)
    assert lost > 20


def test_a_crop_for_boxes_leaves_a_picture_without_boxes_as_it_is() -> None:
    value = replace(picture(), boxes=Boxes(np.zeros((0, 4)), np.zeros(0, np.int64)))
    result, drawn = adapter.build("RandomIoUCrop", {})(value, SEEDS[0])
    assert isinstance(result, ImageValue)
    assert drawn == {}
    assert np.array_equal(result.pixels, value.pixels)


def test_small_boxes_are_sanitized_with_their_rows() -> None:
    corners = np.array([[0.0, 0, 50, 50], [5, 5, 8, 60], [10, 10, 13, 12], [120, 90, 140, 100], [200, 200, 300, 300]])
    value = replace(picture(), boxes=Boxes(corners, np.arange(5) + 3))
    result, drawn = adapter.build("SanitizeBoundingBoxes", {"min_size": 4})(value, SEEDS[0])
    assert isinstance(result, ImageValue)
    assert result.boxes is not None
    assert result.boxes.rows.tolist() == [3, 6]
    assert result.boxes.corners.tolist() == [[0, 0, 50, 50], [120, 90, 128, 96]]
    assert drawn == {"kept": 2}
    assert result.masks is value.masks
    assert np.array_equal(result.pixels, value.pixels)


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_classes_that_look_at_boxes_say_so(name: str) -> None:
    (problem,) = check_steps([f"torchvision.{name}"], "image")
    assert problem.message.startswith(f"torchvision.{name} needs boxes")
    assert check_steps([f"torchvision.{name}"], "image", LABEL_KINDS["image"]) == []
    with pytest.raises(ValueError, match=rf"torchvision\.{name}, 96 x 128 x 3: "):
        adapter.build(name, {})(ImageValue(picture().pixels), SEEDS[0])


def test_labels_that_are_not_bound_stay_away() -> None:
    value = ImageValue(picture().pixels, keypoints=picture().keypoints)
    result, _ = adapter.build("RandomHorizontalFlip", {"p": 1})(value, SEEDS[0])
    assert isinstance(result, ImageValue)
    assert result.boxes is None
    assert result.masks is None
    assert result.keypoints is not None
    assert result.keypoints.points[:, 0].tolist() == pytest.approx((127 - POINTS[:, 0]).tolist())


@pytest.mark.parametrize(("name", "params"), DIRECT)
def test_no_labels_at_all_are_no_trouble(name: str, params: dict[str, Any]) -> None:
    empty = Boxes(np.zeros((0, 4)), np.zeros(0, np.int64))
    points = Keypoints(np.zeros((0, 2)), np.zeros(0, np.int64))
    value = ImageValue(picture().pixels, empty, points, np.zeros((0, 96, 128), np.uint8))
    result, _ = adapter.build(name, {**params, "p": 1})(value, SEEDS[0])
    assert isinstance(result, ImageValue)
    assert result.boxes is not None
    assert result.boxes.corners.shape == (0, 4)
    assert result.keypoints is not None
    assert result.keypoints.points.shape == (0, 2)
    assert result.masks is not None
    assert result.masks.shape == (0, *result.pixels.shape[:2])


@pytest.mark.parametrize("name", sorted(PLACE_KEEPERS))
def test_what_only_changes_colours_leaves_labels_untouched(name: str) -> None:
    needed = {
        "GaussianBlur": {"kernel_size": 3}, "JPEG": {"quality": 20}, "RandomPosterize": {"bits": 3},
        "RandomSolarize": {"threshold": 99}, "RandomAdjustSharpness": {"sharpness_factor": 2},
    }  # fmt: skip
    value = picture()
    result, _ = adapter.build(name, {**needed.get(name, {}), "p": 1})(value, SEEDS[0])
    assert isinstance(result, ImageValue)
    assert result.boxes is value.boxes
    assert result.keypoints is value.keypoints
    assert result.masks is value.masks


@pytest.mark.parametrize("mode", ["edge", "reflect", "symmetric"])
@pytest.mark.parametrize(("name", "size"), [("Pad", {}), ("RandomCrop", {"size": [96, 128]})])
def test_boxes_and_points_follow_every_way_of_padding(name: str, size: dict[str, Any], mode: str) -> None:
    """The library itself moves them through constant margins only."""
    written = {**size, "padding": [8, 4]}
    plain, _ = adapter.build(name, written)(picture(), SEEDS[0])
    result, _ = adapter.build(name, {**written, "padding_mode": mode})(picture(), SEEDS[0])
    assert isinstance(plain, ImageValue)
    assert isinstance(result, ImageValue)
    assert plain.boxes is not None
    assert result.boxes is not None
    assert np.array_equal(result.boxes.corners, plain.boxes.corners)
    assert result.keypoints is not None
    assert plain.keypoints is not None
    assert np.array_equal(result.keypoints.points, plain.keypoints.points)
    assert result.masks is not None
    assert result.masks.shape[1:] == result.pixels.shape[:2]


def test_new_ground_is_class_0_in_masks_unless_the_config_says_another() -> None:
    value = ImageValue(np.full((20, 20, 3), 50, np.uint8), masks=np.full((1, 20, 20), 3, np.uint8))
    for fill, ground in ((200, 0), ([9, 8, 7], 0), ({"Image": [9, 8, 7], "Mask": 255}, 255), ({"Mask": 255}, 255)):
        for name, params in (("Pad", {"padding": 4}), ("RandomRotation", {"degrees": [45, 45]})):
            result, _ = adapter.build(name, {**params, "fill": fill})(value, SEEDS[0])
            assert isinstance(result, ImageValue)
            assert result.masks is not None
            assert set(np.unique(result.masks)) == {3, ground}
            colour = fill.get("Image", 0) if isinstance(fill, dict) else fill
            assert result.pixels[0, 0].tolist() == (colour if isinstance(colour, list) else [colour] * 3)


@pytest.mark.parametrize(("dtype", "highest"), [(np.uint16, 40_000), (np.int32, 70_000), (np.int32, 2**31 - 1)])
@pytest.mark.parametrize(("name", "params"), DIRECT)
def test_masks_of_many_classes_keep_them(name: str, params: dict[str, Any], dtype: type, highest: int) -> None:
    value = replace(picture(), masks=np.full((1, 96, 128), highest, dtype))
    result, _ = adapter.build(name, {**params, "p": 1})(value, SEEDS[1])
    assert isinstance(result, ImageValue)
    assert result.masks is not None
    assert result.masks.dtype == dtype
    assert set(np.unique(result.masks)) <= {0, highest}
    assert result.masks.max() == highest


def test_a_recipe_may_mix_libraries() -> None:
    steps = [
        {"albumentations.RandomResizedCrop": {"size": [80, 100], "scale": [0.5, 0.9], "p": 1}},
        {"torchvision.RandomIoUCrop": {}},
        {"albumentations.HorizontalFlip": {"p": 1}},
        {"torchvision.RandomAffine": {"degrees": 15, "translate": [0.1, 0.1]}},
        {"pillow.Resize": {"size": [64, 64]}},
    ]
    assert check_steps(steps, "image", LABEL_KINDS["image"]) == []
    recipe = build_recipe(steps, "image")
    left = set()
    for number in range(20):
        seed = bytes([number]) * 16
        result, applied = recipe.apply(picture(0.2), seed)
        again, _ = recipe.apply(picture(0.2), seed)
        assert isinstance(result, ImageValue)
        assert isinstance(again, ImageValue)
        assert result.boxes is not None
        assert again.boxes is not None
        assert len(applied) == 5
        assert result.pixels.tobytes() == again.pixels.tobytes()
        assert result.boxes.corners.tobytes() == again.boxes.corners.tobytes()
        assert len(result.boxes.rows) == len(result.boxes.corners)
        assert set(result.boxes.rows.tolist()) <= {10, 11, 12, 13, 14}
        assert result.boxes.rows.tolist() == sorted(result.boxes.rows.tolist())
        assert result.boxes.corners.min(initial=0) >= 0
        assert result.boxes.corners.max(initial=0) <= 64
        left.add(len(result.boxes.rows))
    assert len(left) > 2
