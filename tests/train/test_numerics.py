"""A run's numeric settings hold within it and are gone after it."""

from __future__ import annotations

import torch

from penjing.train.numerics import random_state, repeatable, set_random_state


def test_settings_are_put_back() -> None:
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.get_rng_state())
    with repeatable(seed=5, threads=1):
        assert torch.get_num_threads() == 1
        assert torch.are_deterministic_algorithms_enabled()
        first = torch.rand(3)
    with repeatable(seed=5, threads=1):
        assert torch.equal(torch.rand(3), first)
    assert torch.get_num_threads() == before[0]
    assert torch.are_deterministic_algorithms_enabled() == before[1]
    assert torch.equal(torch.get_rng_state(), before[2])


def test_the_random_state_goes_on_where_it_was_taken() -> None:
    with repeatable(seed=1, threads=1):
        torch.rand(4)
        state = random_state("cpu")
        expected = torch.rand(4)
        set_random_state(state)
        assert torch.equal(torch.rand(4), expected)
