"""Seeds: keyed blake2b of what names a draw. Nothing here depends on time, order, position or worker."""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transforms.interface import SEED_BYTES


def _state(*parts: str) -> Any:
    """16 bytes of blake2b over length-prefixed parts, so that no two lists of parts run together."""
    return blake2b(b"".join(map(_part, parts)), digest_size=SEED_BYTES, person=b"fanbeam.seed")


def _part(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw).to_bytes(8, "little") + raw


def variant_seed(run_seed: int, record_key: str, copy: int) -> bytes:
    """Seed of one copy of one record (16 bytes); its hex form stands in the lineage."""
    return variant_seeds(run_seed, record_key, (copy,))[0]


def variant_seeds(run_seed: int, record_key: str, copies: Iterable[int]) -> list[bytes]:
    """Seeds of some copies of one record, 16 bytes each."""
    start, seeds = _state(str(run_seed), record_key), []
    for copy in copies:
        state = start.copy()
        state.update(_numbered(copy))
        seeds.append(state.digest())
    return seeds


@lru_cache(maxsize=1024)
def _numbered(copy: int) -> bytes:
    return _part(str(copy))


def field_seed(seed: bytes, field: str, part: str, attempt: int = 0) -> bytes:
    """Seed of one field's recipe (`part` is `prepare` or `augment`) within a variant; `attempt` counts retries."""
    return blake2b(f"{part}\0{attempt}\0{field}".encode(), key=seed, digest_size=SEED_BYTES).digest()


def unit_intervals(seed: int, keys: Iterable[bytes], purpose: str, kind: bytes = b"") -> NDArray[np.float64]:
    """For each key a number in 0 <= u < 1 that depends on `seed`, `kind` + key and `purpose` alone."""
    start = _state(purpose, str(seed))
    begun: dict[int, Any] = {}
    digests = []
    for key in keys:  # a copy of a state that has seen all but the key costs half of a new one
        if len(key) not in begun:
            begun[len(key)] = start.copy()
            begun[len(key)].update((len(kind) + len(key)).to_bytes(8, "little") + kind)
        state = begun[len(key)].copy()
        state.update(key)
        digests.append(state.digest())
    return (np.frombuffer(b"".join(digests), "<u8")[::2] >> np.uint64(11)) / 2.0**53
