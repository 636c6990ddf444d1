"""Is a sound file whole? Asked of its bytes: libsndfile reads what is there and says nothing of what is missing.

Sources: Multimedia Programming Interface 1.0 (RIFF), EBU Tech 3306 (RF64), RFC 3533 (Ogg).
"""

import struct
from typing import Final

from pipeline.codecs import CodecError

_STREAMED = 0xFFFF_FFFF
_WAV: Final = (b"RIFF", b"RF64", b"RIFX")


def sniff_sound(data: bytes) -> str:
    """Name the container by its first bytes: `wav`, `flac`, `ogg` or `mp3`; `CodecError` not_audio otherwise."""
    if data[:4] in _WAV and data[8:12] == b"WAVE":
        return "wav"
    if data.startswith(b"fLaC"):
        return "flac"
    if data.startswith(b"OggS"):
        return "ogg"
    if data.startswith(b"ID3") or _is_mpeg_frame(data):
        return "mp3"
    if data[:4] in (b"FORM", b"caff", b".snd", b"wvpk") or data[4:8] == b"ftyp":
        raise CodecError("unsupported_format", "only WAV, FLAC, Ogg and MP3 are read; convert it to one of them")
    raise CodecError("not_audio", "the first bytes are not those of a WAV, FLAC, Ogg or MP3 file")


def _is_mpeg_frame(data: bytes) -> bool:
    """Frame sync of layer II or III; layer I would let UTF-16 text pass."""
    return len(data) > 3 and data[0] == 0xFF and data[1] & 0xE0 == 0xE0 and data[1] & 0x06 in (0x02, 0x04)


def check_sound(data: bytes, kind: str) -> None:
    """Raise `CodecError` truncated for a WAV whose data chunk or an Ogg whose last page is longer than the file.

    FLAC and MP3 show it when they are read. A WAV that was written to a pipe has the length 0xFFFFFFFF, which
    stands for: to the end of the file.
    """
    try:
        {"wav": _check_wav, "ogg": _check_ogg}.get(kind, lambda _: None)(data)
    except (IndexError, struct.error) as error:
        raise CodecError("truncated", f"the {kind.upper()} file ends too early") from error


def _check_wav(data: bytes) -> None:
    order = ">" if data.startswith(b"RIFX") else "<"
    position = 12
    while True:
        name, length = struct.unpack_from(f"{order}4sI", data, position)
        position += 8
        if name == b"data":
            break
        position += length + length % 2
    if length != _STREAMED and position + length > len(data):
        raise CodecError("truncated", f"the WAV announces {length} bytes of sound and holds {len(data) - position}")


def _check_ogg(data: bytes) -> None:
    page = data.rfind(b"OggS")
    segments = data[page + 26]
    table = data[page + 27 : page + 27 + segments]
    if len(table) < segments or page + 27 + segments + sum(table) > len(data):
        raise CodecError("truncated", "the last page of the Ogg file is cut off")
