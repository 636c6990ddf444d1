"""Two generators of one Philox stream, `random.Random` and `numpy.random.Generator`, for libraries that take both.

Setting the state of an existing Philox takes 1.5 us; a new one takes 10, and seeding Python's own Mersenne twister 6.
"""

import random
from typing import Any

import numpy as np

_WORD_BITS = 64


class PhiloxRandom(random.Random):
    """Python's generator, drawing from a numpy bit generator instead of its own twister."""

    def __init__(self, bits: np.random.BitGenerator) -> None:
        super().__init__(0)
        self._raw = bits.random_raw
        self.random = np.random.Generator(bits).random  # type: ignore[method-assign]
        self.gauss_next: float | None = None

    def getrandbits(self, k: int, /) -> int:
        """Give an int of `k` bits, from as few 64 bit words as hold them."""
        if k < 0:
            raise ValueError("number of bits must be non-negative")
        value = 0
        for shift in range(0, k, _WORD_BITS):
            value |= int(self._raw()) << shift
        return value >> (-k % _WORD_BITS)


class PhiloxPair:
    """Both generators and their common start. Not to be shared between threads."""

    __slots__ = ("_bits", "_key", "_state", "numpy", "python")

    def __init__(self) -> None:
        self._bits = np.random.Philox(key=0)
        self.numpy = np.random.Generator(self._bits)
        self.python = PhiloxRandom(self._bits)
        zeros = np.zeros(4, np.uint64)
        self._key = bytearray(16)
        self._state: Any = {
            "bit_generator": "Philox",
            "state": {"counter": zeros, "key": np.frombuffer(self._key, "<u8")},
            "buffer": zeros,
            "buffer_pos": 4,
            "has_uint32": 0,
            "uinteger": 0,
        }

    def seed(self, seed: bytes) -> None:
        """Begin anew, as a fresh `Philox(key=int.from_bytes(seed, "little"))`; `seed` is 16 bytes."""
        self._key[:] = seed
        self._bits.state = self._state
        self.python.gauss_next = None


def chance(seed: bytes) -> float:
    """Give a number in 0 <= u < 1, from the last 8 of a seed's 16 bytes: it decides for or against a step by its p."""
    return (int.from_bytes(seed[8:], "little") >> 11) * 2.0**-53


def generators(seed: bytes) -> tuple[np.random.Generator, random.Random]:
    """Give the two generators that a step with this seed draws from: to call a library directly and compare."""
    pair = PhiloxPair()
    pair.seed(seed)
    return pair.numpy, pair.python
