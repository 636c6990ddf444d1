"""Masks of volumes in cells: read as class numbers, written in the form they came in."""

import io
from typing import Any

import numpy as np
import pytest
import tifffile

from pipeline.modalities.codecs.volume import nifti
from pipeline.modalities.labels.cells import BadLabels
from pipeline.modalities.labels.formats.volume_masks import read_volume_masks, written_volume_masks

Array = np.ndarray[Any, Any]
SHAPE = (3, 4, 5)


def classes(dtype: str = "uint8") -> Array:
    return np.arange(60).reshape(SHAPE).astype(dtype)


def npy(array: Array) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def tiff(array: Array) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, photometric="minisblack", metadata=None)
    return file.getvalue()


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "int64", "float64"])
@pytest.mark.parametrize("write", [npy, tiff, nifti.write_nifti])
def test_class_numbers_of_any_format_and_dtype(write: Any, dtype: str) -> None:
    data = write(classes(dtype))
    for cell in (data, {"bytes": data, "path": "m"}, [data, data]):
        masks = read_volume_masks(cell, SHAPE)
        assert masks is not None
        assert masks.dtype in (np.uint8, np.uint16)
        assert all(np.array_equal(mask, classes()) for mask in masks)
        again = written_volume_masks(cell, masks, list(range(len(masks))), None)
        assert type(again) is type(cell)
        back = read_volume_masks(again, SHAPE)
        np.testing.assert_array_equal(masks, back)
    single = np.load(
        io.BytesIO(written_volume_masks(npy(classes(dtype)), classes()[None], [0], None)), allow_pickle=False
    )
    assert single.dtype == dtype


def test_null_and_empty_cells() -> None:
    assert read_volume_masks(None, SHAPE) is None
    none = read_volume_masks([], SHAPE)
    assert none is not None
    assert none.shape == (0, *SHAPE)
    assert written_volume_masks([], none, [], None) == []


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (npy(np.zeros((3, 4, 6), np.uint8)), "a mask of 3 x 4 x 6 on a volume of 3 x 4 x 5"),
        (npy(np.zeros((*SHAPE, 2), np.uint8)), "several channels"),
        (npy(np.full(SHAPE, -1)), "no class numbers"),
        (npy(np.full(SHAPE, 0.5)), "no class numbers"),
        (b"garbage", "cannot be decoded"),
        ("text", "a mask is not bytes: str"),
    ],
)
def test_what_is_no_mask(cell: Any, said: str) -> None:
    with pytest.raises(BadLabels, match=said):
        read_volume_masks(cell, SHAPE)
