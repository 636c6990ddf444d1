"""nlpaug called directly, with the globals seeded as a step seeds its own draws."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from transforms.isolation.global_random import numpy_seed, python_seed

SEED = bytes(range(30, 46))


@contextmanager
def seeded_globals(seed: bytes = SEED) -> Iterator[None]:
    kept = random.getstate(), np.random.get_state()
    random.seed(python_seed(seed))
    np.random.seed(numpy_seed(seed))
    try:
        yield
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])
