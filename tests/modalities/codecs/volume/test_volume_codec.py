"""Volumes: TIFF stacks, npy, npz and NIfTI, whole, damaged and hostile."""

import gzip
import io
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.volume import codec as volume
from pipeline.modalities.codecs.volume.codec import FORMATS, VolumeCodec
from pipeline.modalities.codecs.volume.voxels import Stored, stored
from transforms.values import ImageValue, VolumeValue

Array = np.ndarray[Any, Any]
DTYPES = ["uint8", "uint16", "int16", "float32"]
OTHERS = ["bool", "int8", "int32", "uint32", "int64", "float64"]


def array_of(dtype: str = "uint8", shape: tuple[int, ...] = (4, 6, 5)) -> Array:
    rng = np.random.default_rng(7)
    if dtype == "bool":
        return rng.random(shape) > 0.5
    if dtype.startswith("float"):
        return rng.normal(size=shape).astype("float32").astype(dtype)
    low = 0 if dtype.startswith("u") else -100
    return rng.integers(low, 120, shape).astype(dtype)


def npy_of(array: Array, **kwargs: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **kwargs)
    return file.getvalue()


def npz_of(**arrays: Array) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def tiff_of(array: Array, **kwargs: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, array, **{"photometric": "minisblack", **kwargs})
    return file.getvalue()


def nifti_of(array: Array, slope: float | None = None, kind: Any = nibabel.Nifti1Image) -> bytes:
    turned = array.transpose(2, 1, 0, *range(3, array.ndim))
    image = kind(turned, np.eye(4), dtype=turned.dtype)
    if slope:
        image.header.set_slope_inter(slope, -5)
    content: bytes = image.to_bytes()
    return content


def file_of(kind: str, array: Array) -> bytes:
    if kind == "npz":
        return npz_of(scan=array)
    makers = {"npy": npy_of, "tiff": tiff_of, "nii": nifti_of, "nii.gz": lambda a: gzip.compress(nifti_of(a))}
    return makers[kind](array)


def decoded(data: bytes, codec: VolumeCodec | None = None) -> VolumeValue:
    value = (codec or VolumeCodec()).decode(data).value
    assert isinstance(value, VolumeValue)
    return value


def refused(data: Any, codec: VolumeCodec | None = None) -> CodecError:
    with pytest.raises(CodecError) as caught:
        (codec or VolumeCodec()).decode(data)
    assert " at 0x" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_comes_back_as_it_was(kind: str, dtype: str) -> None:
    array = array_of(dtype)
    found = VolumeCodec().decode(file_of(kind, array))
    assert isinstance(found.value, VolumeValue)
    np.testing.assert_array_equal(found.value.voxels[..., 0], array)
    assert found.value.voxels.dtype == dtype
    assert found.value.voxels.flags.writeable
    assert found.value.voxels.flags.c_contiguous
    again = VolumeCodec().decode(VolumeCodec().encode(found.value, found.source_format))
    assert again.source_format == found.source_format
    np.testing.assert_array_equal(decoded(VolumeCodec().encode(found.value, found.source_format)).voxels[..., 0], array)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("kind", FORMATS)
def test_channels_come_back(kind: str, channels: int) -> None:
    value = VolumeValue(array_of("uint8", (3, 6, 5, channels)))
    data = VolumeCodec(kind).encode(value, "npy:uint8:DHWC:")
    np.testing.assert_array_equal(decoded(data).voxels, value.voxels)


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_format_can_be_written(target: str, dtype: str) -> None:
    found = VolumeCodec().decode(npy_of(array_of(dtype)))
    data = VolumeCodec(target).encode(found.value, found.source_format)
    assert volume.sniff_volume(data) == target
    np.testing.assert_array_equal(decoded(data).voxels[..., 0], array_of(dtype))


@pytest.mark.parametrize("dtype", OTHERS)
def test_other_dtypes_are_converted_without_loss_and_written_back(dtype: str) -> None:
    array = array_of(dtype)
    found = VolumeCodec().decode(npy_of(array))
    assert isinstance(found.value, VolumeValue)
    assert found.value.voxels.dtype.name in DTYPES
    np.testing.assert_array_equal(found.value.voxels[..., 0], array)
    back = np.load(io.BytesIO(VolumeCodec().encode(found.value, found.source_format)), allow_pickle=False)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


