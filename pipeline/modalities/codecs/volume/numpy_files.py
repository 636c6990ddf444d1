"""Volumes in NumPy's files: `.npy`, and `.npz` with one array. Nothing is ever unpickled.

Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import io
import math
import tokenize
import zipfile
import zlib
from typing import Final

import numpy as np
from numpy.lib import format as npy

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.volume.voxels import Stored, Voxels, check_dtype, check_shape

_HEADERS: Final = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}
_MOST_HEADER_BYTES = 65_536
_ITEM_BYTES = 8
_PART_BYTES = 1 << 20
_ZIPPED: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_LEVEL = 6


def read_npy(data: bytes, max_voxels: int, kind: str = "npy", name: str = "") -> tuple[Voxels, Stored]:
    """The array and how it is stored. Raises `CodecError`: corrupt, truncated, unsupported_format, too_many_voxels."""
    file = io.BytesIO(data)
    try:
        version = npy.read_magic(file)
        read_header = _HEADERS.get(version)
        if read_header is None:
            raise CodecError("unsupported_format", f"npy version {version[0]}.{version[1]} is not read; save it again")
        shape, fortran, dtype = read_header(file)
    except (ValueError, SyntaxError, TypeError, EOFError, RecursionError, MemoryError, tokenize.TokenError) as error:
        if isinstance(error, CodecError):
            raise
        cause = None if isinstance(error, MemoryError) else error  # so Python calls what is nested too deep
        raise CodecError("corrupt", "the npy file's header cannot be read") from cause
    check_dtype(dtype)
    check_shape(shape, max_voxels)
    here, needed = len(data) - file.tell(), math.prod(shape) * dtype.itemsize
    if here < needed:
        raise CodecError("truncated", f"the npy file announces {needed} bytes of voxels and holds {here}")
    flat = np.frombuffer(data, dtype, math.prod(shape), file.tell())
    return flat.reshape(shape, order="F" if fortran else "C"), _stored(kind, flat, shape, name)


def write_npy(array: Voxels) -> bytes:
    """The array as npy version 1.0, little-endian, rows first."""
    file = io.BytesIO()
    npy.write_array(file, np.ascontiguousarray(array, array.dtype.newbyteorder("<")), (1, 0), allow_pickle=False)
    return file.getvalue()


def read_npz(data: bytes, max_voxels: int) -> tuple[Voxels, Stored]:
    """The only array of an npz. Raises `CodecError` as `read_npy`."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            member = _only_member(archive)
            most = max_voxels * _ITEM_BYTES + _MOST_HEADER_BYTES
            if member.file_size > most:
                message = f"the npz announces {member.file_size} bytes; at most {max_voxels} voxels are decoded"
                raise CodecError("too_many_voxels", message)
            content = _unpacked(archive, member)
    except (EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        if isinstance(error, CodecError):
            raise
        whole = data.startswith(b"PK") and b"PK\5\6" in data[-65_557:]
        raise CodecError("corrupt" if whole else "truncated", "the npz file cannot be unpacked") from error
    return read_npy(content, max_voxels, "npz", member.filename.removesuffix(".npy"))


def write_npz(array: Voxels, name: str) -> bytes:
    """An npz with one array; without dates, so that the same array gives the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        member = zipfile.ZipInfo(f"{name or 'arr_0'}.npy", _EPOCH)
        member.create_system, member.external_attr = 3, 0o644 << 16
        archive.writestr(member, write_npy(array), zipfile.ZIP_DEFLATED, _LEVEL)
    return file.getvalue()


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = archive.infolist()
    if len(members) != 1:
        listed = ", ".join(m.filename.removesuffix(".npy") for m in members[:5])
        message = f"the npz holds {len(members)} arrays ({listed}); a volume is one: save each in a file of its own"
        raise CodecError("unsupported_format", message)
    if members[0].flag_bits & 1 or members[0].compress_type not in _ZIPPED:
        raise CodecError("unsupported_format", "the npz is encrypted or packed in a way that numpy does not write")
    return members[0]


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """As many bytes as the directory announces, a piece at a time: asked for all, zipfile unpacks whatever comes."""
    parts, left = [], member.file_size
    with archive.open(member) as file:
        while left > 0 and (part := file.read(min(left, _PART_BYTES))):
            parts.append(part)
            left -= len(part)
    return b"".join(parts)


def _stored(kind: str, array: Voxels, shape: tuple[int, ...], name: str) -> Stored:
    return Stored(kind, array.dtype.newbyteorder("=").name, len(shape) == 4, name)
