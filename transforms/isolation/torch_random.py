"""Randomness for libraries that draw from PyTorch's global CPU generator, under one lock for the whole process.

PyTorch knows no generator per thread, and most of torchvision takes none as an argument. So a thread that draws holds
the lock, begins from its seed, and gives the generator back as it was: 3 us in all. Code that draws from the global
generator in another thread at the same time, without this lock, would disturb both.
"""

import threading
from functools import cache
from importlib import import_module
from types import TracebackType
from typing import Any

_lock = threading.Lock()


def torch_seed(seed: bytes) -> int:
    """Give `n` for `torch.manual_seed(n)`: the first 8 of the 16 bytes, little-endian.

    PyTorch's CPU generator uses the lower 32 bits. `philox.chance` reads the other 8 bytes.
    """
    return int.from_bytes(seed[:8], "little")


class seeded:  # noqa: N801 - used as a context manager, like a function
    """Draw from `seed` (16 bytes): `with seeded(seed): ...`. Other threads wait; not to be nested."""

    __slots__ = ("_before", "_seed")

    def __init__(self, seed: bytes) -> None:
        self._seed = torch_seed(seed)
        self._before: Any = None

    def __enter__(self) -> None:
        """Take the lock and begin to draw from the seed."""
        generator = _generator()
        _lock.acquire()
        self._before = generator.get_state()
        generator.manual_seed(self._seed)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Give the generator back as it was."""
        try:
            _generator().set_state(self._before)
        finally:
            _lock.release()


@cache
def _generator() -> Any:
    return import_module("torch").default_generator
