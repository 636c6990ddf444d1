"""Is a video file whole, and which container is it? Asked of its bytes, before anything is decoded.

FFmpeg plays what is there and says nothing of what is missing; a dataset should not.
Sources: ISO/IEC 14496-12 (MP4, MOV), RFC 8794 (EBML: Matroska, WebM), RIFF (AVI), GIF89a.
"""

import struct
from typing import Final

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.image.integrity import check_whole

_MOVIE_BOXES: Final = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_NO_MOVIES: Final = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis", b"M4A ", b"M4B ", b"jp2 ", b"crx ")
_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_STRANGERS: Final = (
    (b"FLV", "Flash video"),
    (b"\x30\x26\xb2\x75", "WMV"),
    (b"\0\0\x01\xba", "MPEG program stream"),
    (b"\0\0\x01\xb3", "MPEG video"),
    (b"OggS", "Ogg"),
    (b"\x47\x40", "MPEG transport stream"),
)


def sniff_clip(data: bytes) -> str:
    """Name the container by its first bytes: `mp4` (MOV too), `mkv` (WebM too), `avi` or `gif`.

    Raises `CodecError`: not_a_video, or unsupported_format for a known other kind of video.
    """
    if data[4:8] in _MOVIE_BOXES and data[8:12] not in _NO_MOVIES:
        return "mp4"
    if data.startswith(_EBML):
        return "mkv"
    if data.startswith(b"RIFF") and data[8:12] == b"AVI ":
        return "avi"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    stranger = next((name for magic, name in _STRANGERS if data.startswith(magic)), "")
    if stranger:
        raise CodecError("unsupported_format", f"{stranger} is not read; convert it to MP4 or MKV")
    raise CodecError("not_a_video", "the first bytes are not those of an MP4, MOV, MKV, WebM, AVI or GIF file")


def check_clip(data: bytes, kind: str) -> None:
    """Raise `CodecError` truncated for a file that ends before its container does."""
    check = {"mp4": _check_boxes, "mkv": _check_segment, "avi": _check_riff}.get(kind)
    try:
        if check is None:
            check_whole(data, kind)
        else:
            check(data)
    except (IndexError, struct.error) as error:
        raise _cut(kind) from error


def _cut(kind: str) -> CodecError:
    return CodecError("truncated", f"the {kind.upper()} file ends too early")


def _check_boxes(data: bytes) -> None:
    """Follow the boxes of the first level; without `moov` nothing can be played: it is often written last."""
    position = 0
    names: set[bytes] = set()
    while position + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, position)
        if length == 1:
            (length,) = struct.unpack_from(">Q", data, position + 8)
        elif length == 0:
            length = len(data) - position
        if length < 8 and names:
            return  # bytes behind the last box
        position += length
        names.add(name)
        if position > len(data) or length < 8:
            raise _cut("mp4")
    if b"moov" not in names:
        raise CodecError("truncated", "the MP4 file has no moov box: its writer did not finish it")


def _check_segment(data: bytes) -> None:
    """The segment's length is in its head, unless it was streamed: then all bits of the length are set."""
    length, size = _number(data, 4)
    position = 4 + size + length
    if data[position : position + 4] != _SEGMENT:
        return
    length, size = _number(data, position + 4)
    streamed = length == (1 << 7 * size) - 1
    if not streamed and position + 4 + size + length > len(data):
        raise _cut("mkv")


def _number(data: bytes, position: int) -> tuple[int, int]:
    """An EBML number and how many bytes it takes."""
    size = 9 - data[position].bit_length()
    if size > 8 or position + size > len(data):
        raise _cut("mkv")
    return int.from_bytes(data[position : position + size], "big") & ((1 << 7 * size) - 1), size


def _check_riff(data: bytes) -> None:
    (length,) = struct.unpack_from("<I", data, 4)
    if 8 + length > len(data):
        raise _cut("avi")
