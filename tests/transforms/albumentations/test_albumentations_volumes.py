"""Volumes through albumentations: compared with the library called directly, labels with painted ones."""

from typing import Any

import numpy as np
import pytest

from transforms import registry
from transforms.adapter_checks import trial_value
from transforms.albumentations import adapter
from transforms.albumentations import library as albumentations_library
from transforms.albumentations.volumes import from_shares, to_shares
from transforms.isolation.philox import generators
from transforms.recipe import build_recipe, check_steps
from transforms.values import ImageValue, Keypoints, VolumeValue

pytestmark = pytest.mark.usefixtures("quiet_process")

Array = np.ndarray[Any, Any]
SEEDS = [bytes([n]) * 16 for n in range(1, 7)]
SOLID: dict[str, dict[str, Any]] = {
    "CenterCrop3D": {"size": [6, 8, 9]},
    "CoarseDropout3D": {"num_holes_range": [2, 3], "hole_depth_range": [0.2, 0.5]},
    "CubicSymmetry": {},
    "Pad3D": {"padding": [1, 2, 3]},
    "PadIfNeeded3D": {"min_zyx": [12, 20, 20]},
    "RandomCrop3D": {"size": [6, 8, 9]},
}
KINDS = [np.uint8, np.uint16, np.int16, np.float32]


def voxels_of(kind: Any = np.uint8, channels: int = 1, shape: tuple[int, int, int] = (10, 12, 14)) -> Array:
    rng = np.random.default_rng(3)
    if kind == np.float32:
        return rng.random((*shape, channels), np.float32)
    limits = np.iinfo(kind)
    return rng.integers(limits.min, limits.max, (*shape, channels), endpoint=True).astype(kind)


def volume_of(kind: Any = np.uint8, channels: int = 1) -> VolumeValue:
    voxels = voxels_of(kind, channels)
    window = (0.0, 1.0) if kind in (np.uint8, np.float32) else (float(voxels.min()), float(voxels.max()))
    return VolumeValue(voxels, window)


def applied(name: str, params: dict[str, Any], value: VolumeValue, seed: bytes = SEEDS[0]) -> VolumeValue:
    result, drawn = adapter.build(name, {**params, "p": 1})(value, seed)
    assert drawn is not None
    assert isinstance(result, VolumeValue)
    return result


def directly(name: str, params: dict[str, Any], seed: bytes, **given: Any) -> dict[str, Any]:
    step = getattr(albumentations_library.loaded(), name)(**params, p=1)
    step.set_random_state(*generators(seed))
    found: dict[str, Any] = step(**given)
    return found


def test_every_3d_class_of_the_library_is_listed() -> None:
    found = [n for n in adapter.names() if adapter.modality(n) == "volume"]
    assert found == sorted(SOLID)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SOLID)
def test_3d_classes_give_what_the_library_gives(name: str, kind: Any) -> None:
    value = volume_of(kind, 2)
    mask = (value.voxels[..., 0] > value.voxels.mean()).astype(np.uint8)
    points = Keypoints(np.array([[3.0, 4, 5], [13, 0, 9]]), np.array([4, 7]))
    whole = VolumeValue(value.voxels, value.window, points, mask[np.newaxis])
    library = np.array([[3, 4, 5, 0, 1], [13, 0, 9, 0, 1]], np.float32)
    for seed in SEEDS:
        result = applied(name, SOLID[name], whole, seed)
        expected = directly(name, SOLID[name], seed, volume=value.voxels, mask3d=mask, keypoints=library)
        np.testing.assert_array_equal(result.voxels, expected["volume"])
        assert result.voxels.dtype == kind
        assert result.masks is not None
        np.testing.assert_array_equal(result.masks[0], expected["mask3d"])
        assert result.keypoints is not None
        moved = dict(zip((4, 7), expected["keypoints"][:, :3].tolist(), strict=True))
        for row, point in zip(result.keypoints.rows.tolist(), result.keypoints.points.tolist(), strict=True):
            assert point == moved[row]


@pytest.mark.parametrize("name", ["CubicSymmetry", "Pad3D", "PadIfNeeded3D", "RandomCrop3D", "CenterCrop3D"])
def test_points_and_masks_stay_on_what_they_mark(name: str) -> None:
    seen = set()
    for number in range(120 if name == "CubicSymmetry" else 6):
        voxels = np.zeros((10, 12, 14, 1), np.uint8)
        voxels[5, 4, 6] = 200
        value = VolumeValue(
            voxels, keypoints=Keypoints(np.array([[6.0, 4, 5]]), np.arange(1)), masks=voxels[None, ..., 0]
        )
        result = applied(name, SOLID[name], value, bytes([number]) * 16)
        assert result.masks is not None
        assert result.keypoints is not None
        np.testing.assert_array_equal(result.masks[0], result.voxels[..., 0])
        there = np.argwhere(result.voxels[..., 0] == 200)[:, ::-1].tolist()
        assert result.keypoints.points.tolist() == there
        seen.add(str(there))
    assert name != "CubicSymmetry" or len(seen) > 30


