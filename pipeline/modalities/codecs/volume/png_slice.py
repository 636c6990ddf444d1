"""PNG files as volumes of one slice, which keep all their levels: scans and depth maps of 16 bit, by OpenCV (Apache).

Grey and RGB of 8 or 16 bit; palettes and transparency are pictures' affairs. Nothing is scaled, and neither gamma nor
profiles are applied. Source: PNG (ISO/IEC 15948).
"""

import io
import struct
from typing import Final

import cv2
import numpy as np

from pipeline.modalities.codecs import CodecError, stable_message
from pipeline.modalities.codecs.image.integrity import check_whole
from pipeline.modalities.codecs.image.pillow_formats import DECODER_ERRORS, PLUGINS
from pipeline.modalities.codecs.image.png_metadata import content_of, without_metadata
from pipeline.modalities.codecs.image.png_writer import encoded
from pipeline.modalities.codecs.memory import refuse_want
from pipeline.modalities.codecs.quiet import quiet
from pipeline.modalities.codecs.volume.voxels import Stored, Voxels, check_shape

MAGIC: Final = b"\x89PNG\r\n\x1a\n"
_CHANNELS: Final = {0: (), 2: (3,)}  # by the colour type of the header
_PARAMETERS: Final = (cv2.IMWRITE_PNG_COMPRESSION, 6, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH)
_OTHERS: Final = "only grey and RGB of 8 and 16 bit are read as a volume; read it as type: image"


def read_png(data: bytes, max_voxels: int) -> tuple[Voxels, Stored]:
    """The array, (1, height, width) or (1, height, width, 3), uint8 or uint16, and how it is stored.

    Raises `CodecError`: truncated, corrupt, unsupported_format, too_many_voxels.
    """
    check_whole(data, "png")
    try:
        width, height, bits, colours = struct.unpack_from(">IIBB", data, 16)
    except struct.error as error:
        raise CodecError("truncated", "the PNG file ends too early") from error
    channels = _CHANNELS.get(colours)
    if channels is None or bits not in (8, 16) or content_of(data, b"tRNS"):
        raise CodecError("unsupported_format", f"a PNG of {bits} bit and colour type {colours}: {_OTHERS}")
    check_shape((1, height, width, *channels), max_voxels)
    with quiet():
        _check_pixels(data)
        levels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    kind = np.dtype(f"uint{bits}")
    if levels is None or levels.dtype != kind or levels.shape != (height, width, *channels):
        refuse_want()
        raise CodecError("corrupt", "the PNG file cannot be decoded")
    return (levels[..., ::-1] if channels else levels)[np.newaxis], Stored("png", kind.name, bool(channels))


def write_png(array: Voxels) -> bytes:
    """Of one slice, grey or RGB, uint8 or uint16. Raises `CodecError` cannot_encode."""
    levels = array[0, ..., 0] if array.ndim == 4 and array.shape[3] == 1 else array[0]
    if len(array) != 1 or array.dtype not in (np.uint8, np.uint16) or levels.shape[2:] not in ((), (3,)):
        found = f"{array.dtype} {array.shape}"
        raise CodecError("cannot_encode", f"PNG holds one slice, grey or RGB, of uint8 or uint16, not {found}")
    return encoded(np.ascontiguousarray(levels[..., ::-1] if levels.ndim == 3 else levels), _PARAMETERS)


def _check_pixels(data: bytes) -> None:
    """Read the file to its end: OpenCV gives what there is of a file whose pixels end too early."""
    try:
        with PLUGINS["png"](io.BytesIO(without_metadata(data))) as picture:
            picture.load()
    except DECODER_ERRORS as error:
        refuse_want(error)
        reason = "truncated" if "truncated" in str(error).lower() else "corrupt"
        raise CodecError(reason, f"the PNG file cannot be decoded: {stable_message(error)}") from error
