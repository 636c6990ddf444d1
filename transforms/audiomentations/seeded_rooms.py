"""Randomness of pyroomacoustics, whose generator is one for the process: seeded for each room, under a lock."""

import threading
from importlib import import_module

from transforms.isolation import global_random

_LOCK = threading.Lock()


class SeededRoom:
    """Draw from `seed` (16 bytes) in this thread: `with SeededRoom(seed): ...`. Other threads wait."""

    __slots__ = ("_seed",)

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    def __enter__(self) -> None:
        """Take the lock and seed."""
        _LOCK.acquire()
        import_module("pyroomacoustics").random.seed(global_random.numpy_seed(self._seed)[0])

    def __exit__(self, *error: object) -> None:
        """Let others go on."""
        _LOCK.release()
