"""Volumes: multi-page TIFF, npy, npz, NIfTI, PNG of one slice to (depth, height, width, channels), and back to any."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from pipeline.modalities.codecs import CodecError, Decoded, Payload, as_bytes
from pipeline.modalities.codecs.volume import nifti, numpy_files, png_slice, tiff
from pipeline.modalities.codecs.volume.nifti_affine import Matrix
from pipeline.modalities.codecs.volume.voxels import Stored, Voxels, seen, stored, window_of
from transforms.values import Value, VolumeValue

FORMATS: Final = ("nii", "nii.gz", "npy", "npz", "tiff")
MAX_VOXELS: Final = 2**27

_READERS: Final[dict[str, Callable[[bytes, int], tuple[Voxels, Stored]]]] = {
    "nii": nifti.read_nifti,
    "nii.gz": nifti.read_gzipped,
    "npy": numpy_files.read_npy,
    "npz": numpy_files.read_npz,
    "png": png_slice.read_png,
    "tiff": tiff.read_tiff,
}
_WRITERS: Final[dict[str, Callable[[Voxels], bytes]]] = {
    "npy": numpy_files.write_npy,
    "png": png_slice.write_png,
    "tiff": tiff.write_tiff,
}
_PLACED: Final[dict[str, Callable[[Voxels, str, Matrix | None], bytes]]] = {
    "nii": nifti.write_nifti,
    "nii.gz": nifti.write_gzipped,
}
"""Formats that say where the voxels lie."""
_MAGIC: Final = (
    (b"\x93NUMPY", "npy"),
    (b"PK\3\4", "npz"),
    (b"PK\5\6", "npz"),
    (b"\x1f\x8b", "nii.gz"),
    (png_slice.MAGIC, "png"),
    *((magic, "tiff") for magic in tiff.MAGIC),
)
_STRANGERS: Final = ((b"NRRD", "NRRD"), (b"\x89HDF", "HDF5"), (b"ObjectType", "MetaImage"), (b"CDF", "NetCDF"))
_KINDS: Final = ("uint8", "uint16", "int16", "float32")


def sniff_volume(data: bytes) -> str:
    """Name the format by the first bytes; `CodecError` not_a_volume, or unsupported_format for a known other one."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if nifti.is_nifti(data[:348]):
        return "nii"
    stranger = next((name for magic, name in _STRANGERS if data.startswith(magic)), "")
    stranger = "DICOM" if data[128:132] == b"DICM" else stranger
    if stranger:
        raise CodecError("unsupported_format", f"{stranger} is not read; convert it to NIfTI, TIFF or npy")
    raise CodecError("not_a_volume", "the first bytes are not those of a TIFF, PNG, npy, npz or NIfTI file")


def read_volume(data: bytes, max_voxels: int = MAX_VOXELS) -> tuple[Voxels, Stored]:
    """The voxels as steps see them, and how the file holds them. Raises `CodecError`."""
    array, how = _READERS[sniff_volume(data)](data, max_voxels)
    return seen(array), how


def write_volume(voxels: Voxels, how: Stored, origin: Matrix | None = None) -> bytes:
    """A file of the kind that `how` says; the same voxels give the same bytes. Raises `CodecError` cannot_encode.

    `origin`: as in `VolumeValue`, for formats that say where the voxels lie.
    """
    array = stored(voxels, how)
    if how.kind in _PLACED:
        return _PLACED[how.kind](array, how.header, origin)
    return numpy_files.write_npz(array, how.name) if how.kind == "npz" else _WRITERS[how.kind](array)


@dataclass(frozen=True, slots=True)
class VolumeCodec:
    """Settings of a volume field.

    `format`: `nii`, `nii.gz`, `npy`, `npz`, `tiff`, or None to keep the file's own. `window`: the values that steps see
    as 0..1, where voxels are not uint8; None takes the volume's own range. `max_voxels`: what a header may announce,
    all channels together (the default takes 512 MiB as float32).
    """

    format: str | None = None
    window: tuple[float, float] | None = None
    max_voxels: int = MAX_VOXELS

    def __post_init__(self) -> None:
        if self.format is not None and self.format not in FORMATS:
            raise ValueError(f"format {self.format!r}: choose one of {', '.join(FORMATS)}")

    def decode(self, payload: Payload) -> Decoded:
        """Decode to a `VolumeValue` with a writable, contiguous array of one of its dtypes.

        Raises `CodecError`: empty_payload, not_a_volume, unsupported_format, too_many_voxels (from the header, before
        any voxel is decoded), non_finite, truncated, corrupt.
        """
        voxels, how = read_volume(as_bytes(payload, "not_a_volume"), self.max_voxels)
        return Decoded(VolumeValue(voxels, self.window or window_of(voxels), origin=np.eye(4)), str(how))

    def encode(self, value: Value, source_format: str) -> bytes:
        """Encode a `VolumeValue` with the dtype of its file. Raises `CodecError`: non_finite, cannot_encode."""
        voxels = _encodable(value)
        how = Stored.parse(source_format)
        origin = value.origin if isinstance(value, VolumeValue) else None
        return write_volume(voxels, replace(how, kind=self.format or how.kind), origin)


def _encodable(value: Value) -> np.ndarray[Any, Any]:
    """Check what a step returned."""
    if not isinstance(value, VolumeValue):
        raise CodecError("cannot_encode", f"expected a volume, found {type(value).__name__}")
    voxels = value.voxels
    if voxels.dtype.name not in _KINDS or voxels.ndim != 4 or voxels.size == 0:
        found = f"{voxels.dtype} {voxels.shape}"
        raise CodecError("cannot_encode", f"expected (depth, height, width, channels), none of them 0, found {found}")
    if voxels.dtype == np.float32 and not np.isfinite(voxels).all():
        raise CodecError("non_finite", "there are voxels that are not numbers, or infinite")
    return voxels
