"""Is a picture whole, and how big does it say it is? Asked of its bytes, before anything is decoded.

Image libraries stop reading when they have their pixels and forgive what is missing behind; a dataset should not.
Sources: PNG (ISO/IEC 15948), GIF89a, TIFF 6.0, RFC 9649 (WebP).
"""

import struct
import zlib

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.image import tiff_directories

_BASELINE, _SCAN = (0xC0, 0xC1), 0xDA
_SCAN_BYTES = 10
_USUAL_SCANS, _MOST_SCANS = 20, 100
_LARGE, _PIXELS_PER_BYTE = 2**24, 20_000
_SCANNED_PIXELS = 2**31  # some five seconds


def check_size(width: int, height: int, max_pixels: int, data: bytes) -> None:
    """Raise `CodecError` too_many_pixels for a header that announces more than `max_pixels`, corrupt for none.

    Nor may a few bytes announce a large picture: not even an empty page is packed as tightly.
    """
    if width < 1 or height < 1:
        raise CodecError("corrupt", f"the header gives a size of {width} x {height}")
    if width * height > max_pixels:
        raise CodecError("too_many_pixels", f"{width} x {height} pixels; at most {max_pixels} are decoded")
    if width * height > max(_LARGE, _PIXELS_PER_BYTE * len(data)):
        raise CodecError("too_many_pixels", f"{width} x {height} pixels in {len(data)} bytes: a decompression bomb")


def check_whole(data: bytes, kind: str) -> None:
    """Raise `CodecError` truncated or corrupt where the container of a PNG, GIF or TIFF is not whole."""
    try:
        {"png": _check_png, "gif": _check_gif, "tiff": _check_tiff}.get(kind, lambda _: None)(data)
    except (IndexError, struct.error) as error:
        raise _cut(kind) from error


def _cut(kind: str) -> CodecError:
    return CodecError("truncated", f"the {kind.upper()} file ends too early")


def _check_png(data: bytes) -> None:
    """Follow the chunks to IEND; checksums of critical chunks must hold (Pillow skips those of the pixel data)."""
    view, position, kind = memoryview(data), 8, b""
    while kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        (checksum,) = struct.unpack_from(">I", data, end)
        critical = not kind[0] & 0x20
        if critical and zlib.crc32(view[position + 4 : end]) != checksum:
            raise CodecError("corrupt", f"the checksum of the PNG's {kind.decode('latin-1')} chunk does not hold")
        position = end + 4


def _check_gif(data: bytes) -> None:
    """Follow the blocks of every frame to the trailer; bytes that are no block end the check."""
    position = 13 + _colour_table(data[10])
    while data[position] != 0x3B:
        if data[position] == 0x21:
            position += 2
        elif data[position] == 0x2C:
            position += 11 + _colour_table(data[position + 9])
        else:
            return
        while data[position]:
            position += data[position] + 1
        position += 1


def _colour_table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _check_tiff(data: bytes) -> None:
    """Follow the chain of pages; the first page's pixels are the decoder's business, those of the others must exist."""
    for number, tags in enumerate(tiff_directories.pages(data)):
        if number and tiff_directories.end_of_pixels(tags) > len(data):
            raise _cut("tiff")


def check_webp(data: bytes, max_pixels: int) -> None:
    """Check the RIFF length and the canvas: the decoder reserves two canvases before it could be asked for a size."""
    if len(data) < 20 or len(data) < 8 + int.from_bytes(data[4:8], "little"):
        raise _cut("webp")
    if data[12:16] == b"VP8X":
        width, height = (1 + int.from_bytes(data[at : at + 3], "little") for at in (24, 27))
        check_size(width, height, max_pixels, data)


def check_scans(data: bytes, pixels: int) -> None:
    """Raise `CodecError` too_many_pixels for a JPEG whose scans would take minutes: each visits every pixel again."""
    if len(data) // _SCAN_BYTES * pixels < _SCANNED_PIXELS or _is_one_scan(data):
        return
    scans = data.count(b"\xff\xda")
    if scans > _USUAL_SCANS and (scans > _MOST_SCANS or scans * pixels > _SCANNED_PIXELS):
        raise CodecError("too_many_pixels", f"{scans} scans of {pixels} pixels each; at most {_USUAL_SCANS} are usual")


def _is_one_scan(data: bytes) -> bool:
    """Whether a baseline JPEG has all its components in the first scan, behind which decoders stop."""
    position, components = 2, 0
    while data[position : position + 1] == b"\xff" and position + 10 < len(data):
        marker, length = data[position + 1], data[position + 2] << 8 | data[position + 3]
        if marker in _BASELINE:
            components = data[position + 9]
        if marker == _SCAN:
            return data[position + 4] == components
        position += 1 if marker == 0xFF else 2 + length
    return False
