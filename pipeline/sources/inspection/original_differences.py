"""In what a picture differs from its copies, which are upright, have the channels of the field and 8 bits."""

from collections import Counter
from collections.abc import Sequence

from pipeline.modalities.codecs.image.original_differences import ALPHA, DEEP, differences


def unlike(payloads: Sequence[bytes], deep: str, channels: Counter[int]) -> tuple[str, ...]:
    """What differs, each with the number of pictures; `channels` counts those of pictures as they are decoded."""
    found = Counter(difference for payload in payloads for difference in differences(bytes(payload)))
    found[ALPHA] = channels[4]
    found[DEEP] = len(payloads) if deep else 0
    return tuple(f"{name}: {count}" for name, count in sorted(found.items()) if count)
