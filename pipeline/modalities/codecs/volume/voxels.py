"""What all formats of volumes share: how a file holds its voxels, and the dtypes that steps work on.

Steps see uint8, uint16, int16 or float32 (depth, height, width, channels). Other dtypes are converted where that loses
nothing that matters (float64 to float32, whole numbers up to 2**24 to float32) and written back as they were.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from pipeline.modalities.codecs import CodecError

Voxels = np.ndarray[Any, Any]

_SEEN: Final = {"bool": "uint8", "int8": "int16", "float16": "float32", "float64": "float32"}
_AS_THEY_ARE: Final = ("uint8", "uint16", "int16", "float32")
_WIDE: Final = ("int32", "uint32", "int64", "uint64")
_EXACT = 2**24
_MOST_CHANNELS = 512


@dataclass(frozen=True, slots=True)
class Stored:
    """How a file holds a volume: `kind` of file, dtype, whether it has an axis of channels, name of the array.

    `header`: of a NIfTI, its header in Base64.
    """

    kind: str
    dtype: str
    channels: bool
    name: str = ""
    header: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.dtype}:{'DHWC' if self.channels else 'DHW'}:{self.header}:{self.name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` wrote."""
        kind, dtype, axes, header, name = (*text.split(":", 4), "", "", "", "")[:5]
        return cls(kind, dtype or "float32", axes == "DHWC", name, header)


def check_shape(shape: tuple[int, ...], max_voxels: int) -> None:
    """Raise `CodecError` for a header with less than three axes, more than four, none of a side, or too much of it."""
    if len(shape) not in (3, 4):
        message = f"an array of shape {shape}; a volume has the axes depth, height, width and perhaps channels"
        raise CodecError("unsupported_format", message)
    if min(shape) < 1:
        raise CodecError("corrupt", f"the header gives a size of {_times(shape)}")
    voxels = 1
    for side in shape:
        voxels *= int(side)
    if voxels > max_voxels:
        raise CodecError("too_many_voxels", f"{_times(shape)} voxels; at most {max_voxels} are decoded")
    if len(shape) == 4 and shape[3] > _MOST_CHANNELS:
        raise CodecError("unsupported_format", f"{shape[3]} channels; at most {_MOST_CHANNELS} are read")


def check_dtype(kind: np.dtype[Any]) -> None:
    """Raise `CodecError` unsupported_format for objects, structures, complex numbers and the like."""
    if kind.newbyteorder("=").name not in (*_AS_THEY_ARE, *_SEEN, *_WIDE):
        raise CodecError(
            "unsupported_format", f"voxels of type {kind}; convert them to uint8, uint16, int16 or float32"
        )


def seen(array: Voxels) -> Voxels:
    """The array as steps see it: contiguous, four axes, one of four dtypes. `CodecError` non_finite."""
    if array.ndim == 3:
        array = array[..., np.newaxis]
    name = array.dtype.newbyteorder("=").name
    if name in _WIDE:
        low, high = int(array.min()), int(array.max())
        if max(-low, high) > _EXACT:
            message = f"{name} voxels of up to {max(-low, high)}: float32 holds whole numbers up to {_EXACT} only"
            raise CodecError("unsupported_format", message)
    kind = name if name in _AS_THEY_ARE else _SEEN.get(name, "float32")
    with np.errstate(over="ignore"):
        voxels = np.ascontiguousarray(array, dtype=kind)
    if kind == "float32" and not np.isfinite(voxels).all():
        raise CodecError("non_finite", "there are voxels that are not numbers, or infinite")
    return voxels if voxels.flags.writeable and voxels.base is None else voxels.copy()


def stored(voxels: Voxels, how: Stored) -> Voxels:
    """The voxels in the dtype and with the axes of the file; whole numbers are rounded and clipped."""
    kind = np.dtype(how.dtype)
    if voxels.dtype != kind and kind.kind in "iu":
        limits = np.iinfo(how.dtype)
        voxels = np.clip(np.rint(voxels.astype(np.float64)), float(limits.min), float(limits.max))
    array = (voxels != 0) if kind.kind == "b" else voxels.astype(kind)
    return np.ascontiguousarray(array if how.channels or array.shape[3] > 1 else array[..., 0])


def window_of(voxels: Voxels) -> tuple[float, float]:
    """The range that steps see as 0..1: that of the values, unless they are shares already."""
    if voxels.dtype == np.uint8:
        return 0.0, 1.0
    low, high = float(voxels.min()), float(voxels.max())
    return (0.0, 1.0) if voxels.dtype == np.float32 and low >= 0 and high <= 1 else (low, high)


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
