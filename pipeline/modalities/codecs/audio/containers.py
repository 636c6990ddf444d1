"""Sound files: which kind they are, whether they are whole, and what of them goes to libsndfile.

libsndfile reads what is there and says nothing of what is missing.
"""

import struct
from dataclasses import dataclass

from pipeline.modalities.codecs import CodecError
from pipeline.modalities.codecs.audio import ogg, wav


@dataclass(frozen=True, slots=True)
class Sound:
    """What to decode: `parts` that follow each other, mostly one, of a `kind`; of a WAV the tag of its format."""

    parts: list[bytes]
    kind: str
    tag: int = 0


def sniff_sound(data: bytes) -> str:
    """Name the container by its first bytes: `wav`, `flac`, `ogg` or `mp3`; `CodecError` not_audio otherwise."""
    if data[:4] in wav.MAGIC and data[8:12] == b"WAVE":
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


def whole_sound(data: bytes) -> Sound:
    """Take a file apart. Raises `CodecError`: not_audio, unsupported_format, truncated.

    Truncated is a WAV whose data chunk, or an Ogg whose last page, is longer than the file; FLAC and MP3 show it when
    they are read.
    """
    kind = sniff_sound(data)
    try:
        if kind == "wav":
            found = wav.whole_wav(data)
            return Sound([found.data], found.kind, found.tag)
        return Sound(ogg.links(data) if kind == "ogg" else [data], kind)
    except (IndexError, struct.error) as error:
        raise CodecError("truncated", f"the {kind.upper()} file ends too early") from error
