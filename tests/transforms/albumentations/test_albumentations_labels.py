"""Labels that follow pictures, against the library called directly through its own `Compose`."""

from typing import Any

import albumentations
import numpy as np
import pytest

from transforms.albumentations import adapter
from transforms.isolation.philox import generators
from transforms.values import LABEL_KINDS, Boxes, ImageValue, Keypoints

pytestmark = pytest.mark.usefixtures("quiet_process")
SEEDS = [bytes([n, 7 * n + 1]) * 8 for n in range(4)]
CORNERS = np.array([[10.0, 10, 60, 50], [40, 30, 110, 90], [70, 5, 100, 35], [0, 60, 30, 96], [90, 70, 128, 96]])
POINTS = np.array([[20.0, 20.0], [64, 48], [100.5, 30.25], [5, 90]])
DIRECT: list[tuple[str, dict[str, Any]]] = [
    ("HorizontalFlip", {}),
    ("VerticalFlip", {}),
    ("Transpose", {}),
    ("D4", {}),
    ("SquareSymmetry", {}),
    ("RandomRotate90", {}),
    ("Rotate", {"limit": 45}),
    ("SafeRotate", {"limit": 45}),
    ("Affine", {"rotate": (-30, 30), "scale": (0.8, 1.2), "translate_percent": (-0.2, 0.2)}),
    ("ShiftScaleRotate", {}),
    ("Perspective", {}),
    ("RandomResizedCrop", {"size": (64, 80), "scale": (0.3, 0.9)}),
    ("RandomCrop", {"height": 60, "width": 70}),
    ("CenterCrop", {"height": 60, "width": 70}),
    ("Crop", {"x_min": 20, "y_min": 10, "x_max": 90, "y_max": 80}),
    ("CropAndPad", {"percent": (-0.2, 0.2)}),
    ("RandomSizedCrop", {"min_max_height": (40, 80), "size": (64, 64)}),
    ("RandomCropFromBorders", {}),
    ("RandomScale", {}),
    ("Resize", {"height": 50, "width": 200}),
    ("LongestMaxSize", {"max_size": 64}),
    ("SmallestMaxSize", {"max_size": 64}),
    ("PadIfNeeded", {"min_height": 150, "min_width": 160}),
    ("Pad", {"padding": 12}),
    ("GridDistortion", {}),
    ("ElasticTransform", {"alpha": 30}),
    ("OpticalDistortion", {}),
    ("ThinPlateSpline", {}),
    ("CoarseDropout", {"hole_height_range": (0.3, 0.5), "hole_width_range": (0.3, 0.5)}),
    ("XYMasking", {"num_masks_x": 2, "num_masks_y": 1, "mask_x_length": 30, "mask_y_length": 10}),
    ("RandomGridShuffle", {}),
    ("BBoxSafeRandomCrop", {}),
    ("AtLeastOneBBoxRandomCrop", {"height": 60, "width": 60}),
    ("RandomSizedBBoxSafeCrop", {"height": 60, "width": 60}),
    ("CropNonEmptyMaskIfExists", {"height": 50, "width": 50}),
    ("MaskDropout", {}),
    ("TimeReverse", {}),
]


def picture(min_visibility: float = 0.0) -> ImageValue:
    pixels = np.random.Generator(np.random.Philox(key=3)).integers(0, 256, (96, 128, 3), dtype=np.uint8)
    masks = np.zeros((2, 96, 128), np.uint8)
    masks[0, 10:50, 10:60] = 1
    masks[1, 30:90, 40:110] = 1
    boxes = Boxes(CORNERS, np.arange(len(CORNERS)), 20.0, min_visibility)
    return ImageValue(pixels, boxes, Keypoints(POINTS, np.arange(len(POINTS))), masks)


def direct(name: str, params: dict[str, Any], seed: bytes, min_visibility: float) -> dict[str, Any]:
    """What the library gives without this project."""
    step = vars(albumentations)[name](**params, p=1)
    pipe = albumentations.Compose(
        [step],
        bbox_params=albumentations.BboxParams(
            "pascal_voc", label_fields=["rows"], min_area=20.0, min_visibility=min_visibility
        ),
        keypoint_params=albumentations.KeypointParams("xy", label_fields=["point_rows"]),
    )
    step.set_random_state(*generators(seed))
    first, second = picture().masks  # type: ignore[misc]
    return pipe(  # type: ignore[no-any-return]
        image=picture().pixels, bboxes=CORNERS, rows=list(range(len(CORNERS))), keypoints=POINTS,
        point_rows=list(range(len(POINTS))), masks=[first, second], mask=np.maximum(first, 2 * second),
    )  # fmt: skip


