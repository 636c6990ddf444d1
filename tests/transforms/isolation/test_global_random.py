import random
import sys
import types
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from transforms.isolation.global_random import capture, numpy_seed, python_seed, seeded

SOURCE = """
import random
import numpy as np
import numpy
def draw():
    return [
        random.random(), random.uniform(1, 2), random.randint(1, 9), random.choice("abc"), random.sample([1, 2, 3], 2),
        np.random.normal(), np.random.randint(0, 100), np.random.random(), np.random.choice([1, 2, 3]),
        np.random.rand(2).tolist(), numpy.random.randn(), np.random.uniform(0, 1), np.random.permutation(4).tolist(),
    ]
"""


@pytest.fixture
def library() -> Iterator[types.ModuleType]:
    module = types.ModuleType("drawing_library")
    exec(SOURCE, vars(module))
    sys.modules["drawing_library"] = module
    capture("drawing_library")
    capture("drawing_library")
    yield module
    del sys.modules["drawing_library"]


def directly(seed: bytes) -> object:
    module = types.ModuleType("uncaptured")
    exec(SOURCE, vars(module))
    kept = random.getstate(), np.random.get_state()
    random.seed(python_seed(seed))
    np.random.seed(numpy_seed(seed))
    try:
        return module.draw()
    finally:
        random.setstate(kept[0])
        np.random.set_state(kept[1])


def test_draws_are_those_of_the_seeded_globals(library: types.ModuleType) -> None:
    for number in range(3):
        seed = bytes(range(number, number + 16))
        with seeded(seed):
            assert library.draw() == directly(seed)


def test_the_mapping_of_seeds() -> None:
    seed = bytes(range(16))
    assert python_seed(seed) == 0x0F0E0D0C0B0A09080706050403020100
    assert numpy_seed(seed) == [0x03020100, 0x07060504, 0x0B0A0908, 0x0F0E0D0C]


def test_the_globals_are_neither_read_nor_written(library: types.ModuleType) -> None:
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]
    with seeded(bytes(16)):
        library.draw()
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index, union-attr]


def test_outside_the_library_draws_from_the_globals(library: types.ModuleType) -> None:
    kept = random.getstate()
    random.seed(5)
    expected = random.random()
    random.seed(5)
    assert library.random.random() == expected
    random.setstate(kept)
    assert library.np.random.default_rng is np.random.default_rng
    assert library.np.float32 is np.float32
    assert library.random.Random is random.Random


def test_an_error_inside_ends_the_seed(library: types.ModuleType) -> None:
    with pytest.raises(RuntimeError), seeded(bytes(16)):
        raise RuntimeError
    kept = random.getstate()
    library.random.random()
    assert random.getstate() != kept


def test_four_threads_draw_what_each_alone_would(library: types.ModuleType) -> None:
    seeds = [bytes([number]) * 16 for number in range(40)]

    def run(seed: bytes) -> object:
        with seeded(seed):
            return [library.draw() for _ in range(5)]

    alone = [run(seed) for seed in seeds]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(run, seeds)) == alone
