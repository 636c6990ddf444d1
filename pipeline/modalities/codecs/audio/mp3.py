"""MP3 whose head does not say how long it is: its frames are counted, and a head that says it is put in front.

libsndfile takes the length from the head (Xing, Info) or guesses it from the first frame's bit rate: of files with a
variable bit rate it then reads a part, or misses sound that there never was. Files that are joined have a head that
counts the first of them only.
Sources: ISO/IEC 11172-3, 13818-3; http://gabriel.mp3-tech.org/mp3infotag.html (Xing, Info, VBRI).
"""

from dataclasses import dataclass
from typing import Final

from pipeline.modalities.codecs import CodecError

_BIT_RATES: Final = {
    3: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_RATES: Final = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_MONO = 3
_KIND = 0xFE0C
"""Bits of the second and third byte that all frames of a file have in common: version, layer, sample rate."""
_HEAD_BYTES = 64
_NO_CHECKSUM = 0x01


def _lengths() -> dict[int, int]:
    """Bytes of a frame of layer III by the second and third byte of its head."""
    found = {}
    for version, rates in _RATES.items():
        for bits, kilobits in enumerate(_BIT_RATES[3 if version == 3 else 2]):
            for number, rate in enumerate(rates):
                size = (144_000 if version == 3 else 72_000) * kilobits // rate
                for low in range(4):  # padding and a private bit
                    word = (0xE2 | version << 3) << 8 | bits << 4 | number << 2 | low
                    if kilobits:
                        found[word] = found[word | 0x100] = size + (low >> 1)
    return found


_LENGTHS: Final = _lengths()


@dataclass(frozen=True, slots=True)
class _Frames:
    """Begin and end of each frame with sound, and how many the file's own head counts; None without one."""

    places: list[tuple[int, int]]
    stated: int | None


def with_length(data: bytes, believed: int) -> bytes:
    """The file itself where a reader believes in its true length in samples, else its frames behind a head that counts.

    Files of other layers are left alone. Raises `CodecError` unsupported_format where the sample rate or the number of
    channels changes on the way.
    """
    frames = _frames(data)
    count = len(frames.places)
    if not count or (frames.stated and count <= frames.stated + 1):
        return data
    first = data[frames.places[0][0] : frames.places[0][0] + 4]
    if not frames.stated and believed == count * (1152 if _is_first(first) else 576):
        return data
    _check_alike(data, frames.places)
    return b"".join([_head(first, count), *(data[begin:end] for begin, end in frames.places)])


def _frames(data: bytes) -> _Frames:
    places: list[tuple[int, int]] = []
    position, stated, size = _after_tag(data), None, len(data)
    while (position := _next(data, position)) >= 0:
        while position + 4 <= size and data[position] == 0xFF:
            length = _LENGTHS.get(data[position + 1] << 8 | data[position + 2])
            if length is None or position + length > size:
                break
            if not places or data[position + 4 : position + 36].startswith(b"\0\0\0\0\0\0\0\0"):
                count = _stated(data, position)
                if count is not None:
                    stated = count if stated is None and not places else stated
                    position += length
                    continue
            places.append((position, position + length))
            position += length
        position += 1
    return _Frames(places, stated)


def _after_tag(data: bytes) -> int:
    """Where an ID3v2 tag in front ends."""
    if not data.startswith(b"ID3") or len(data) < 10:
        return 0
    size = 0
    for part in data[6:10]:
        size = size << 7 | part & 0x7F
    return 10 + size


def _next(data: bytes, position: int) -> int:
    """The next place where a frame begins that another one, or the end of the file, follows; -1 for none."""
    while (position := data.find(b"\xff", position)) >= 0:
        if position + 4 > len(data):
            return -1
        word = data[position + 1] << 8 | data[position + 2]
        length = _LENGTHS.get(word)
        if length is not None:
            after = position + length
            behind = data[after + 1] << 8 | data[after + 2] if after + 3 <= len(data) and data[after] == 0xFF else 0
            if after == len(data) or (behind in _LENGTHS and behind & _KIND == word & _KIND):
                return position
        position += 1
    return -1


def _stated(data: bytes, position: int) -> int | None:
    """How many frames a head counts, 0 if it does not say; None for a frame with sound."""
    side = _side_bytes(data[position : position + 4])
    place = position + 4 + side
    if data[place : place + 4] in (b"Xing", b"Info"):
        has_count = data[place + 7 : place + 8] and data[place + 7] & 1
        return int.from_bytes(data[place + 8 : place + 12], "big") if has_count else 0
    return 0 if data[position + 36 : position + 40] == b"VBRI" else None


def _side_bytes(head: bytes) -> int:
    mono = head[3] >> 6 == _MONO
    return (17 if mono else 32) if _is_first(head) else (9 if mono else 17)


def _is_first(head: bytes) -> bool:
    """Whether a frame is of MPEG 1."""
    return head[1] >> 3 & 3 == 3


def _check_alike(data: bytes, places: list[tuple[int, int]]) -> None:
    kinds = {(data[at + 1] << 8 | data[at + 2]) & _KIND | (data[at + 3] >> 6 == _MONO) for at, _ in places}
    if len(kinds) > 1:
        raise CodecError("unsupported_format", "the MP3 changes its sample rate or channels on the way; convert it")


def _head(first: bytes, count: int) -> bytes:
    """A frame without sound that says how many follow, of the kind of the first one."""
    for bits in range(1, 15):
        third = bits << 4 | first[2] & 0x0C
        second = first[1] | _NO_CHECKSUM
        length = _LENGTHS[second << 8 | third]
        if length >= _HEAD_BYTES:
            break
    head = bytes((0xFF, second, third, first[3] & 0xC0))
    body = b"\0" * _side_bytes(head) + b"Xing" + (1).to_bytes(4, "big") + count.to_bytes(4, "big")
    return (head + body).ljust(length, b"\0")
