"""Decoded pictures of a process: the most recently used ones, as many as fit into a bounded number of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 128 * 2**20


class PictureCache:
    """Key -> pixels that nobody may write to. Safe to share between threads."""

    __slots__ = ("_held", "_kept", "_lock", "_most")

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._kept: OrderedDict[Hashable, NDArray[np.uint8]] = OrderedDict()
        self._lock = threading.Lock()
        self._held = 0
        self._most = most

    def get(self, key: Hashable, decode: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
        """The pixels of a key, decoded if they are not kept; what `decode` raises passes."""
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        pixels = decode()
        pixels.setflags(write=False)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = pixels
                self._held += pixels.nbytes
            while self._held > self._most and len(self._kept) > 1:
                self._held -= self._kept.popitem(last=False)[1].nbytes
        return pixels