def test_whole_numbers_beyond_float32_are_refused() -> None:
    error = refused(npy_of(np.full((2, 2, 2), 2**24 + 1, np.int64)))
    assert error.reason == "unsupported_format"
    assert "float32 holds whole numbers up to 16777216 only" in str(error)


def test_steps_that_made_fractions_are_rounded_and_clipped() -> None:
    voxels = np.array([-3.0, 0.4, 0.6, 300.0], np.float32).reshape(1, 1, 4, 1)
    np.testing.assert_array_equal(stored(voxels, Stored("npy", "uint8", False)), [[[0, 0, 1, 255]]])


def test_foreign_byte_orders_and_fortran_order_are_read() -> None:
    array = array_of("uint16")
    np.testing.assert_array_equal(decoded(npy_of(array.astype(">u2"))).voxels[..., 0], array)
    np.testing.assert_array_equal(decoded(npy_of(np.asfortranarray(array))).voxels[..., 0], array)
    np.testing.assert_array_equal(decoded(tiff_of(array, byteorder=">")).voxels[..., 0], array)


@pytest.mark.parametrize("form", [{"imagej": True}, {"ome": True}, {"bigtiff": True}, {"compression": "zlib"}, {}])
def test_flavours_of_tiff_are_read(form: dict[str, Any]) -> None:
    array = array_of("uint16", (4, 8, 9))
    more = {"metadata": {"axes": "ZYX"}} if "imagej" in form or "ome" in form else {}
    np.testing.assert_array_equal(decoded(tiff_of(array, **form, **more)).voxels[..., 0], array)


@pytest.mark.parametrize("form", [{"imagej": True}, {"ome": True}])
def test_channels_of_microscopes_are_no_slices(form: dict[str, Any]) -> None:
    array = array_of("uint16", (4, 2, 8, 9))
    value = decoded(tiff_of(array, **form, metadata={"axes": "ZCYX"}))
    np.testing.assert_array_equal(value.voxels, np.moveaxis(array, 1, -1))


def test_time_and_depth_together_are_refused() -> None:
    error = refused(tiff_of(array_of("uint8", (2, 3, 8, 9)), imagej=True, metadata={"axes": "TZYX"}))
    assert (error.reason, "TZYX" in str(error)) == ("unsupported_format", True)


@pytest.mark.parametrize("mode", ["L", "RGB", "I;16"])
def test_pages_packed_as_lzw_are_read(mode: str) -> None:
    array = array_of("uint16" if mode == "I;16" else "uint8", (3, 6, 5, 3) if mode == "RGB" else (3, 6, 5))
    pages = [Image.fromarray(page) for page in array]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    np.testing.assert_array_equal(decoded(file.getvalue()).voxels.reshape(array.shape), array)


def test_one_page_is_a_volume_of_one_slice() -> None:
    assert decoded(tiff_of(array_of("uint8", (6, 5)))).voxels.shape == (1, 6, 5, 1)


def test_pages_of_different_sizes_are_refused() -> None:
    file = io.BytesIO()
    with tifffile.TiffWriter(file) as writer:
        writer.write(array_of("uint8", (6, 5)), metadata=None, photometric="minisblack")
        writer.write(array_of("uint8", (7, 5)), metadata=None, photometric="minisblack")
    assert refused(file.getvalue()).reason == "unsupported_format"


def test_nifti_axes_scale_and_version() -> None:
    array = array_of("int16", (4, 6, 5))
    assert decoded(nifti_of(array)).voxels.shape == (4, 6, 5, 1)
    scaled = VolumeCodec().decode(nifti_of(array, 0.5))
    assert scaled.source_format.startswith("nii:float32:DHW")
    assert isinstance(scaled.value, VolumeValue)
    np.testing.assert_allclose(scaled.value.voxels[..., 0], array * 0.5 - 5)
    np.testing.assert_array_equal(decoded(nifti_of(array, kind=nibabel.Nifti2Image)).voxels[..., 0], array)


