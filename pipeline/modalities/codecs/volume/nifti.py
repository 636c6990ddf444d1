"""Volumes in NIfTI-1 and NIfTI-2 files, single (`.nii`) and gzipped (`.nii.gz`), by nibabel (MIT).

Files hold x, y, z and perhaps one more axis; steps see z, y, x and that axis as channels. Where in the scanner the
voxels are is the business of `nifti_places`.
Sources: https://nifti.nimh.nih.gov, https://nipy.org/nibabel
"""

import gzip
import io
import logging
import math
import struct
import zlib
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.volume import nifti_affine
from pipeline.modalities.codecs.volume.voxels import Stored, Voxels, check_dtype, check_shape

_HEAD_BYTES = 544
_MOST_OFFSET = 2**24
_LEVEL = 6
_SHORTEST = 348
_SIZES = (b"\x5c\1\0\0", b"\0\0\1\x5c", b"\x1c\2\0\0", b"\0\0\2\x1c")
_STAND_INS = {"bool": "uint8", "float16": "float32"}


def is_nifti(head: bytes) -> bool:
    """Whether the first 348 bytes are those of a NIfTI in one file. `CodecError` unsupported_format for half a pair."""
    if len(head) < _SHORTEST and head[:4] in _SIZES:
        raise CodecError("truncated", "the NIfTI file ends within its header")
    if head[344:348] == b"ni1\0" or head[4:8] == b"ni2\0":
        raise CodecError("unsupported_format", "the header of a NIfTI pair; convert it to one .nii file")
    return head[344:348] == b"n+1\0" or head[4:8] == b"n+2\0"


def read_nifti(data: bytes, max_voxels: int) -> tuple[Voxels, Stored]:
    """The array and how it is stored. Raises `CodecError`: corrupt, truncated, unsupported_format, too_many_voxels."""
    header = _header(data[:_HEAD_BYTES])
    shape, end = _measured(header, max_voxels)
    if len(data) < end:
        raise CodecError("truncated", f"the NIfTI announces {end} bytes and holds {len(data)}")
    array = _voxels(header, data)
    scaled = array.dtype != header.get_data_dtype()
    array = array.reshape(shape, order="F")
    turned = array.transpose(2, 1, 0, *range(3, array.ndim))
    name = "float32" if scaled else array.dtype.newbyteorder("=").name
    return turned, Stored("nii", name, turned.ndim == 4, header=nifti_affine.to_text(header))


def read_gzipped(data: bytes, max_voxels: int) -> tuple[Voxels, Stored]:
    """A gzipped NIfTI; no more is unpacked than its header announces. Raises `CodecError`."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
            head = file.read(_HEAD_BYTES)
            if not is_nifti(head):
                raise CodecError("not_a_volume", "the gzip file holds no NIfTI")
            _, end = _measured(_header(head), max_voxels)
            content = head + file.read(max(0, end - len(head)))
            file.read(1)  # checks the sum at the end
    except EOFError as error:
        raise CodecError("truncated", "the gzip file ends too early") from error
    except (OSError, zlib.error) as error:
        raise CodecError("corrupt", "the gzip file cannot be unpacked") from error
    array, how = read_nifti(content, max_voxels)
    return array, replace(how, kind="nii.gz")


def write_nifti(array: Voxels, header: str = "", origin: nifti_affine.Matrix | None = None) -> bytes:
    """The array as a single NIfTI-1 file that lies where `nifti_places.give_place` says, or nowhere (codes 0)."""
    nibabel = library()
    kind = np.dtype(_STAND_INS.get(array.dtype.name, array.dtype.name))
    turned = array.transpose(2, 1, 0, *range(3, array.ndim)).astype(kind)
    try:
        image = nibabel.Nifti1Image(turned, None, dtype=kind)
        nifti_affine.give_place(image.header, header, origin)
        content: bytes = image.to_bytes()
    except (ValueError, nibabel.spatialimages.HeaderDataError) as error:
        raise CodecError("cannot_encode", "NIfTI cannot hold such a volume; choose npy") from error
    return content


def write_gzipped(array: Voxels, header: str = "", origin: nifti_affine.Matrix | None = None) -> bytes:
    """The same, gzipped without a date and a name."""
    file = io.BytesIO()
    with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as target:
        target.write(write_nifti(array, header, origin))
    return file.getvalue()


@cache
def library() -> Any:
    """Give nibabel, silent. Raises `CodecError` with the install line."""
    try:
        import nibabel
    except ImportError as error:
        raise CodecError("unsupported_format", "NIfTI needs nibabel: pip install 'fanbeam[volumes]'") from error
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL + 1)
    return nibabel


def _header(head: bytes) -> Any:
    nibabel = library()
    kind = nibabel.Nifti2Image if head[4:8] == b"n+2\0" else nibabel.Nifti1Image
    try:
        return kind.header_class.from_fileobj(io.BytesIO(head))
    except (ValueError, TypeError, KeyError, OverflowError, struct.error, nibabel.spatialimages.HeaderDataError,
            nibabel.wrapstruct.WrapStructError) as error:  # fmt: skip
        raise CodecError(
            "truncated" if len(head) < _SHORTEST else "corrupt", "the NIfTI header cannot be read"
        ) from error


def _measured(header: Any, max_voxels: int) -> tuple[tuple[int, ...], int]:
    """The shape as x, y, z and perhaps channels, and where the voxels end. Raises `CodecError`."""
    nibabel = library()
    try:
        dtype, sides = header.get_data_dtype(), tuple(map(int, header.get_data_shape()))
        start = int(header.get_data_offset())
    except (ValueError, OverflowError, KeyError, nibabel.spatialimages.HeaderDataError) as error:
        raise CodecError("corrupt", "the NIfTI header contradicts itself") from error
    more = tuple(side for side in sides[3:] if side != 1)
    if not sides or len(more) > 1 or dtype.names:
        raise CodecError("unsupported_format", f"a NIfTI of {dtype} and shape {sides}; at most one axis beside x, y, z")
    shape = (*sides[:3], *(1,) * (3 - len(sides)), *more)
    check_dtype(dtype)
    check_shape(shape, max_voxels)
    if not 0 <= start <= _MOST_OFFSET:
        raise CodecError("corrupt", f"the NIfTI header says that voxels begin at {start}")
    return shape, start + math.prod(shape) * dtype.itemsize


def _voxels(header: Any, data: bytes) -> Voxels:
    """By the header alone: extensions, which may be damaged, are not read."""
    nibabel = library()
    try:
        return np.asarray(nibabel.arrayproxy.ArrayProxy(io.BytesIO(data), header.copy()))
    except (ValueError, TypeError, KeyError, OverflowError, OSError, struct.error,
            nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError) as error:  # fmt: skip
        raise CodecError("corrupt", "the NIfTI file cannot be decoded") from error
