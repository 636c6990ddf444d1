"""Volumes in TIFF files with several pages, by tifffile (BSD); pages that are packed as LZW, JPEG or CCITT by Pillow.

tifffile reads the axes that ImageJ, OME and Micro-Manager write: channels are told from slices. Written are plain
pages without compression, dates and names of software: any reader takes them, and Parquet packs them.
"""

import io
import logging
import struct
import zlib
from functools import cache
from typing import Any, Final

import numpy as np
from PIL import Image, ImageSequence

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.image.integrity import check_whole
from pipeline.modalities.codecs.image.pillow_formats import PLUGINS
from pipeline.modalities.codecs.quiet import quiet
from pipeline.modalities.codecs.volume.voxels import Stored, Voxels, check_dtype, check_shape

MAGIC: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_OWN: Final = (1, 8, 32_773, 32_946)
"""Compressions that tifffile unpacks itself: none, deflate, PackBits."""
_PREDICTORS: Final = (1, 2)
_RGB: Final = (3, 4)


def read_tiff(data: bytes, max_voxels: int) -> tuple[Voxels, Stored]:
    """The array and how it is stored. Raises `CodecError`: corrupt, truncated, unsupported_format, too_many_voxels."""
    tifffile = library()
    check_whole(data, "tiff")
    try:
        with tifffile.TiffFile(io.BytesIO(data), _multifile=False) as file:
            array, axes = _read(file, data, max_voxels)
    except CodecError:
        raise
    except (EOFError, struct.error) as error:
        raise CodecError("truncated", "the TIFF file ends too early") from error
    except (
        tifffile.TiffFileError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RuntimeError,
        MemoryError, OSError, SyntaxError, AssertionError, zlib.error, Image.DecompressionBombError,
    ) as error:  # fmt: skip
        raise CodecError("corrupt", "the TIFF file cannot be decoded") from error
    return _ordered(array, axes)


def write_tiff(array: Voxels) -> bytes:
    """One page per slice. Raises `CodecError` cannot_encode."""
    tifffile = library()
    if array.dtype == np.bool_:
        array = array.astype(np.uint8)
    array = array[..., 0] if array.ndim == 4 and array.shape[3] == 1 else array
    colours = array.ndim == 4 and array.shape[3] in _RGB and array.dtype in (np.uint8, np.uint16)
    file = io.BytesIO()
    try:
        tifffile.imwrite(
            file, array, byteorder="<", metadata=None, software=False, photometric="rgb" if colours else "minisblack",
            planarconfig="contig" if array.ndim == 4 else None,
        )  # fmt: skip
    except (ValueError, TypeError) as error:
        raise CodecError("cannot_encode", "TIFF cannot hold such a volume; choose npy") from error
    return file.getvalue()


def pages(data: bytes) -> int:
    """How many pages a TIFF has, without decoding any; 0 if that cannot be told."""
    try:
        with PLUGINS["tiff"](io.BytesIO(data)) as picture:
            return int(getattr(picture, "n_frames", 1))
    except (OSError, SyntaxError, ValueError, struct.error, Image.DecompressionBombError):
        return 0


@cache
def library() -> Any:
    """Give tifffile, silent. Raises `CodecError` with the install line."""
    try:
        import tifffile
    except ImportError as error:
        message = "TIFF volumes need tifffile: pip install 'fanbeam[volumes]'"
        raise CodecError("unsupported_format", message) from error
    logging.getLogger("tifffile").setLevel(logging.CRITICAL + 1)
    return tifffile


def _read(file: Any, data: bytes, max_voxels: int) -> tuple[Voxels, str]:
    if not file.series:
        raise CodecError("corrupt", "the TIFF file has no pages")
    if len(file.series) > 1:
        raise CodecError("unsupported_format", "the pages of the TIFF differ in size or kind; a volume's are alike")
    series = file.series[0]
    if series.dtype is None:
        raise CodecError("unsupported_format", "the TIFF's pages have samples of different kinds")
    check_dtype(series.dtype)
    check_shape((1, 1, int(np.prod(series.shape, dtype=object))), max_voxels)
    page = series.keyframe
    if page.compression in _OWN and page.predictor in _PREDICTORS:
        return series.asarray(maxworkers=1), series.axes
    with quiet():
        return _by_pillow(data, series), series.axes


def _by_pillow(data: bytes, series: Any) -> Voxels:
    with PLUGINS["tiff"](io.BytesIO(data)) as picture:
        frames = [np.array(frame) for frame in ImageSequence.Iterator(picture)]
    array = np.stack(frames)
    if array.size != int(np.prod(series.shape)) or array.dtype.itemsize != series.dtype.itemsize:
        raise CodecError("unsupported_format", "this kind of packed TIFF is not read; save it without compression")
    return array.reshape(series.shape)


def _ordered(array: Voxels, axes: str) -> tuple[Voxels, Stored]:
    """The array as depth, height, width and perhaps channels, by the letters of its axes."""
    if len(axes) != array.ndim or axes.count("Y") != 1 or axes.count("X") != 1:
        raise CodecError("unsupported_format", f"a TIFF of axes {axes}; a volume has depth, height and width")
    for place in reversed(range(array.ndim)):
        if axes[place] not in "YX" and array.shape[place] == 1:
            array, axes = array[(slice(None),) * place + (0,)], axes[:place] + axes[place + 1 :]
    colours = [place for place, axis in enumerate(axes) if axis in "CS"]
    slices = [place for place, axis in enumerate(axes) if axis not in "YXCS"]
    if len(colours) > 1 or len(slices) > 1:
        raise CodecError(
            "unsupported_format", f"a TIFF of axes {axes}; a volume has one axis of slices and of channels"
        )
    turned = array.transpose(*slices, axes.index("Y"), axes.index("X"), *colours)
    turned = turned if slices else turned[np.newaxis]
    return turned, Stored("tiff", turned.dtype.newbyteorder("=").name, bool(colours))
