import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.isolation.philox import PhiloxPair, chance, generators

SEED = bytes(range(100, 116))


def draws(numpy: np.random.Generator, python: random.Random) -> list[object]:
    letters = list("abcdefgh")
    python.shuffle(letters)
    return [
        python.random(), numpy.normal(), python.uniform(1, 2), python.randint(0, 99), python.gauss(0, 1),
        python.sample(range(90), 3), python.choice("abc"), numpy.integers(0, 7, 5).tolist(), letters,
        python.betavariate(1, 2), python.getrandbits(100), python.getrandbits(0),
    ]  # fmt: skip


def test_seeding_again_gives_the_same_draws_whatever_was_drawn_before() -> None:
    pair = PhiloxPair()
    pair.seed(bytes(16))
    draws(pair.numpy, pair.python)
    pair.python.gauss(0, 1)  # keeps a second value for the next call
    pair.numpy.integers(0, 9, dtype=np.uint32)  # keeps half a word
    pair.seed(SEED)
    assert draws(pair.numpy, pair.python) == draws(*generators(SEED))


def test_numpy_draws_what_a_fresh_philox_draws() -> None:
    fresh = np.random.Generator(np.random.Philox(key=int.from_bytes(SEED, "little")))
    numpy, _ = generators(SEED)
    assert np.array_equal(numpy.integers(0, 100, 50), fresh.integers(0, 100, 50))


def test_seeds_differ() -> None:
    assert draws(*generators(SEED)) != draws(*generators(bytes(16)))


@given(st.integers(1, 300))
def test_bits_have_their_number(count: int) -> None:
    _, python = generators(SEED)
    found = [python.getrandbits(count) for _ in range(64)]
    assert max(found) < 2**count
    assert max(found) >= 2 ** (count - 1)
    with pytest.raises(ValueError, match="non-negative"):
        python.getrandbits(-1)


def test_python_draws_evenly() -> None:
    _, python = generators(SEED)
    values = [python.random() for _ in range(4000)]
    assert 0.48 < float(np.mean(values)) < 0.52
    assert all(0 <= value < 1 for value in values)
    counts = np.bincount([python.randrange(5) for _ in range(5000)])
    assert len(counts) == 5
    assert counts.min() > 900


@given(st.binary(min_size=16, max_size=16))
def test_chance_is_a_share(seed: bytes) -> None:
    assert 0 <= chance(seed) < 1
