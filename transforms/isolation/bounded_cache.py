"""What a process made and may need again: the most recently used, as much as fits into a bounded number of bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class BoundedCache(Generic[T]):
    """Key -> what was made for it; `size` says how many bytes something takes. Safe to share between threads."""

    __slots__ = ("_held", "_kept", "_lock", "_most", "_size")

    def __init__(self, most: int, size: Callable[[T], int]) -> None:
        self._kept: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = threading.Lock()
        self._held = 0
        self._most, self._size = most, size

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """What is kept under a key, made if nothing is; what `make` raises passes."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            if key not in self._kept:
                self._kept[key] = made
                self._held += self._size(made)
            while self._held > self._most and len(self._kept) > 1:
                self._held -= self._size(self._kept.popitem(last=False)[1])
        return made
