"""The path of threshold vectors: what counts, the order, and validity on a law whose risks are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from penjing.prove.path import Counted, Limit, PathCases, count, make_path, p_values, taken
from penjing.prove.sequence import Cases, binomial_tail

PRIOR = np.array([0.8, 0.15, 0.05])
MEANS = np.array([[0.0, 0.0], [2.2, 0.0], [0.0, 2.6]])
LIMITS = (Limit("error", "*", None, 0.05), Limit("miss", "rare", 2, 0.05))


def draw(random: np.random.Generator, rows: int) -> PathCases:
    """Three normal clouds with their true posterior as the model's probabilities."""
    truth = random.choice(3, size=rows, p=PRIOR)
    x = MEANS[truth] + random.normal(size=(rows, 2))
    weights = np.exp(-0.5 * ((x[:, None] - MEANS) ** 2).sum(-1)) * PRIOR
    chances = weights / weights.sum(1, keepdims=True)
    top, p = chances.argmax(1), np.round(chances.max(1) * 1e6).astype(np.int64)
    cases = Cases(top, p, top == truth, np.ones(rows, dtype=bool))
    return PathCases(cases, truth, np.zeros(rows, dtype=bool), chances)


def few() -> PathCases:
    """Six cases of two labels: (answer, p, truth, open, forced wrong)."""
    table = [(0, 0.9, 0, 1, 0), (0, 0.8, 1, 1, 0), (1, 0.9, 1, 1, 0), (1, 0.6, 0, 1, 0), (0, 0.9, 1, 0, 1), (0, 0.7, 1, 0, 0)]  # fmt: skip # noqa: E501
    scope, p, truth, opened, forced = (np.array(column) for column in zip(*table, strict=True))
    cases = Cases(scope, np.round(p * 1e6).astype(np.int64), scope == truth, opened.astype(bool))
    chances = np.array([[q, 1 - q] if s == 0 else [1 - q, q] for s, q in zip(scope, p, strict=True)])
    return PathCases(cases, truth, forced.astype(bool), chances)


def test_a_miss_is_a_share_of_all_cases_of_the_label_forced_ones_included() -> None:
    limits = [Limit("error", "*", None, 0.1), Limit("error", "1", 1, 0.1), Limit("miss", "1", 1, 0.1)]
    assert count(few(), (750_000, 750_000), limits) == [Counted(3, 1), Counted(1, 0), Counted(4, 2)]
    # Under a vector that decides nothing the outcome that a rule forces is still a miss.
    assert count(few(), (None, None), limits) == [Counted(0, 0), Counted(0, 0), Counted(4, 1)]
    assert taken(few().cases, (750_000, None), band=100_000).tolist() == [True, False, False, False, False, False]


def test_p_values_are_exact_and_a_closed_label_has_none() -> None:
    limits = [Limit("error", "1", 1, 0.1), Limit("miss", "1", 1, 0.1)]
    found = count(few(), (0, None), limits)
    assert p_values(found, limits, (0, None)) == [0.0, binomial_tail(found[1].errors, 4, 0.1)]
    assert p_values([Counted(0, 0)], limits[:1], (None, 0)) == [1.0], "an open label that no case has proves nothing"


def test_each_vector_automates_more_than_the_one_before() -> None:
    validation = draw(np.random.default_rng(1), 1_000)
    path = make_path(validation, LIMITS, 1_200)
    assert 5 <= len(path) <= 50 and len(set(path)) == len(path)
    for one, other in itertools.pairwise(path):
        assert all(b is not None and b <= a for a, b in zip(one, other, strict=True) if a is not None)
    assert taken(validation.cases, path[0]).sum() >= 59 * 1_000 / 1_200
    banded = make_path(validation, LIMITS, 1_200, band=1_000)
    assert banded[0] == tuple(None if p is None else p - 1_000 for p in path[0])


def test_a_limit_on_misses_raises_the_thresholds_of_the_other_labels() -> None:
    validation, many = draw(np.random.default_rng(1), 1_000), draw(np.random.default_rng(2), 100_000)
    plain = make_path(validation, LIMITS[:1], 1_200)[-1]
    strict = make_path(validation, (LIMITS[0], Limit("miss", "rare", 2, 0.02)), 1_200)[-1]
    missed = [count(many, path, LIMITS)[1].errors for path in (plain, strict)]
    assert missed[1] < missed[0] / 2


def test_without_open_cases_the_path_sends_every_case_to_a_person() -> None:
    validation = draw(np.random.default_rng(1), 50)
    cases = validation.cases
    closed = Cases(cases.scope, cases.p, cases.correct, np.zeros(50, dtype=bool))
    nothing = PathCases(closed, validation.truth, validation.forced, validation.chances)
    assert make_path(nothing, LIMITS, 50) == ((None, None, None),)


@pytest.mark.slow
def test_every_limit_holds_in_95_of_100_runs() -> None:
    """500 runs; the risks of the vector that passed are those of 400,000 further cases."""
    random, many = np.random.default_rng(0), draw(np.random.default_rng(99), 400_000)
    broken = certified = 0
    path = make_path(draw(random, 1_000), LIMITS, 1_200)
    true = [[tally.errors / tally.cases for tally in count(many, vector, LIMITS)] for vector in path]
    for _ in range(500):
        calibration, best = draw(random, 1_200), None
        for place, vector in enumerate(path):
            if max(p_values(count(calibration, vector, LIMITS), LIMITS, vector)) > 0.05:
                break
            best = place
        if best is not None:
            certified += 1
            broken += any(risk > each.risk for risk, each in zip(true[best], LIMITS, strict=True))
    assert certified > 100
    assert broken / 500 <= 0.05 + 0.03