def test_dropout_in_three_dimensions_leaves_masks_alone_unless_told() -> None:
    value = volume_of()
    mask = np.ones((1, *value.voxels.shape[:3]), np.uint8)
    holes = {"num_holes_range": [3, 3], "fill": 7}
    labeled = VolumeValue(value.voxels, masks=mask)
    untouched = applied("CoarseDropout3D", holes, labeled)
    assert untouched.masks is not None
    assert untouched.masks.all()
    filled = applied("CoarseDropout3D", {**holes, "fill_mask": 0}, labeled)
    assert filled.masks is not None
    assert 0 < (filled.masks == 0).sum() < filled.masks.size
    np.testing.assert_array_equal(filled.voxels[filled.masks[0] == 0], 7)


def test_points_in_holes_are_dropped() -> None:
    rows = np.argwhere(np.ones((10, 12, 14)))[:, ::-1].astype(np.float64)
    value = VolumeValue(np.full((10, 12, 14, 1), 50, np.uint8), keypoints=Keypoints(rows, np.arange(len(rows))))
    result = applied("CoarseDropout3D", {"num_holes_range": [2, 2]}, value)
    assert result.keypoints is not None
    assert len(result.keypoints.rows) == (result.voxels > 0).sum() < len(rows)


def test_a_random_place_still_pads_to_the_size_asked_for() -> None:
    value = volume_of()
    places = set()
    for seed in SEEDS:
        result = applied("PadIfNeeded3D", {"min_zyx": [16, 20, 11], "position": "random"}, value, seed)
        assert result.voxels.shape == (16, 20, 14, 1)
        places.add(int(np.argmax((result.voxels > 0).any(axis=(1, 2, 3)))))
    assert len(places) > 1


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
@pytest.mark.parametrize(
    "name", ["HorizontalFlip", "Rotate", "GaussNoise", "RandomBrightnessContrast", "CoarseDropout"]
)
def test_2d_classes_do_the_same_to_every_slice(name: str, kind: Any) -> None:
    value = volume_of(kind)
    same = np.repeat(value.voxels[:1], 4, axis=0)
    result = applied(name, {}, VolumeValue(same))
    np.testing.assert_array_equal(result.voxels, np.repeat(result.voxels[:1], 4, axis=0))
    for seed in SEEDS[:3]:
        expected = directly(name, {}, seed, images=value.voxels)["images"].reshape(*value.voxels.shape)
        np.testing.assert_array_equal(applied(name, {}, value, seed).voxels, expected)


def names_for_slices() -> list[str]:
    return [n for n in adapter.names() if {"image", "volume"} <= adapter.modalities(n)]


@pytest.mark.parametrize("name", names_for_slices())
def test_every_2d_class_works_on_volumes_with_labels(name: str) -> None:
    from samples_albumentations import EXAMPLES  # type: ignore[import-not-found]

    rng = np.random.default_rng(1)
    coarse = rng.integers(0, 256, (2, 8, 10, 3)).repeat(8, axis=1).repeat(8, axis=2)
    voxels = np.clip(coarse + rng.integers(-20, 20, coarse.shape), 0, 255).astype(np.uint8)
    masks = np.zeros((2, 2, 64, 80), np.uint8)
    masks[0, 1, 20:40, 20:40], masks[1, 0, 10:50, 30:60] = 5, 9
    points = Keypoints(np.array([[40.0, 32, 1], [30, 30, 0]]), np.arange(2))
    carried = registry.carries(f"albumentations.{name}")
    value = VolumeValue(
        voxels,
        keypoints=points if "keypoints" in carried else None,
        masks=masks if "masks" in carried else None,
    )
    before = voxels.tobytes() + masks.tobytes()
    result = applied(name, EXAMPLES.get(name, {}), value)
    assert voxels.tobytes() + masks.tobytes() == before
    assert result.voxels.dtype == np.uint8
    assert len(result.voxels) == 2
    if value.masks is not None:
        assert result.masks is not None
        assert result.masks.shape == (2, *result.voxels.shape[:3])
        assert [set(np.unique(mask)) - {0} for mask in result.masks] in ([{5}, {9}], [{5}, set()], [set(), {9}])
    if result.keypoints is not None:
        heights = {0: 1.0, 1: 0.0}
        assert all(
            p[2] == heights[int(row)] for p, row in zip(result.keypoints.points, result.keypoints.rows, strict=True)
        )