def test_the_window_is_the_own_range_shares_or_what_the_config_says() -> None:
    assert decoded(npy_of(array_of("uint8"))).window == (0.0, 1.0)
    assert decoded(npy_of(np.array([0.25, 0.5], np.float32).reshape(1, 1, 2))).window == (0.0, 1.0)
    assert decoded(npy_of(np.array([-5, 900], np.int16).reshape(1, 1, 2))).window == (-5.0, 900.0)
    assert decoded(npy_of(array_of("int16")), VolumeCodec(window=(-1000.0, 400.0))).window == (-1000.0, 400.0)


def test_the_same_voxels_give_the_same_bytes_in_another_process() -> None:
    program = (
        "import sys, numpy as np\nfrom hashlib import sha256\nfrom pipeline.modalities.codecs.volume.codec import *\n"
        "v = VolumeValue(np.arange(120, dtype='u2').reshape(4, 6, 5, 1))\n"
        "print([sha256(VolumeCodec(f).encode(v, 'npy:uint16:DHW:')).hexdigest() for f in FORMATS])"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "99", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    value = VolumeValue(np.arange(120, dtype="u2").reshape(4, 6, 5, 1))
    here = [sha256(VolumeCodec(f).encode(value, "npy:uint16:DHW:")).hexdigest() for f in FORMATS]
    assert done.stdout.strip() == str(here)


def test_files_hold_no_dates_and_no_software() -> None:
    value = VolumeValue(array_of("uint8", (4, 6, 5, 1)))
    with tifffile.TiffFile(io.BytesIO(VolumeCodec("tiff").encode(value, "npy:uint8:DHW:"))) as file:
        assert {"DateTime", "Software", "ImageDescription"}.isdisjoint({tag.name for tag in file.pages.first.tags})
    packed = VolumeCodec("nii.gz").encode(value, "npy:uint8:DHW:")
    assert packed[4:8] == b"\0\0\0\0"
    with zipfile.ZipFile(io.BytesIO(VolumeCodec("npz").encode(value, "npy:uint8:DHW:"))) as archive:
        assert [(m.filename, m.date_time) for m in archive.infolist()] == [("arr_0.npy", (1980, 1, 1, 0, 0, 0))]


def test_an_npz_keeps_the_name_of_its_array() -> None:
    found = VolumeCodec().decode(npz_of(scan=array_of()))
    assert found.source_format == "npz:uint8:DHW::scan"
    with np.load(io.BytesIO(VolumeCodec().encode(found.value, found.source_format)), allow_pickle=False) as archive:
        assert archive.files == ["scan"]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_cut_fails_cleanly(kind: str) -> None:
    whole = file_of(kind, array_of("uint16"))
    for length in [*range(1, 40), *range(40, len(whole) - 20, 23)]:  # TIFF ends with tags that no voxel needs
        error = refused(whole[:length])
        assert error.reason in ("truncated", "corrupt", "not_a_volume"), (length, error.reason)
    assert refused(whole[: len(whole) // 2]).reason in ("truncated", "corrupt")


@pytest.mark.parametrize("kind", FORMATS)
def test_changed_bytes_give_a_volume_or_a_reason(kind: str) -> None:
    whole = file_of(kind, array_of("uint16"))
    rng = np.random.default_rng(0)
    for place in [*range(min(len(whole), 400)), *rng.integers(0, len(whole), 50).tolist()]:
        damaged = bytearray(whole)
        damaged[place] ^= int(rng.integers(1, 256))
        try:
            decoded(bytes(damaged), VolumeCodec(max_voxels=10_000))
        except CodecError as error:
            assert error.reason


@given(st.binary(max_size=600))
def test_garbage_is_no_volume(data: bytes) -> None:
    for head in (b"", b"\x93NUMPY\1\0", b"II*\0", b"\x1f\x8b\x08", b"PK\3\4"):
        with pytest.raises(CodecError):
            VolumeCodec().decode(head + data)


def test_empty_payloads_and_strangers() -> None:
    assert refused(b"").reason == "empty_payload"
    assert refused("text").reason == "not_a_volume"
    assert refused(b"hello, this is no volume").reason == "not_a_volume"
    assert refused(gzip.compress(b"hello" * 200)).reason == "not_a_volume"
    dicom = refused(bytes(128) + b"DICM" + bytes(20))
    assert (dicom.reason, str(dicom)) == ("unsupported_format", "DICOM is not read; convert it to NIfTI, TIFF or npy")
    assert refused(b"NRRD0004\n").reason == "unsupported_format"


def test_pickles_are_refused_and_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(tmp_path / "sprung"),)

    trap = np.array([[[Trap()]]], dtype=object)
    for data in (npy_of(trap, allow_pickle=True), npz_of(a=trap)):
        assert refused(data).reason == "unsupported_format"
    assert not (tmp_path / "sprung").exists()


def test_an_npz_of_several_arrays_is_refused() -> None:
    error = refused(npz_of(scan=array_of(), mask=array_of()))
    message = "the npz holds 2 arrays (scan, mask); a volume is one: save each in a file of its own"
    assert (error.reason, str(error)) == ("unsupported_format", message)


@pytest.mark.parametrize("shape", [(), (5,), (6, 5), (2, 3, 4, 5, 6)])
def test_arrays_with_too_few_or_too_many_axes_are_refused(shape: tuple[int, ...]) -> None:
    assert refused(npy_of(np.zeros(shape, np.uint8))).reason == "unsupported_format"


def test_no_voxels_and_no_numbers() -> None:
    assert refused(npy_of(np.zeros((0, 4, 4), np.uint8))).reason == "corrupt"
    assert refused(npy_of(np.full((2, 2, 2), np.nan, np.float32))).reason == "non_finite"
    assert refused(npy_of(np.full((2, 2, 2), 1e300))).reason == "non_finite"
    assert refused(npy_of(np.zeros((2, 2, 2), complex))).reason == "unsupported_format"


def test_headers_that_announce_too_much_are_refused_before_anything_is_read() -> None:
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (99999, 99999, 99999), }"
    padded = header + b" " * (117 - len(header)) + b"\n"
    bomb = b"\x93NUMPY\1\0" + struct.pack("<H", len(padded)) + padded
    assert refused(bomb).reason == "too_many_voxels"
    assert (
        refused(npz_of(a=np.zeros((300, 300, 300), np.uint8)), VolumeCodec(max_voxels=1000)).reason == "too_many_voxels"
    )
    nifti = bytearray(nifti_of(np.zeros((4, 4, 4), np.uint8)))
    nifti[40:56] = struct.pack("<8h", 3, 30_000, 30_000, 30_000, 1, 1, 1, 1)
    assert refused(bytes(nifti)).reason == "too_many_voxels"
    assert refused(gzip.compress(bytes(nifti))).reason == "too_many_voxels"
    stack = tiff_of(np.zeros((30, 300, 300), np.uint8), compression="zlib")
    assert refused(stack, VolumeCodec(max_voxels=1000)).reason == "too_many_voxels"


def test_an_npz_whose_directory_announces_less_than_is_packed_is_not_unpacked_whole() -> None:
    lying = bytearray(npz_of(a=np.zeros((64, 1000, 1000), np.uint8)))
    entry = lying.rindex(b"PK\1\2")
    lying[entry + 24 : entry + 28] = struct.pack("<I", 1_000)
    tracemalloc.start()
    try:
        assert refused(bytes(lying), VolumeCodec(max_voxels=100_000)).reason == "corrupt"
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 * 2**20, f"{most} bytes for a file of {len(lying)}"


def test_a_gzip_that_never_ends_is_read_as_far_as_the_header_says() -> None:
    whole = nifti_of(array_of("uint8"))
    assert decoded(gzip.compress(whole + bytes(50_000_000))).voxels.shape == (4, 6, 5, 1)


def test_what_is_no_volume_cannot_be_encoded() -> None:
    wrong = [
        ImageValue(np.zeros((2, 2, 3), np.uint8)),
        VolumeValue(np.zeros((2, 2, 2), np.uint8)),
        VolumeValue(np.zeros((0, 2, 2, 1), np.uint8)),
        VolumeValue(np.zeros((2, 2, 2, 1), np.float64)),
    ]
    for value in wrong:
        with pytest.raises(CodecError) as caught:
            VolumeCodec().encode(value, "npy:uint8:DHW:")
        assert caught.value.reason == "cannot_encode"
    with pytest.raises(CodecError) as caught:
        VolumeCodec().encode(VolumeValue(np.full((1, 1, 1, 1), np.inf, np.float32)), "npy:float32:DHW:")
    assert caught.value.reason == "non_finite"


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="choose one of"):
        VolumeCodec("dicom")
