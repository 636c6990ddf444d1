"""Copies of NIfTI volumes keep their place in the world, whatever moved their voxels; nibabel is the judge."""

import gzip
from typing import Any

import nibabel
import numpy as np
import pytest

from pipeline.modalities.codecs.volume.codec import VolumeCodec
from pipeline.modalities.labels.formats.volume_masks import written_volume_masks
from transforms.recipe import build_recipe
from transforms.values import VolumeValue

Array = np.ndarray[Any, Any]
SEED = bytes(range(16))
SHAPE = (22, 30, 14)  # x, y, z
CENTRE = (6.0, 17.0, 5.0)
ORIENTATIONS = ("RAS", "LAS", "LPS", "ASR", "oblique")
STILL = [{"albumentations.GaussNoise": {"p": 1}}, {"albumentations.RandomBrightnessContrast": {"p": 1}}]
MOVES = [
    {"albumentations.HorizontalFlip": {"p": 1}},
    {"albumentations.VerticalFlip": {"p": 1}},
    {"albumentations.Transpose": {"p": 1}},
    {"albumentations.RandomRotate90": {"p": 1}},
    {"albumentations.D4": {"p": 1}},
    {"albumentations.CubicSymmetry": {"p": 1}},
    {"albumentations.CenterCrop3D": {"size": [12, 26, 18], "p": 1}},
    {"albumentations.RandomCrop3D": {"size": [12, 26, 18], "p": 1}},
    {"albumentations.Pad3D": {"padding": 3, "p": 1}},
    {"albumentations.PadIfNeeded3D": {"min_zyx": [20, 40, 40], "position": "random", "p": 1}},
    {"albumentations.Crop": {"x_min": 1, "y_min": 4, "x_max": 20, "y_max": 29, "p": 1}},
    {"albumentations.Resize": {"height": 45, "width": 44, "p": 1}},
    {"albumentations.RandomScale": {"scale_limit": [0.3, 0.3], "p": 1}},
    {"albumentations.RandomResizedCrop": {"size": [40, 40], "scale": [0.8, 1], "p": 1}},
    {"albumentations.CropAndPad": {"px": 2, "p": 1}},
    {"albumentations.LongestMaxSize": {"max_size": 60, "p": 1}},
    {"albumentations.Affine": {"rotate": [12, 12], "scale": [1.1, 1.1], "translate_px": [1, 2], "p": 1}},
    {"albumentations.Affine": {"shear": {"x": [10, 10], "y": [0, 0]}, "p": 1}},
    {"albumentations.SafeRotate": {"limit": [25, 25], "p": 1}},
    {"albumentations.Affine": {"rotate": [8, 8], "scale": [0.95, 0.95], "border_mode": 4, "p": 1}},
]
BENDS = [
    {"albumentations.ElasticTransform": {"alpha": 20, "p": 1}},
    {"albumentations.GridDistortion": {"p": 1}},
    {"albumentations.RandomGridShuffle": {"p": 1}},
]


def blob() -> Array:
    """A soft ball in an empty block, x y z."""
    x, y, z = np.indices(SHAPE)
    apart = (x - CENTRE[0]) ** 2 + (y - CENTRE[1]) ** 2 + (z - CENTRE[2]) ** 2
    return (1000 * np.exp(-apart / 5)).astype(np.int16)


def matrix_of(axes: str) -> Array:
    """Voxels of 0.8 x 1.2 x 3 mm, their axes along those of the world that the letters name."""
    if axes == "oblique":
        turn = np.eye(4)
        turn[:3, :3] = [[0.936, -0.275, 0.22], [0.29, 0.956, -0.04], [-0.199, 0.101, 0.975]]
        turn[:3, :3] = np.linalg.qr(turn[:3, :3])[0]
        return np.asarray(turn @ matrix_of("RAS"))
    signs = nibabel.orientations.axcodes2ornt(axes)
    matrix = np.zeros((4, 4))
    for axis, (world, sign) in enumerate(signs):
        matrix[int(world), axis] = sign * (0.8, 1.2, 3.0)[axis]
    matrix[:, 3] = (-31.5, 12.25, 60.0, 1.0)
    return matrix


