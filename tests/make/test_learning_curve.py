"""What more rows would buy: found again from scores of a known law, and measured on rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from penjing.core.answers import Choice
from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.core.task import Task
from penjing.data.prepare import prepare
from penjing.make.learning_curve import FEWEST, SHARES, Fitted, answer_of, forecast_of, learning_curve, round_rows
from penjing.tasks import open_reader, reader_of


def fits_of(task: Task, error: Callable[[int], float], rows: int, seed: int = 0) -> list[Fitted]:
    """Fits that are wrong as often as a law says, on 2,000 validation rows."""
    draw, golds, found = np.random.default_rng(seed), ["a", "b"] * 1000, []
    for share in SHARES:
        for _ in range(3 if share < 1 else 1):
            wrong = draw.random(2000) < error(round(share * rows))
            said = [("b" if gold == "a" else "a") if bad else gold for gold, bad in zip(golds, wrong, strict=True)]
            answers = [Choice(("a", "b"), (1.0, 0.0) if one == "a" else (0.0, 1.0)) for one in said]
            found.append(Fitted(round(share * rows), csr_matrix(task.counts(answers, golds))))
    return found


@pytest.fixture
def task() -> Task:
    return open_reader("classify", {}).learn(["a", "b"])


def test_the_gain_of_a_known_law_is_within_the_interval(task: Task) -> None:
    def error(rows: int) -> float:
        return 0.04 + 3 * rows**-0.5

    truth = error(1600) - error(2600)
    inside = 0
    for seed in range(5):
        found = forecast_of(task, fits_of(task, error, 1600, seed), 1600, 0)
        assert (found.rows, found.more, found.metric, found.answer) == (1600, 1000, "macro_f1", "gain")
        assert found.low <= found.gain <= found.high
        inside += found.low <= truth <= found.high
    assert inside >= 4
    assert found == forecast_of(task, fits_of(task, error, 1600, seed), 1600, 0)


def test_a_law_that_said_too_little_of_the_rows_there_are_widens_the_interval_above(task: Task) -> None:
    found = forecast_of(task, fits_of(task, lambda rows: 0.9 - 0.5 * rows / 3000, 1600), 1600, 0)
    assert found.high - found.gain > 2 * (found.gain - found.low)


def test_a_curve_that_does_not_rise_is_flat_or_noisy(task: Task) -> None:
    found = forecast_of(task, fits_of(task, lambda _: 0.1, 1600), 1600, 0)
    assert found.answer in ("flat", "noisy") and found.gain < 0.01
    assert answer_of(high=0.004, risen=0.1) == "flat"
    assert answer_of(high=0.03, risen=-0.001) == "noisy"
    assert answer_of(high=0.03, risen=0.001) == "gain"


@pytest.mark.parametrize(("rows", "more"), [(1, 1), (9, 5), (10, 10), (450, 200), (999, 500), (1000, 1000)])
def test_at_most_as_many_rows_again(rows: int, more: int) -> None:
    assert round_rows(rows) == more


def test_it_is_measured_on_the_rows_of_a_recipe(recipe_in: Callable[..., Path]) -> None:
    file = load_recipe(recipe_in(rows=600))
    data = prepare(file, reader_of(file), Silent())
    assert len(data.train) >= FEWEST
    found = learning_curve(file, data, Silent(), c=4.0)
    assert found is not None and found.rows == len(data.train)
    assert [point.rows for point in found.points] == [round(share * len(data.train)) for share in SHARES]
    assert all(point.low <= point.high for point in found.points)
    assert found.points[-1].score > found.points[0].score
    small = load_recipe(recipe_in(rows=200))
    assert learning_curve(small, prepare(small, reader_of(small), Silent()), Silent(), c=4.0) is None
