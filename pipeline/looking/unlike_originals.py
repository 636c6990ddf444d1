"""In what a picture differs from its copies, which are upright, have the channels of the field and 8 bits."""

from collections import Counter
from collections.abc import Sequence

from pipeline.codecs.orientation import of_exif, of_jpeg

_PNG = b"\x89PNG"
_PALETTE = 3


def unlike(payloads: Sequence[bytes], deep: str, channels: Counter[int]) -> tuple[str, ...]:
    """What differs, each with the number of pictures; `channels` counts those of pictures as they are decoded."""
    found = Counter(difference for payload in payloads for difference in _differences(bytes(payload)))
    found["alpha"] = channels[4]
    found["more than 8 bits"] = len(payloads) if deep else 0
    return tuple(f"{name}: {count}" for name, count in sorted(found.items()) if count)


def _differences(payload: bytes) -> list[str]:
    if payload.startswith(b"\xff\xd8"):
        return ["turned by EXIF"] if of_jpeg(payload) > 1 else []
    if payload.startswith(_PNG) and len(payload) > 25:
        place = payload.find(b"eXIf")
        found = ["turned by EXIF"] if place > 0 and of_exif(payload[place + 4 :]) > 1 else []
        bits, kind = payload[24], payload[25]
        return [*found, *(["palette"] if kind == _PALETTE else ["less than 8 bits"] if bits < 8 else [])]
    return []