def file_of(array: Array, axes: str = "RAS", codes: tuple[int, int] = (1, 1), kind: Any = nibabel.Nifti1Image) -> bytes:
    """`codes`: of the sform and the qform."""
    image = kind(array, matrix_of(axes), dtype=array.dtype)
    image.set_sform(matrix_of(axes), codes[0])
    image.set_qform(matrix_of(axes), codes[1])
    image.header.set_xyzt_units("mm", "sec")
    image.header["descrip"] = b"Jane Doe 1970"
    content: bytes = image.to_bytes()
    return content


def copy_of(data: bytes, *steps: dict[str, Any], codec: VolumeCodec | None = None) -> Any:
    """What nibabel finds in the copy that a recipe makes of a file."""
    codec = codec or VolumeCodec()
    found = codec.decode(data)
    value, applied = build_recipe(list(steps), "volume").apply(found.value, SEED)
    assert len(applied) == len(steps)
    written = codec.encode(value, found.source_format)
    return nibabel.Nifti1Image.from_bytes(gzip.decompress(written) if written[:2] == b"\x1f\x8b" else written)


def centre(image: Any) -> Array:
    """Where the ball is in the world, in millimetres."""
    values = np.asarray(image.dataobj, np.float64)
    values = np.where(values > 50, values, 0)
    middle = np.array([(values * axis).sum() for axis in np.indices(values.shape)]) / values.sum()
    return np.asarray(nibabel.affines.apply_affine(image.affine, middle))


def true_centre(axes: str) -> Array:
    return np.asarray(nibabel.affines.apply_affine(matrix_of(axes), CENTRE))


def name_of(step: dict[str, Any]) -> str:
    return next(iter(step)).removeprefix("albumentations.")


@pytest.mark.parametrize("codes", [(1, 1), (4, 1), (0, 1), (2, 0), (0, 0)])
@pytest.mark.parametrize("axes", ORIENTATIONS)
def test_steps_that_do_not_move_keep_matrices_codes_spacing_and_units(axes: str, codes: tuple[int, int]) -> None:
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        data = file_of(blob(), axes, codes, kind)
        before = kind.from_bytes(data)
        for step in STILL:
            after = copy_of(data, step)
            np.testing.assert_allclose(after.affine, before.affine, atol=1e-5)
            np.testing.assert_allclose(after.header.get_zooms(), (0.8, 1.2, 3.0), rtol=1e-6)
            np.testing.assert_allclose(after.get_qform(), before.get_qform(), atol=1e-5)
            assert (int(after.header["sform_code"]), int(after.header["qform_code"])) == codes
            assert after.header.get_xyzt_units() == ("mm", "sec")


@pytest.mark.parametrize("axes", ORIENTATIONS)
@pytest.mark.parametrize("step", MOVES, ids=name_of)
def test_what_moves_keeps_its_place_in_the_world(step: dict[str, Any], axes: str) -> None:
    image = copy_of(file_of(blob(), axes), step)
    np.testing.assert_allclose(centre(image), true_centre(axes), atol=0.06)
    spacing = np.linalg.norm(image.affine[:3, :3], axis=0)
    np.testing.assert_allclose(image.header.get_zooms(), spacing, rtol=1e-5)
    np.testing.assert_allclose(image.get_sform(), image.affine)
    if int(image.header["qform_code"]):
        np.testing.assert_allclose(image.get_qform(), image.affine, atol=2e-3)


@pytest.mark.parametrize("axes", ORIENTATIONS)
@pytest.mark.parametrize("codes", [(4, 1), (0, 1), (2, 0)])
def test_several_moves_add_up_under_either_matrix(axes: str, codes: tuple[int, int]) -> None:
    steps = [MOVES[0], MOVES[6], MOVES[3], MOVES[11]]
    image = copy_of(file_of(blob(), axes, codes), *steps)
    np.testing.assert_allclose(centre(image), true_centre(axes), atol=0.15)
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == codes


def test_left_stays_left() -> None:
    """Read along the axes of the patient, a mirrored copy is the original again."""
    for axes in ("RAS", "LAS"):
        for moves in ([MOVES[0]], [MOVES[3]], [MOVES[5]]):
            image = nibabel.as_closest_canonical(copy_of(file_of(blob(), axes), *moves))
            original = nibabel.as_closest_canonical(nibabel.Nifti1Image.from_bytes(file_of(blob(), axes)))
            np.testing.assert_array_equal(np.asarray(image.dataobj), np.asarray(original.dataobj))
            np.testing.assert_allclose(image.affine, original.affine, atol=1e-4)


