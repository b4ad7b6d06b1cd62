"""The losses on a teacher's states are the written ones; units, widths and padding as said."""

from __future__ import annotations

import math

import pytest
import torch

from penjing.pretrain.parts.distil_losses import measure_spread, pooled_loss, similarity_loss, token_loss

MASK = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 0, 0]])


def states(seed: int, width: int = 5) -> torch.Tensor:
    return torch.randn(3, 4, width, generator=torch.Generator().manual_seed(seed)) * torch.arange(1.0, width + 1) + 3


def test_the_spread_is_that_of_real_tokens_and_of_texts() -> None:
    wanted = states(0)
    spread = measure_spread(wanted, MASK)
    real = torch.cat([wanted[0, :3], wanted[1], wanted[2, :2]])
    pooled = torch.stack([wanted[0, :3].mean(0), wanted[1].mean(0), wanted[2, :2].mean(0)])
    assert torch.allclose(spread.token_mean, real.mean(0)) and torch.allclose(spread.token_spread, real.std(0))
    assert torch.allclose(spread.pooled_mean, pooled.mean(0), atol=1e-6)
    assert torch.allclose(spread.pooled_spread, pooled.std(0), atol=1e-5)


def test_a_dimension_that_never_changes_is_compared_as_it_is() -> None:
    wanted = states(0)
    wanted[:, :, 2] = 4
    spread = measure_spread(wanted, MASK)
    assert (spread.token_spread[2], spread.pooled_spread[2]) == (1, 1)
    given = (wanted - spread.token_mean) / spread.token_spread
    assert token_loss(given, wanted, MASK, spread) == 0 and pooled_loss(given, wanted, MASK, spread) < 1e-10


def test_tokens_and_pooled_states_are_compared_in_units_of_their_spread() -> None:
    wanted, given = states(1), states(2)
    spread = measure_spread(wanted, MASK)
    standard = (wanted - spread.token_mean) / spread.token_spread
    real = [(row, place) for row in range(3) for place in range(4) if MASK[row, place]]
    by_hand = sum(float((given[at] - standard[at]).square().mean()) for at in real) / len(real)
    assert token_loss(given, wanted, MASK, spread).item() == pytest.approx(by_hand, rel=1e-5)
    assert token_loss(standard, wanted, MASK, spread).item() == 0
    assert pooled_loss(standard, wanted, MASK, spread).item() == pytest.approx(0, abs=1e-10)
    # A student that always gives the teacher's mean has a loss of one variance, here over three texts of n - 1 = 2.
    pooled_mean = (spread.pooled_mean - spread.token_mean) / spread.token_spread
    assert pooled_loss(pooled_mean.expand(3, 4, 5), wanted, MASK, spread).item() == pytest.approx(2 / 3, rel=1e-4)
    changed = given.clone()
    changed[0, 3] = 99
    for loss in (token_loss, pooled_loss):
        assert loss(changed, wanted, MASK, spread) == loss(given, wanted, MASK, spread)


def test_similarities_are_those_to_the_other_texts() -> None:
    wanted, given = states(3)[:, 0], states(4, 7)[:, 0]
    total = 0.0
    for row in range(3):
        others = [other for other in range(3) if other != row]
        rows = []
        for each in (wanted, given):
            cosines = [float(torch.cosine_similarity(each[row], each[other], dim=0)) / 0.1 for other in others]
            top = sum(math.exp(cosine) for cosine in cosines)
            rows.append([math.exp(cosine) / top for cosine in cosines])
        total += sum(p * math.log(p / q) for p, q in zip(*rows, strict=True))
    assert similarity_loss(given, wanted, 0.1).item() == pytest.approx(total / 3, rel=1e-4)
    assert similarity_loss(2 * wanted, wanted, 0.05).item() == pytest.approx(0, abs=1e-6)
    assert similarity_loss(given[:1], wanted[:1]).item() == 0
