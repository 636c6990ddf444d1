"""Randomness for libraries that draw from the globals `random` and `numpy.random`, kept apart per thread.

`capture` replaces the names `random` (or `py_random`), `np` and `numpy` in the modules of such a library. Inside of
`seeded`, their draws come from generators of this thread; the real globals are neither read nor written, and threads do
not wait for each other. Outside of `seeded` the replaced names behave as ever.

Seed to globals: the draws are those of the library called directly after `random.seed(a); numpy.random.seed(b)`, where
`a = int.from_bytes(seed, "little")` and `b` is the list of the seed's four little-endian 32 bit words (`python_seed`
and `numpy_seed`). A generator is seeded at its first draw: 4 us for Python's, 7 us for numpy's.
"""

import random
import threading
from types import ModuleType, TracebackType
from typing import Any

import numpy as np

from transforms.isolation.library_warnings import loaded_modules


def python_seed(seed: bytes) -> int:
    """Give `a` for `random.seed(a)`: the 16 bytes as one little-endian number."""
    return int.from_bytes(seed, "little")


def numpy_seed(seed: bytes) -> list[int]:
    """Give `b` for `numpy.random.seed(b)`: the 16 bytes as four little-endian 32 bit words."""
    return [int(word) for word in np.frombuffer(seed, "<u4")]


class seeded:  # noqa: N801 - used as a context manager, like a function
    """Draw from `seed` (16 bytes) in this thread: `with seeded(seed): ...`. Not to be nested."""

    __slots__ = ("_seed",)

    def __init__(self, seed: bytes) -> None:
        self._seed = seed

    def __enter__(self) -> None:
        """Begin to draw from the seed."""
        _thread.seed = self._seed
        _thread.python_ready = False
        _thread.numpy_ready = False

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Go back to the real globals."""
        _thread.seed = None


def capture(package: str) -> None:
    """Route the draws of all loaded modules of `package` through this module. May be called again."""
    for module in loaded_modules(package):
        names = vars(module)
        for name, real, stand_in in _STAND_INS:
            if names.get(name) is real:
                names[name] = stand_in


class _Thread(threading.local):
    """The state of one thread; `seed` is None outside of `seeded`."""

    def __init__(self) -> None:
        self.seed: bytes | None = None
        self.python_ready = False
        self.numpy_ready = False
        self.python = random.Random(0)
        self.numpy = np.random.RandomState(0)


_thread = _Thread()


class _Python(ModuleType):
    """Stands in for the module `random`."""

    def __getattr__(self, name: str) -> Any:
        if _thread.seed is None or not hasattr(_thread.python, name):
            return getattr(random, name)
        if not _thread.python_ready:
            _thread.python.seed(python_seed(_thread.seed))
            _thread.python_ready = True
        return getattr(_thread.python, name)


class _NumpyRandom(ModuleType):
    """Stands in for the module `numpy.random`."""

    def __getattr__(self, name: str) -> Any:
        if _thread.seed is None or not hasattr(_thread.numpy, name):
            return getattr(np.random, name)
        if not _thread.numpy_ready:
            _thread.numpy.seed(np.frombuffer(_thread.seed, "<u4"))
            _thread.numpy_ready = True
        return getattr(_thread.numpy, name)


def _numpy_stand_in() -> ModuleType:
    """Copy the module numpy, so that every name but `random` costs what it always costs."""
    stand_in = ModuleType("numpy")
    vars(stand_in).update(vars(np), random=_NumpyRandom("numpy.random"))
    return stand_in


_numpy = _numpy_stand_in()
_python = _Python("random")
_STAND_INS = (("random", random, _python), ("py_random", random, _python), ("np", np, _numpy), ("numpy", np, _numpy))
