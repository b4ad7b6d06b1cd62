"""The choice among learning rates: the best at the rung, of a tie the middle one, none that diverged."""

from __future__ import annotations

from typing import Any

import pytest

from penjing.tune.rates import best_first, rung_of

RATES = (5e-5, 1e-4, 2e-4)


def scores(*values: float | None) -> list[dict[str, Any]]:
    return [{} if value is None else {"macro_f1": value, "loss": 1 - value} for value in values]


@pytest.mark.parametrize(
    ("found", "rows", "order"),
    [
        ((0.70, 0.80, 0.90), 1000, [2, 1, 0]),
        ((0.90, 0.895, 0.80), 240, [1, 0, 2]),
        ((0.90, 0.895, 0.80), 1_000_000, [0, 1, 2]),
        ((0.90, None, 0.80), 240, [0, 2]),
        ((None, None, None), 240, []),
        ((1.0, 1.0, 1.0), 10, [1, 0, 2]),
        ((0.85, 0.40, 0.84), 50, [0, 2, 1]),
    ],
)
def test_the_best_goes_on_and_of_a_tie_the_middle(found: tuple[float | None, ...], rows: int, order: list[int]) -> None:
    assert best_first(RATES, scores(*found), "macro_f1", rows) == order


def test_by_loss_there_are_no_ties() -> None:
    assert best_first(RATES, scores(0.9, 0.899, 0.1), "loss", 10) == [0, 1, 2]


def test_the_middle_of_an_even_list_is_its_geometric_mean() -> None:
    assert best_first((1e-5, 1e-4, 2e-4, 1e-3), scores(0.9, 0.9, 0.9, 0.9), "macro_f1", 100)[0] == 1


def test_three_rates_cost_a_third_more_than_one() -> None:
    assert rung_of(600, 3) == 100
    assert rung_of(60, 3) == 32
    assert rung_of(20, 3) == 20
    assert rung_of(600, 1) == 0
