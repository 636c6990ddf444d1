"""Pictures: JPEG, PNG, WebP, BMP, TIFF and GIF to (height, width, channels) uint8, and back to JPEG, PNG or WebP."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from PIL import Image

from pipeline.modalities.codecs import CodecError, Decoded, Payload, as_bytes
from pipeline.modalities.codecs.image import jpeg, pillow
from pipeline.modalities.codecs.image.channels import MODES, Pixels, Window, to_mode, to_rgb
from pipeline.modalities.codecs.image.png_writer import encoded
from pipeline.modalities.codecs.quiet import quiet
from transforms.values import ImageValue, Value

FORMATS = ("jpeg", "png", "webp")

_DEFAULT_QUALITY: Final = {"jpeg": 95, "webp": 90}
_WEBP_METHOD = 4
_WEBP_MAX_SIDE = 16_383

# 256 px photos: 2.5 ms and as small as Pillow's level 6 (18 ms); OpenCV's default filter is faster but 12 % bigger.
_PNG_PARAMETERS: Final = (
    cv2.IMWRITE_PNG_COMPRESSION, 1,
    cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH,
    cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE,
)  # fmt: skip

_BMP_HEADERS: Final = (12, 16, 40, 52, 56, 64, 108, 124)
_MAGIC: Final = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
)
_STRANGERS: Final = (
    (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\x01\0", "Windows icon"),
    (b"%PDF", "PDF"),
)


def sniff(data: bytes) -> str:
    """Name the format by the first bytes; `CodecError` not_an_image, or unsupported_format for a known other one."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    stranger = next((name for magic, name in _STRANGERS if data.startswith(magic)), "")
    if data[4:8] == b"ftyp":
        stranger = "HEIF, AVIF or MP4"
    if stranger:
        raise CodecError("unsupported_format", f"{stranger} is not read; convert it to JPEG, PNG or WebP")
    raise CodecError("not_an_image", "the first bytes are not those of a JPEG, PNG, WebP, BMP, TIFF or GIF file")


def depth_of(payloads: Sequence[bytes]) -> tuple[str, tuple[float, float]]:
    """The type of levels of more than 8 bits in some pictures, with the least and the greatest; empty without any."""
    name, low, high = "", np.inf, -np.inf
    for payload in payloads:
        if not payload.startswith((b"\x89PNG", b"II", b"MM")):
            continue
        try:
            with quiet():
                levels = cv2.imdecode(np.frombuffer(payload, np.uint8), cv2.IMREAD_UNCHANGED)
        except cv2.error:
            continue
        if levels is None or levels.dtype == np.uint8 or not np.isfinite(levels).all():
            continue
        name, low, high = levels.dtype.name, min(low, float(levels.min())), max(high, float(levels.max()))
    return name, (low, high) if name else (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class ImageCodec:
    """Settings of an image field.

    `mode`: `rgb` (alpha over white), `grey`, `rgba`, or `keep` for the file's 1, 3 or 4 channels. `format`: `jpeg`,
    `png`, `webp`, or None to keep these and make PNG of the rest. `quality`: 1..100, default 95 for JPEG (from 95
    up without chroma subsampling) and 90 for WebP; PNG is lossless. `max_pixels`: what a header may announce.
    `window`: the values that become 0 and 255 where a file has more than 8 bits (16 bit, float).
    """

    mode: str = "rgb"
    format: str | None = None
    quality: int | None = None
    max_pixels: int = 89_478_485
    window: Window | None = None

    def __post_init__(self) -> None:
        if self.mode not in MODES:
            raise ValueError(f"mode {self.mode!r}: choose one of {', '.join(MODES)}")
        if self.format is not None and self.format not in FORMATS:
            raise ValueError(f"format {self.format!r}: choose one of {', '.join(FORMATS)}")
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise ValueError(f"quality {self.quality!r}: choose 1..100")

    def decode(self, payload: Payload) -> Decoded:
        """Decode to an `ImageValue` with a writable, contiguous (h, w, c) uint8 array, upright by its EXIF tag.

        Raises `CodecError`: empty_payload, not_an_image, unsupported_format, too_many_pixels (from the header, before
        any pixel is decoded), truncated, corrupt.
        """
        data = as_bytes(payload, "not_an_image")
        kind = sniff(data)
        pixels = jpeg.decode(data, self.mode, self.max_pixels) if kind == "jpeg" else None
        if pixels is None:
            pixels = np.ascontiguousarray(to_mode(pillow.decode(data, kind, self.max_pixels, self.window), self.mode))
        return Decoded(ImageValue(pixels), kind)

    def encode(self, value: Value, source_format: str) -> bytes:
        """Encode an `ImageValue`: the same pixels give the same bytes. Raises `CodecError` cannot_encode.

        JPEG has no alpha: it is composited over white. WebP is lossy.
        """
        pixels = _encodable(value)
        kind = self.format or (source_format if source_format in FORMATS else "png")
        if kind == "png":
            return _encode_png(pixels)
        quality = self.quality or _DEFAULT_QUALITY[kind]
        if kind == "webp":
            return _encode_webp(pixels, quality)
        return jpeg.encode(to_rgb(pixels) if pixels.shape[2] == 4 else pixels, quality)


def _encodable(value: Value) -> Pixels:
    """Check what a step returned: anything else would crash an encoder or be silently misread by it."""
    if not isinstance(value, ImageValue):
        raise CodecError("cannot_encode", f"expected an image, found {type(value).__name__}")
    pixels = value.pixels
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] not in (1, 3, 4) or pixels.size == 0:
        found = f"{pixels.dtype} {pixels.shape}"
        raise CodecError("cannot_encode", f"expected uint8 (height, width, 1 or 3 or 4), none of them 0, found {found}")
    return np.ascontiguousarray(pixels)


def _encode_png(pixels: Pixels) -> bytes:
    order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(pixels.shape[2])
    return encoded(pixels if order is None else cv2.cvtColor(pixels, order), _PNG_PARAMETERS)


def _encode_webp(pixels: Pixels, quality: int) -> bytes:
    if max(pixels.shape[:2]) > _WEBP_MAX_SIDE:
        raise CodecError("cannot_encode", f"WebP sides end at {_WEBP_MAX_SIDE} pixels")
    file = io.BytesIO()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    picture.save(file, "WEBP", quality=quality, method=_WEBP_METHOD, lossless=False)
    return file.getvalue()
