"""Which other records a step blends with: the step's seed ranks those that a value's donors offer.

A donor that is added or removed moves only the draws that fall on it: each seed ranks each key by itself.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from transforms.values import AudioValue, ImageValue, TextValue

V = TypeVar("V", ImageValue, AudioValue, TextValue)
SCOPES = ("same_class", "other_class", "any")
_KEPT_DIGESTS = 2**16


def partners(value: V, scope: str, seed: bytes) -> Iterator[tuple[str, V]]:
    """Keys and values of donors, in the order in which the seed ranks them; those that are unusable are passed over.

    Raises ValueError where nobody offers other records.
    """
    donors = None if value.peers is None else value.peers.donors
    if donors is None:
        raise ValueError("nothing offers other records to blend with here")
    for name in ranked(donors.names(scope), seed):
        found = donors.value(name)
        if isinstance(found, type(value)) and _comparable(value, found):
            yield name, found


def ranked(names: Sequence[str], seed: bytes) -> list[str]:
    """The names by a mixture of their digests with the first 8 of a seed's 16 bytes."""
    digests = np.array([_digest(name) for name in names], np.uint64)
    mixed = _stirred(digests ^ np.uint64(int.from_bytes(seed[:8], "little")))
    return [names[place] for place in np.lexsort((digests, mixed)).tolist()]


def _comparable(value: V, other: V) -> bool:
    """Where the value has masks, pixels of a picture that nobody marked would stand for unmarked objects."""
    return not isinstance(value, ImageValue) or value.masks is None or getattr(other, "masks", None) is not None


@lru_cache(_KEPT_DIGESTS)
def _digest(name: str) -> int:
    return int.from_bytes(blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def _stirred(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    stirred: NDArray[np.uint64] = numbers ^ (numbers >> np.uint64(31))
    return stirred
