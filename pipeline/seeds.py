"""Seeds: keyed blake2b of what names a draw. Nothing here depends on time, order, position or worker."""

from hashlib import blake2b

from transforms.interface import SEED_BYTES


def _digest(*parts: str) -> bytes:
    """16 bytes of blake2b over length-prefixed parts, so that no two lists of parts run together."""
    state = blake2b(digest_size=SEED_BYTES, person=b"fanbeam.seed")
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        state.update(len(raw).to_bytes(8, "little"))
        state.update(raw)
    return state.digest()


def variant_seed(run_seed: int, record_key: str, copy: int) -> bytes:
    """Seed of one copy of one record (16 bytes); its hex form stands in the lineage."""
    return _digest(str(run_seed), record_key, str(copy))


def field_seed(seed: bytes, field: str, part: str, attempt: int = 0) -> bytes:
    """Seed of one field's recipe (`part` is `prepare` or `augment`) within a variant; `attempt` counts retries."""
    return blake2b(f"{part}\0{attempt}\0{field}".encode(), key=seed, digest_size=SEED_BYTES).digest()


def unit_interval(seed: int, key: str, purpose: str) -> float:
    """A number in 0 <= u < 1 that depends on `seed`, `key` and `purpose` alone; equal keys get equal numbers."""
    return (int.from_bytes(_digest(purpose, str(seed), key)[:8], "little") >> 11) / 2.0**53
