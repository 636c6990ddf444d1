"""In what a picture differs from its copies, as its header tells: they are upright, of 8 bits, without a palette."""

from collections.abc import Iterable, Mapping

from pipeline.modalities.codecs.image.orientation import of_exif, of_jpeg
from pipeline.modalities.codecs.image.png_metadata import content_of

TURNED, ALPHA, DEEP, FLAT, PALETTE = "turned by EXIF", "alpha", "more than 8 bits", "less than 8 bits", "palette"
_PNG = b"\x89PNG"
_WEBP = {b"WEBPVP8X": 20, b"WEBPVP8L": 24}
"""Where the byte lies that says whether there is alpha; the simple lossy kind has none."""
_PALETTE, _WITH_ALPHA, _ALPHA_BIT = 3, (4, 6), 0x10
_OPAQUE = ("rgb", "grey")

Unlike = dict[str, dict[str, int]]
"""Field -> what differs -> how many originals that are written as they came."""


def differences(payload: bytes, mode: str = "keep") -> list[str]:
    """What of a JPEG, PNG or WebP file the copies do not have; `mode`: channels of the field."""
    if payload.startswith(b"\xff\xd8"):
        return [TURNED] if of_jpeg(payload) > 1 else []
    if payload.startswith(_PNG) and len(payload) > 25:
        return list(_of_png(payload, mode))
    place = _WEBP.get(payload[8:16], len(payload))
    return [ALPHA] if mode in _OPAQUE and place < len(payload) and payload[place] & _ALPHA_BIT else []


def _of_png(payload: bytes, mode: str) -> Iterable[str]:
    bits, kind = payload[24], payload[25]
    place = content_of(payload, b"eXIf")
    if place and of_exif(payload[place:]) > 1:
        yield TURNED
    if mode in _OPAQUE and (kind in _WITH_ALPHA or content_of(payload, b"tRNS")):
        yield ALPHA
    if kind == _PALETTE:
        yield PALETTE
    elif bits != 8:
        yield FLAT if bits < 8 else DEEP


def merge(sums: Unlike, other: Mapping[str, Mapping[str, int]]) -> None:
    """Add the numbers of other originals."""
    for field, counts in other.items():
        mine = sums.setdefault(field, {})
        for what, count in counts.items():
            mine[what] = mine.get(what, 0) + count


def told(unlike: Mapping[str, Mapping[str, int]]) -> Iterable[str]:
    """One line for each field."""
    for field, counts in sorted(unlike.items()):
        listed = ", ".join(f"{what} {count}" for what, count in sorted(counts.items()))
        yield f"{field}: originals keep their own bytes, unlike copies ({listed}); originals: decoded writes them alike"
