"""The formats that Pillow may open here, and no other.

`PIL.Image.open` asks every plugin that is installed: one of them starts Ghostscript, others raise errors of their own
kinds. So the plugin is chosen by the first bytes, out of this list. Pillow's own limit of pixels, a process-wide global
that warns before it raises, is not involved: whoever opens a file looks at its size before loading it.
"""

import logging
import struct
import zlib
from collections.abc import Callable
from typing import IO, Final

import cv2
from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL.ImageFile import ImageFile

PLUGINS: Final[dict[str, Callable[[IO[bytes]], ImageFile]]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "gif": GifImagePlugin.GifImageFile,
}

logging.getLogger(TiffImagePlugin.__name__).setLevel(logging.CRITICAL + 1)  # it logs what it raises, too

# The plugins are Python that indexes into what the file says, so a damaged file can raise nearly anything.
DECODER_ERRORS: Final = (
    OSError, SyntaxError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError,
    RuntimeError, EOFError, struct.error, zlib.error, cv2.error, Image.DecompressionBombError, Warning,
)  # fmt: skip