def test_a_file_that_does_not_say_where_left_is_says_so_still_unless_it_was_turned() -> None:
    data = file_of(blob(), "RAS", (0, 0))
    assumed = nibabel.Nifti1Image.from_bytes(data)
    cut = copy_of(data, MOVES[6])
    assert int(cut.header["sform_code"]) == int(cut.header["qform_code"]) == 0
    np.testing.assert_allclose(cut.header.get_zooms(), (0.8, 1.2, 3.0), rtol=1e-6)
    scaled = copy_of(data, MOVES[11])
    np.testing.assert_allclose(scaled.header.get_zooms(), (0.4, 0.8, 3.0), rtol=1e-6)
    turned = copy_of(data, MOVES[0])
    np.testing.assert_allclose(centre(turned), centre(assumed), atol=0.06)


def test_a_shear_that_a_qform_cannot_say_stands_in_the_sform() -> None:
    image = copy_of(file_of(blob(), "RAS", (0, 1)), MOVES[16])
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (1, 0)
    np.testing.assert_allclose(centre(image), true_centre("RAS"), atol=0.06)


@pytest.mark.parametrize("step", BENDS, ids=name_of)
def test_what_bends_leaves_the_grid_where_it_was(step: dict[str, Any]) -> None:
    image = copy_of(file_of(blob(), "LPS"), step)
    np.testing.assert_allclose(image.affine, matrix_of("LPS"), rtol=1e-6)


def test_gzip_four_axes_and_a_converted_format_keep_the_place() -> None:
    array = np.stack([blob(), blob() // 2], axis=-1)
    image = nibabel.Nifti1Image(array, matrix_of("LAS"), dtype=array.dtype)
    image.header.set_zooms((0.8, 1.2, 3.0, 2.5))
    data = gzip.compress(image.to_bytes())
    for codec in (VolumeCodec(), VolumeCodec("nii")):
        for steps in ([STILL[1]], [MOVES[0], MOVES[6]]):
            copy = copy_of(data, *steps, codec=codec)
            np.testing.assert_allclose(copy.header.get_zooms(), (0.8, 1.2, 3.0, 2.5), rtol=1e-6)
            assert nibabel.aff2axcodes(copy.affine)[0] == ("R" if len(steps) == 2 else "L")


def test_masks_lie_where_their_volume_lies() -> None:
    mask = (blob() > 300).astype(np.uint8)
    found = VolumeCodec().decode(file_of(blob(), "LPS"))
    assert isinstance(found.value, VolumeValue)
    turned = mask.transpose(2, 1, 0)[np.newaxis]
    value = VolumeValue(found.value.voxels, found.value.window, masks=turned, origin=found.value.origin)
    moved, _ = build_recipe([MOVES[0], MOVES[6], MOVES[3]], "volume").apply(value, SEED)
    assert isinstance(moved, VolumeValue)
    assert moved.masks is not None
    (cell,) = written_volume_masks([file_of(mask, "LPS")], moved.masks, [0], moved.origin)
    written = nibabel.Nifti1Image.from_bytes(cell)
    image = nibabel.Nifti1Image.from_bytes(VolumeCodec().encode(moved, found.source_format))
    np.testing.assert_array_equal(written.affine, image.affine)
    ones = np.argwhere(np.asarray(written.dataobj))
    middle = nibabel.affines.apply_affine(written.affine, ones.mean(axis=0))
    np.testing.assert_allclose(middle, true_centre("LPS"), atol=0.06)


def test_descriptions_that_may_name_patients_are_not_carried() -> None:
    for step in (STILL[1], MOVES[0]):
        assert b"Jane" not in copy_of(file_of(blob()), step).to_bytes()


def test_damaged_matrices_are_no_reason_to_fail() -> None:
    for field, damage in (("srow_x", np.nan), ("quatern_b", 3.0), ("srow_y", np.inf)):
        image = nibabel.Nifti1Image.from_bytes(file_of(blob()))
        image.header[field] = damage
        copy = copy_of(image.to_bytes(), MOVES[0], MOVES[6])
        assert np.isfinite(copy.affine).all()


def test_values_without_an_origin_do_not_say_where_they_are() -> None:
    found = VolumeCodec().decode(file_of(blob()))
    assert isinstance(found.value, VolumeValue)
    image = nibabel.Nifti1Image.from_bytes(VolumeCodec().encode(VolumeValue(found.value.voxels), found.source_format))
    assert int(image.header["sform_code"]) == int(image.header["qform_code"]) == 0
