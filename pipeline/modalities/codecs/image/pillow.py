"""PNG, WebP, BMP, TIFF, GIF and unusual JPEG by Pillow, with OpenCV for 16 bit per channel.

Of an animation or a multi-page file the first frame is taken. Colour profiles (ICC) are ignored.
"""

import io
import struct
import warnings
from contextlib import nullcontext
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin
from PIL.ImageFile import ImageFile

from pipeline.modalities.codecs import CodecError, stable_message
from pipeline.modalities.codecs.image import tiff_directories
from pipeline.modalities.codecs.image.channels import Pixels, Window, scale_down, windowed
from pipeline.modalities.codecs.image.integrity import check_size, check_webp, check_whole
from pipeline.modalities.codecs.image.orientation import of_exif, of_jpeg, upright
from pipeline.modalities.codecs.image.pillow_formats import DECODER_ERRORS, PLUGINS
from pipeline.modalities.codecs.image.png_metadata import without_metadata
from pipeline.modalities.codecs.image.tiff_bands import check_bands
from pipeline.modalities.codecs.memory import refuse_want
from pipeline.modalities.codecs.quiet import quiet

_CUT: Final = ("truncated", "not enough data", "unpack_from", "requires a buffer", "no more images", "end of file")
_UNSUPPORTED: Final = ("unknown pixel mode", "unsupported", "not supported", "cannot handle", "conversion from")

_BITS, _PHOTOMETRIC, _PLANAR = 258, 262, 284

# Remarks on odd metadata are no news for whoever runs a job over a million files.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")


def decode(data: bytes, kind: str, max_pixels: int, window: Window | None = None) -> Pixels:
    """Decode the first frame to (h, w, c) uint8 with the file's own channels, EXIF orientation applied.

    c is 1, 3 or 4: grey with alpha and transparent palettes give 4, CMYK and YCbCr 3. 1 bit is 0 or 255. Levels of more
    than 8 bits: `window` is what becomes 0 and 255, values beyond it are clipped; without one 16 bit are scaled by
    1/257, 12 bit by 255/4095, floats by 255 if all lie within 0..1. Nothing else says what its range is. Raises
    `CodecError`.
    """
    try:
        with quiet() if kind == "tiff" else nullcontext():
            return np.ascontiguousarray(_decode(data, kind, max_pixels, window))
    except CodecError:
        raise
    except DECODER_ERRORS as error:
        refuse_want(error)
        pixels_alone = without_metadata(data) if kind == "png" else data
        if len(pixels_alone) < len(data):
            return decode(pixels_alone, kind, max_pixels, window)
        message = stable_message(error)
        raise CodecError(_reason(error, message), f"the {kind.upper()} file cannot be decoded: {message}") from error


def _reason(error: BaseException, message: str) -> str:
    words = message.lower()
    if isinstance(error, EOFError | struct.error) or any(word in words for word in _CUT):
        return "truncated"
    return "unsupported_format" if any(word in words for word in _UNSUPPORTED) else "corrupt"


def _decode(data: bytes, kind: str, max_pixels: int, window: Window | None) -> Pixels:
    if kind == "webp":
        check_webp(data, max_pixels)
    if kind == "tiff":
        check_bands(next(tiff_directories.pages(data), {}))
    with PLUGINS[kind](io.BytesIO(data)) as image:
        check_size(*image.size, max_pixels, data)
        check_whole(data, kind)
        sixteen = _is_sixteen_bit_colour(image)
        full = 4095 if "I;12" in str(image.tile[:1]) else 65_535
        image.load()
        pixels = _sixteen_bit_colour(data, image, window) if sixteen else _eight_bit(image, full, window)
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


def _sixteen_bit_colour(data: bytes, image: ImageFile, window: Window | None) -> Pixels:
    """Take the 16-bit pixels of a file that Pillow could read to its end; Pillow's high bytes where OpenCV fails."""
    with quiet():
        levels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if levels is None or levels.dtype != np.uint16 or levels.shape[:2] != (image.height, image.width):
        refuse_want()
        if window is not None:
            raise CodecError("unsupported_format", "16 bit of this kind are read as 8 bit only, without a window")
        return _eight_bit(image, 65_535, None)
    order = cv2.COLOR_BGRA2RGBA if levels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    levels = cv2.cvtColor(levels, order)
    pixels = scale_down(levels, 65_535)
    if window is not None:
        pixels[..., :3] = windowed(levels[..., :3], window)
    return pixels


def _eight_bit(image: ImageFile, full: int, window: Window | None) -> Pixels:
    if image.mode.startswith("I;16"):
        return _sixteen_bit_grey(image, full, window)
    if image.mode in ("I", "F"):
        return _wide(np.asarray(image), window)[..., np.newaxis]
    if image.has_transparency_data:
        return np.array(image.convert("RGBA"))
    if image.mode in ("1", "L"):
        return np.array(image.convert("L"))[..., np.newaxis]
    return np.array(image.convert("RGB"))


def _sixteen_bit_grey(image: ImageFile, full: int, window: Window | None) -> Pixels:
    levels = np.asarray(image).astype(np.uint16)
    if isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(_PHOTOMETRIC) == 0:
        levels = full - levels
    grey = (scale_down(levels, full) if window is None else windowed(levels, window))[..., np.newaxis]
    transparent = image.info.get("transparency")
    if not isinstance(transparent, int):
        return grey
    alpha = np.where(levels == transparent, 0, 255).astype(np.uint8)[..., np.newaxis]
    return np.concatenate([np.repeat(grey, 3, axis=2), alpha], axis=2)


def _wide(levels: NDArray[np.float32] | NDArray[np.int32], window: Window | None) -> Pixels:
    """Float and 32-bit grey: by the window, or floats that are shares of white. One picture never tells the range."""
    if not np.isfinite(levels).all():
        raise CodecError("non_finite", "there are grey levels that are not numbers, or infinite")
    if window is not None:
        return windowed(levels, window)
    low, high = float(levels.min()), float(levels.max())
    if levels.dtype.kind == "f" and low >= 0 and high <= 1:
        return windowed(levels, (0.0, 1.0))
    found = f"{levels.dtype.name} grey levels from {low:g} to {high:g}"
    cure = "write window: [LOW, HIGH] in the config of the field: the values of black and white in all pictures"
    raise CodecError("unsupported_format", f"{found}; {cure}")
