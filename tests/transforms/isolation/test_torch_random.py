import threading

import pytest
import torch

from transforms.isolation.philox import chance
from transforms.isolation.torch_random import seeded, torch_seed

SEED = bytes(range(16))


def test_draws_are_those_of_torch_after_manual_seed() -> None:
    torch.manual_seed(torch_seed(SEED))
    expected = torch.rand(5)
    with seeded(SEED):
        assert torch.equal(torch.rand(5), expected)


def test_the_global_generator_is_given_back_as_it_was() -> None:
    torch.manual_seed(3)
    torch.randn(7)
    before = torch.get_rng_state()
    with seeded(SEED):
        torch.randn(100)
    assert torch.equal(torch.get_rng_state(), before)


def test_it_is_given_back_after_an_error_too() -> None:
    before = torch.get_rng_state()
    with pytest.raises(ValueError, match="no"), seeded(SEED):
        torch.rand(1)
        raise ValueError("no")
    assert torch.equal(torch.get_rng_state(), before)
    with seeded(SEED):  # and the lock is free
        pass


def test_the_seed_shares_no_byte_with_the_chance_of_a_step() -> None:
    other = SEED[:8] + bytes(8)
    assert torch_seed(other) == torch_seed(SEED)
    assert chance(other) != chance(SEED)


def test_threads_draw_one_after_the_other() -> None:
    drawn: dict[int, list[float]] = {}

    def run(number: int) -> None:
        for _ in range(50):
            with seeded(bytes([number]) * 16):
                drawn[number] = torch.rand(20).tolist()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        torch.manual_seed(torch_seed(bytes([number]) * 16))
        assert drawn[number] == torch.rand(20).tolist()
