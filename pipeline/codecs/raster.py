"""PNG, WebP, BMP, TIFF, GIF and unusual JPEG by Pillow, with OpenCV for 16 bit per channel.

Of an animation or a multi-page file the first frame is taken. Colour profiles (ICC) are ignored.
"""

import io
import struct
import warnings
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin
from PIL.ImageFile import ImageFile

from pipeline.codecs import CodecError, stable_message
from pipeline.codecs.integrity import check_size, check_webp, check_whole
from pipeline.codecs.orientation import of_exif, of_jpeg, upright
from pipeline.codecs.pillow_formats import DECODER_ERRORS, PLUGINS
from pipeline.codecs.pixels import Pixels, scale_down

_CUT: Final = ("truncated", "not enough data", "unpack_from", "requires a buffer", "no more images", "end of file")
_UNSUPPORTED: Final = ("unknown pixel mode", "unsupported", "not supported", "cannot handle", "conversion from")

_BITS, _PHOTOMETRIC, _PLANAR = 258, 262, 284

# Remarks on odd metadata are no news for whoever runs a job over a million files.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def decode(data: bytes, kind: str, max_pixels: int) -> Pixels:
    """Decode the first frame to (h, w, c) uint8 with the file's own channels, EXIF orientation applied.

    c is 1, 3 or 4: grey with alpha and transparent palettes give 4, CMYK and YCbCr 3. 16 bit are scaled by 1/257,
    12 bit by 255/4095, 1 bit is 0 or 255. Float and 32-bit TIFF: see `_wide`. Raises `CodecError`.
    """
    try:
        return np.ascontiguousarray(_decode(data, kind, max_pixels))
    except CodecError:
        raise
    except DECODER_ERRORS as error:
        message = stable_message(error)
        raise CodecError(_reason(error, message), f"the {kind.upper()} file cannot be decoded: {message}") from error


def _reason(error: BaseException, message: str) -> str:
    words = message.lower()
    if isinstance(error, EOFError | struct.error) or any(word in words for word in _CUT):
        return "truncated"
    return "unsupported_format" if any(word in words for word in _UNSUPPORTED) else "corrupt"


def _decode(data: bytes, kind: str, max_pixels: int) -> Pixels:
    if kind == "webp":
        check_webp(data, max_pixels)
    with PLUGINS[kind](io.BytesIO(data)) as image:
        check_size(*image.size, max_pixels)
        check_whole(data, kind)
        sixteen = _is_sixteen_bit_colour(image)
        full = 4095 if "I;12" in str(image.tile[:1]) else 65_535
        image.load()
        pixels = _sixteen_bit_colour(data, image) if sixteen else _eight_bit(image, full)
        return pixels if kind == "tiff" else upright(pixels, _orientation(data, image, kind))


def _orientation(data: bytes, image: ImageFile, kind: str) -> int:
    """Of TIFF, Pillow and OpenCV have applied it already."""
    if kind == "jpeg":
        return of_jpeg(data)
    exif = image.info.get("exif")
    return of_exif(exif) if isinstance(exif, bytes) else 1


def _is_sixteen_bit_colour(image: ImageFile) -> bool:
    """Pillow has no such mode: it drops the low byte, and misreads the planar kind."""
    if image.mode not in ("RGB", "RGBA"):
        return False
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        sixteen = set(image.tag_v2.get(_BITS, ())) == {16}
        if sixteen and image.tag_v2.get(_PLANAR, 1) == 2:
            raise CodecError("unsupported_format", "a TIFF with 16 bit in separate planes; save it interleaved")
        return sixteen and "RGBa" not in str(image.tile[:1])
    return ";16" in str(image.tile[:1])


def _sixteen_bit_colour(data: bytes, image: ImageFile) -> Pixels:
    """Take the 16-bit pixels of a file that Pillow could read to its end; Pillow's high bytes where OpenCV fails."""
    levels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if levels is None or levels.dtype != np.uint16 or levels.shape[:2] != (image.height, image.width):
        return _eight_bit(image, 65_535)
    order = cv2.COLOR_BGRA2RGBA if levels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return scale_down(cv2.cvtColor(levels, order), 65_535)


def _eight_bit(image: ImageFile, full: int) -> Pixels:
    if image.mode.startswith("I;16"):
        return _sixteen_bit_grey(image, full)
    if image.mode in ("I", "F"):
        return _wide(np.asarray(image))[..., np.newaxis]
    if image.has_transparency_data:
        return np.array(image.convert("RGBA"))
    if image.mode in ("1", "L"):
        return np.array(image.convert("L"))[..., np.newaxis]
    return np.array(image.convert("RGB"))


def _sixteen_bit_grey(image: ImageFile, full: int) -> Pixels:
    levels = np.asarray(image).astype(np.uint16)
    if isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(_PHOTOMETRIC) == 0:
        levels = full - levels
    grey = scale_down(levels, full)[..., np.newaxis]
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return grey
    alpha = np.where(levels == transparent, 0, 255).astype(np.uint8)[..., np.newaxis]
    return np.concatenate([np.repeat(grey, 3, axis=2), alpha], axis=2)


def _wide(levels: NDArray[np.float32] | NDArray[np.int32]) -> Pixels:
    """Float and 32-bit grey say nothing of their range: it is the smallest that holds them all.

    Floats up to 1 are shares of white, values up to 255 are 8-bit levels, up to 65535 16-bit levels. Negative,
    greater and non-finite values are measurements rather than a picture and are refused.
    """
    low, high = float(levels.min()), float(levels.max())
    if not (low >= 0 and high <= 65_535):
        raise CodecError("unsupported_format", f"grey levels from {low:g} to {high:g}; scale them to 0..65535 first")
    white = 1.0 if high <= 1 and levels.dtype.kind == "f" else 255.0 if high <= 255 else 65_535.0
    return np.rint(levels.astype(np.float64) * (255.0 / white)).astype(np.uint8)
