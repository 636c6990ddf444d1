"""WAV files as recorders, phones and pipes leave them: whole, and in a form that libsndfile reads.

Writers that do not know the length in advance leave 0, or a number near 2**31 or 2**32: the sound then reaches to the
end of the file. Some forget the byte behind a chunk of odd length. MP3 in WAV is MP3 with another head.
Sources: Multimedia Programming Interface 1.0 (RIFF), EBU Tech 3306 (RF64), RFC 2361 (format tags).
"""

import struct
from dataclasses import dataclass
from typing import Final

from pipeline.modalities.codecs import CodecError

MAGIC: Final = (b"RIFF", b"RF64", b"RIFX")
_MPEG: Final = (0x50, 0x55)
_EXTENSIBLE = 0xFFFE
_READ: Final = (0x01, 0x02, 0x03, 0x06, 0x07, 0x11, 0x31, 0x40, 0x70)
_NAMES: Final = {
    0x08: "DTS", 0x10: "OKI ADPCM", 0x22: "TrueSpeech", 0x42: "G.723.1", 0x45: "G.726", 0x61: "Duck ADPCM",
    0x62: "Duck ADPCM", 0x64: "G.726", 0x65: "G.722", 0x83: "G.729", 0x92: "AC-3", 0xFF: "AAC", 0x160: "WMA",
    0x161: "WMA", 0x162: "WMA", 0x163: "WMA", 0x270: "ATRAC3", 0x674F: "Vorbis", 0x6750: "Vorbis", 0x6751: "Vorbis",
    0x1610: "AAC", 0x2000: "AC-3", 0x2001: "DTS", 0xA106: "AAC", 0xA109: "Speex", 0xF1AC: "FLAC",
}  # fmt: skip
_AUDIBLE_NAMES: Final = (b"LIST", b"id3 ", b"ID3 ", b"cue ", b"bext", b"iXML", b"smpl", b"JUNK", b"PAD ", b"fact")


@dataclass(frozen=True, slots=True)
class Wav:
    """A WAV that is whole: `data` as libsndfile reads it, `tag` its format; MP3 comes without the head of the WAV."""

    data: bytes
    kind: str
    tag: int


@dataclass(frozen=True, slots=True)
class _Chunks:
    """Where things are: the body of `fmt `, begin and end of the sound; `repaired` if the file must be put right."""

    form: bytes
    begin: int
    end: int
    repaired: bool


def whole_wav(data: bytes) -> Wav:
    """Check that all announced sound is there. Raises `CodecError`: truncated; `struct.error` for less than a head."""
    order = ">" if data.startswith(b"RIFX") else "<"
    found = _chunks(data, order)
    tag = _tag(found.form, order)
    sound = data[found.begin : found.end] if found.repaired or tag in _MPEG else b""
    if tag in _MPEG:
        return Wav(sound, "mp3", tag)
    if not found.repaired:
        return Wav(data, "wav", tag)
    return Wav(_rebuilt(found.form, sound, order), "wav", tag)


def unread(tag: int) -> str:
    """What to say of a format that libsndfile cannot read inside a WAV; empty for those that it can."""
    if tag in _READ:
        return ""
    name = _NAMES.get(tag, "an unknown kind of sound")
    return f"the WAV holds {name} (format {tag:#06x}), which is not read; convert it to PCM, FLAC or MP3"


def _chunks(data: bytes, order: str) -> _Chunks:
    position, form, repaired = 12, b"", False
    while True:
        name, length = struct.unpack_from(f"{order}4sI", data, position)
        position += 8
        if name == b"data":
            break
        if name == b"fmt ":
            form = data[position : position + length]
        position += length
        if length % 2 and _is_padded(data, position):
            position += 1
        elif length % 2:
            repaired = True
    rest = len(data) - position
    open_end = _is_open(length) or (length == 0 and rest > 0 and not _only_chunks(data, position, order))
    if open_end:
        return _Chunks(form, position, len(data), repaired or length != _STREAMED)
    if length > rest:
        raise CodecError("truncated", f"the WAV announces {length} bytes of sound and holds {rest}")
    return _Chunks(form, position, position + length, repaired)


_STREAMED = 0xFFFF_FFFF  # libsndfile knows this one, and it is how an RF64 begins


def _is_open(length: int) -> bool:
    """Whether a length is one of those that stand for: to the end of the file."""
    return 0x7FFF_F000 <= length <= 0x8000_0000 or length >= 0xFFFF_F000


def _only_chunks(data: bytes, position: int, order: str) -> bool:
    """Whether what follows an empty sound are further chunks, to the end of the file."""
    while position + 8 <= len(data):
        name, length = struct.unpack_from(f"{order}4sI", data, position)
        if name not in _AUDIBLE_NAMES:
            return False
        position += 8 + length + length % 2
    return position in (len(data), len(data) + 1)


def _is_padded(data: bytes, position: int) -> bool:
    """Whether the next chunk begins a byte further on."""
    return _is_name(data[position + 1 : position + 5]) or not _is_name(data[position : position + 4])


def _is_name(letters: bytes) -> bool:
    return len(letters) == 4 and all(0x20 <= letter < 0x7F for letter in letters) and letters[:1].isalpha()


def _tag(form: bytes, order: str) -> int:
    """The format tag; that of WAVE_FORMAT_EXTENSIBLE stands at the beginning of its GUID."""
    tag = int(struct.unpack_from(f"{order}H", form)[0])
    return int(struct.unpack_from(f"{order}H", form, 24)[0]) if tag == _EXTENSIBLE and len(form) >= 26 else tag


def _rebuilt(form: bytes, sound: bytes, order: str) -> bytes:
    """A plain WAV of a format and its sound."""
    body = b"".join((b"WAVEfmt ", struct.pack(f"{order}I", len(form)), form, b"\0" * (len(form) % 2)))
    body += b"data" + struct.pack(f"{order}I", len(sound)) + sound
    return (b"RIFX" if order == ">" else b"RIFF") + struct.pack(f"{order}I", len(body)) + body