@pytest.mark.parametrize("kind", [np.uint16, np.int16])
def test_sixteen_bits_survive_the_way_through_shares(kind: Any) -> None:
    value = volume_of(kind)
    np.testing.assert_array_equal(from_shares(to_shares(value), value), value.voxels)
    flipped = applied("VerticalFlip", {}, value)
    assert flipped.voxels.dtype == kind
    np.testing.assert_array_equal(flipped.voxels, value.voxels[:, ::-1])
    assert applied("RandomBrightnessContrast", {}, value).voxels.dtype == kind


def test_the_window_says_what_brightness_means() -> None:
    voxels = np.linspace(-1000, 400, 10 * 8 * 8).reshape(10, 8, 8, 1).astype(np.int16)
    brighter = {"brightness_limit": [0.1, 0.1], "contrast_limit": [0, 0]}
    result = applied("RandomBrightnessContrast", brighter, VolumeValue(voxels, (-1000.0, 400.0)))
    difference = (result.voxels.astype(int) - voxels)[voxels < 250]
    np.testing.assert_allclose(difference, 140, atol=1)


def test_a_volume_of_one_value_has_a_window_all_the_same() -> None:
    value = VolumeValue(np.full((2, 8, 8, 1), 700, np.uint16), (700.0, 700.0))
    np.testing.assert_array_equal(applied("HorizontalFlip", {}, value).voxels, value.voxels)


def test_classes_that_look_at_labels_of_one_picture_are_refused_for_volumes() -> None:
    (problem,) = check_steps(["albumentations.MaskDropout"], "volume", ("masks",))
    assert problem.message == "albumentations.MaskDropout works on images; this field is volume"
    (problem,) = check_steps(["albumentations.CubicSymmetry"], "image")
    assert problem.message == "albumentations.CubicSymmetry works on volumes; this field is image"
    recipe = build_recipe(["albumentations.MaskDropout"], "image")
    with pytest.raises(TypeError, match=r"albumentations\.MaskDropout works on images, not on VolumeValue"):
        recipe.apply(VolumeValue(np.zeros((2, 8, 8, 1), np.uint8)), bytes(16))
    with pytest.raises(TypeError, match=r"albumentations\.Pad3D works on volumes, not on ImageValue"):
        build_recipe([{"albumentations.Pad3D": {"padding": 1}}], "volume").apply(
            ImageValue(np.zeros((8, 8, 3), np.uint8)), bytes(16)
        )


def test_a_wrong_value_is_refused_and_a_big_crop_is_not() -> None:
    assert check_steps([{"albumentations.Pad3D": {"padding": -1}}], "volume")
    assert check_steps([{"albumentations.RandomCrop3D": {"size": [0, 8, 8]}}], "volume")
    assert check_steps([{"albumentations.CenterCrop3D": {"size": [64, 512, 512]}}], "volume") == []
    assert check_steps(list(map("albumentations.{}".format, ["HorizontalFlip", "D4"])), "volume", ("masks",)) == []


def test_fills_count_in_the_numbers_of_the_file() -> None:
    holes = {"num_holes_range": [1, 1], "fill": -1000}
    assert check_steps([{"albumentations.CoarseDropout3D": holes}], "volume") == []
    assert (applied("CoarseDropout3D", holes, volume_of(np.int16)).voxels == -1000).any()
    with pytest.raises(ValueError, match=r"albumentations\.CoarseDropout3D, .*: Python integer -1000 out of bounds"):
        applied("CoarseDropout3D", holes, volume_of(np.uint8))


def test_a_volume_that_is_too_small_names_the_class() -> None:
    with pytest.raises(ValueError, match=r"albumentations.CenterCrop3D, 10 x 12 x 14 x 1: Crop size"):
        applied("CenterCrop3D", {"size": [20, 8, 8]}, volume_of())
    with pytest.raises(ValueError, match=r"albumentations.ISONoise, 10 x 12 x 14 x 1: .*3-channel"):
        applied("ISONoise", {}, volume_of())


def test_the_plain_volume_of_checks_is_one() -> None:
    value = trial_value("volume")
    assert isinstance(value, VolumeValue)
    assert value.voxels.shape == (32, 64, 64, 1)
