"""JPEG by libjpeg-turbo through simplejpeg: the fast path for most of the world's labeled pictures."""

import numpy as np
import simplejpeg
from PIL import Image

from pipeline.modalities.codecs import CodecError, stable_message
from pipeline.modalities.codecs.image.channels import Pixels, to_mode
from pipeline.modalities.codecs.image.integrity import check_scans, check_size
from pipeline.modalities.codecs.image.orientation import of_jpeg, upright
from pipeline.modalities.codecs.memory import refuse_want

MAX_SIDE = 65_500
_FULL_CHROMA_QUALITY = 95
_INKS = ("CMYK", "YCCK")
_CUT = "Premature end of JPEG file"
_DAMAGED = "Corrupt JPEG data"


def decode(data: bytes, mode: str, max_pixels: int) -> Pixels | None:
    """Decode a JPEG to (h, w, c) uint8 with the channels of `mode`, EXIF orientation applied, colour profile ignored.

    None: not for this decoder (odd subsampling, lossless, 12 bit, a header it stumbles over), try another. Strict:
    where libjpeg would warn and fill the rest with grey, `CodecError` says truncated or corrupt. Mode `grey` takes
    the file's own luma. CMYK is inverted as Adobe writes it and converted without a profile, as Pillow does.
    """
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except (ValueError, LookupError):  # LookupError: a subsampling it has no name for, such as 4:4:1
        return None
    check_size(width, height, max_pixels, data)
    check_scans(data, width * height)
    try:
        pixels = _from_inks(data) if colours in _INKS else simplejpeg.decode_jpeg(data, _wanted(colours, mode))
    except ValueError as error:
        refuse_want(error)
        _raise_if_damaged(error)
        return None
    return upright(to_mode(pixels, mode), of_jpeg(data))


def _wanted(colours: str, mode: str) -> str:
    return "GRAY" if mode == "grey" or (mode == "keep" and colours == "Gray") else "RGB"


def _from_inks(data: bytes) -> Pixels:
    inks = simplejpeg.decode_jpeg(data, "CMYK")
    size = (inks.shape[1], inks.shape[0])
    return np.array(Image.frombuffer("CMYK", size, inks.tobytes(), "raw", "CMYK;I", 0, 1).convert("RGB"))


def _raise_if_damaged(error: ValueError) -> None:
    message = stable_message(error)
    if _CUT in message:
        raise CodecError("truncated", "the JPEG ends before its last scan does") from error
    if _DAMAGED in message:
        raise CodecError("corrupt", f"the JPEG is damaged: {message}") from error


def encode(pixels: Pixels, quality: int) -> bytes:
    """Encode contiguous (h, w, 1 or 3) uint8 as a baseline JPEG with the accurate DCT.

    Chroma is 4:2:0 below quality 95, as libjpeg, Pillow and OpenCV have it, and 4:4:4 from 95 up: whoever asks for
    that much wants the colours too. One channel gives a grey JPEG. Sides up to 65500.
    """
    if max(pixels.shape[:2]) > MAX_SIDE:
        raise CodecError("cannot_encode", f"JPEG sides end at {MAX_SIDE} pixels")
    if pixels.shape[2] == 1:
        return bytes(simplejpeg.encode_jpeg(pixels, quality, "GRAY", "Gray", fastdct=False))
    chroma = "444" if quality >= _FULL_CHROMA_QUALITY else "420"
    return bytes(simplejpeg.encode_jpeg(pixels, quality, "RGB", chroma, fastdct=False))
