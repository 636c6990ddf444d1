"""Decoded pictures of a process: the most recently used ones, as many as fit into a bounded number of bytes."""

from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray

from transforms.isolation.bounded_cache import BoundedCache

MOST_BYTES = 128 * 2**20


class PictureCache:
    """Key -> pixels that nobody may write to. Safe to share between threads."""

    __slots__ = ("_kept",)

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._kept: BoundedCache[NDArray[np.uint8]] = BoundedCache(most, lambda pixels: pixels.nbytes)

    def get(self, key: Hashable, decode: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """The pixels of a key, decoded if they are not kept; what `decode` raises passes."""

        def sealed() -> NDArray[np.uint8]:
            pixels = decode()
            pixels.setflags(write=False)
            return pixels

        return self._kept.get(key, sealed)
