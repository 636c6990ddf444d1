"""The directories of a TIFF, one for each page, followed before any library does: classic TIFF and BigTIFF.

Libraries follow circles for ever, and reserve what a damaged count asks for. Here every directory and
what it says of pixels must lie within the file, each is visited once, and there are bounds on their number.
Sources: TIFF 6.0, https://www.awaresystems.be/imaging/tiff/bigtiff.html
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pipeline.modalities.codecs import CodecError

Tags = dict[int, tuple[int, ...]]

BITS, PHOTOMETRIC, STRIPS, SAMPLES, STRIP_BYTES, TILES, TILE_BYTES, SUB, EXTRA = (
    258, 262, 273, 277, 279, 324, 325, 330, 338,
)  # fmt: skip
_READ: Final = (BITS, PHOTOMETRIC, STRIPS, SAMPLES, STRIP_BYTES, TILES, TILE_BYTES, SUB, EXTRA)
_WHOLE: Final = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
_MOST_PAGES = 2**17
_MOST_ENTRIES = 4096


@dataclass(frozen=True, slots=True)
class _Layout:
    """Sizes and codes that differ between classic TIFF and BigTIFF."""

    order: str
    count: str
    offset: str
    inline: int
    start: int

    @property
    def entry(self) -> int:
        """Bytes of an entry."""
        return 4 + struct.calcsize(self.offset) + self.inline


def pages(data: bytes) -> Iterator[Tags]:
    """The tags of whole numbers that say where pixels are and what they mean, page by page; offsets are checked.

    Raises `CodecError` corrupt for pages that form a circle or contradict themselves, truncated; `struct.error`.
    """
    try:
        yield from _followed(data, _layout(data))
    except OverflowError as error:  # an offset of 64 bits
        raise CodecError("truncated", "a directory of the TIFF lies beyond the end of the file") from error


def _followed(data: bytes, layout: _Layout) -> Iterator[Tags]:
    (position,) = struct.unpack_from(f"{layout.order}{layout.offset}", data, layout.start)
    seen: set[int] = set()
    while position:
        if position in seen:
            raise CodecError("corrupt", "the pages of the TIFF form a circle")
        if len(seen) >= _MOST_PAGES:
            raise CodecError("unsupported_format", f"the TIFF has more than {_MOST_PAGES} pages")
        seen.add(position)
        tags, position = _directory(data, layout, position)
        if seen & set(tags.get(SUB, ())):
            raise CodecError("corrupt", "the pages of the TIFF form a circle")
        yield tags


def end_of_pixels(tags: Tags) -> int:
    """Last byte of a page's strips or tiles, 0 if it names none."""
    starts = tags.get(STRIPS, tags.get(TILES, ()))
    lengths = tags.get(STRIP_BYTES, tags.get(TILE_BYTES, ()))
    return max((a + b for a, b in zip(starts, lengths, strict=False)), default=0)


def _layout(data: bytes) -> _Layout:
    order = "<" if data.startswith(b"II") else ">"
    (version,) = struct.unpack_from(f"{order}H", data, 2)
    return _Layout(order, "Q", "Q", 8, 8) if version == 43 else _Layout(order, "H", "I", 4, 4)


def _directory(data: bytes, layout: _Layout, position: int) -> tuple[Tags, int]:
    """One directory, and where the next one is; 0 for none."""
    (entries,) = struct.unpack_from(f"{layout.order}{layout.count}", data, position)
    if entries > _MOST_ENTRIES:
        raise CodecError("corrupt", f"a directory of the TIFF has {entries} entries")
    position += struct.calcsize(layout.count)
    tags: Tags = {}
    for entry in range(position, position + layout.entry * entries, layout.entry):
        tag, kind, count = struct.unpack_from(f"{layout.order}HH{layout.offset}", data, entry)
        if tag not in _READ or kind not in _WHOLE:
            continue  # descriptions and the like: damage in them is no harm to the pixels
        place, size = entry + layout.entry - layout.inline, struct.calcsize(_WHOLE[kind]) * count
        if size > layout.inline:
            (place,) = struct.unpack_from(f"{layout.order}{layout.offset}", data, place)
        if place + size > len(data):
            raise CodecError("truncated", f"the TIFF's tag {tag} lies beyond the end of the file")
        tags[tag] = struct.unpack_from(f"{layout.order}{count}{_WHOLE[kind]}", data, place)
    (following,) = struct.unpack_from(f"{layout.order}{layout.offset}", data, position + layout.entry * entries)
    return tags, int(following)