@pytest.mark.parametrize(("name", "params"), DIRECT)
@pytest.mark.parametrize("min_visibility", [0.0, 0.6])
def test_labels_are_those_of_the_library_called_directly(
    name: str, params: dict[str, Any], min_visibility: float
) -> None:
    step = adapter.build(name, {**params, "p": 1})
    for seed in SEEDS:
        result, _ = step(picture(min_visibility), seed)
        expected = direct(name, params, seed, min_visibility)
        assert isinstance(result, ImageValue)
        assert result.boxes is not None
        assert result.keypoints is not None
        assert np.array_equal(result.pixels, expected["image"])
        assert np.array_equal(result.boxes.corners, np.asarray(expected["bboxes"], np.float64).reshape(-1, 4))
        assert result.boxes.rows.tolist() == [int(row) for row in expected["rows"]]
        assert np.array_equal(result.keypoints.points, np.asarray(expected["keypoints"], np.float64).reshape(-1, 2))
        assert result.keypoints.rows.tolist() == [int(row) for row in expected["point_rows"]]
        assert np.array_equal(result.masks, np.stack(expected["masks"]))  # type: ignore[arg-type]


def test_labels_that_are_not_bound_stay_away() -> None:
    value = ImageValue(picture().pixels, keypoints=picture().keypoints)
    result, _ = adapter.build("HorizontalFlip", {"p": 1})(value, SEEDS[0])
    assert isinstance(result, ImageValue)
    assert result.boxes is None
    assert result.masks is None
    assert result.keypoints is not None
    assert result.keypoints.points[:, 0].tolist() == pytest.approx((127 - POINTS[:, 0]).tolist())


def test_no_boxes_at_all_are_no_trouble() -> None:
    empty = Boxes(np.zeros((0, 4)), np.zeros(0, np.int64))
    value = ImageValue(
        picture().pixels, empty, Keypoints(np.zeros((0, 2)), np.zeros(0, np.int64)), np.zeros((0, 96, 128), np.uint8)
    )
    for name, params in DIRECT:
        if adapter.needs(name):
            continue
        result, _ = adapter.build(name, {**params, "p": 1})(value, SEEDS[0])
        assert isinstance(result, ImageValue)
        assert result.boxes is not None
        assert len(result.boxes.corners) == len(result.boxes.rows) == 0


def test_what_only_changes_colours_leaves_coordinates_untouched() -> None:
    corners = np.array([[0.1, 0.2, 33.3, 44.4]])
    value = ImageValue(picture().pixels, Boxes(corners, np.arange(1)))
    result, _ = adapter.build("GaussNoise", {"p": 1})(value, SEEDS[0])
    assert isinstance(result, ImageValue)
    assert result.boxes is not None
    assert np.array_equal(result.boxes.corners, corners)


def test_every_class_says_what_it_carries() -> None:
    for name in adapter.names():
        carried = set() if name in ("Mosaic", "Morphological") else set(LABEL_KINDS[adapter.modality(name)])
        assert adapter.carries(name) == carried, name
    assert {name for name in adapter.names() if adapter.needs(name)} == {
        "AtLeastOneBBoxRandomCrop", "BBoxSafeRandomCrop", "ConstrainedCoarseDropout", "CropNonEmptyMaskIfExists",
        "MaskDropout", "RandomCropNearBBox", "RandomSizedBBoxSafeCrop",
    }  # fmt: skip


def test_masks_of_sixteen_bits_follow() -> None:
    value = ImageValue(picture().pixels, masks=np.full((1, 96, 128), 40_000, np.uint16))
    for name in ("HorizontalFlip", "Rotate", "RandomRotate90", "Affine"):
        result, _ = adapter.build(name, {"p": 1})(value, SEEDS[0])
        assert isinstance(result, ImageValue)
        assert result.masks is not None
        assert result.masks.dtype == np.uint16
        assert result.masks.max() == 40_000
