"""The harm table: what is decided wrongly without a person, over all cases of a true label."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.prove.harm import best_bound, harm_table
from penjing.prove.sequence import upper_bound
from penjing.tasks import open_task

TASK = open_task("classify", {"labels": ["legal", "illegal"]})


def test_reviewed_cases_are_in_the_denominator_and_forced_errors_in_the_numerator() -> None:
    golds = ["illegal"] * 5 + ["legal"] * 6
    outcomes = ["legal", "legal", "legal", "illegal", "illegal"] + ["legal"] * 5 + ["illegal"]
    automated = np.array([1, 0, 0, 1, 0] + [1] * 5 + [0], dtype=bool)
    forced = np.array([0, 1, 0, 0, 0] + [0] * 5 + [1], dtype=bool)
    legal, illegal = harm_table(TASK, outcomes, golds, automated, forced)
    # Of the illegal ones: one wrong by the model, one by a rule, one wrong answer that a person saw.
    assert (illegal.label, illegal.rows, illegal.wrong, illegal.forced) == ("illegal", 5, 2, 1)
    assert (legal.label, legal.rows, legal.wrong, legal.forced) == ("legal", 6, 1, 1)
    assert illegal.high == upper_bound(2, 5) and illegal.best == pytest.approx(1 - 0.05**0.2)


def test_the_best_bound_is_that_of_no_error() -> None:
    for rows in (1, 59, 1_000):
        assert best_bound(rows) == pytest.approx(upper_bound(0, rows), abs=1e-9)
    assert best_bound(0) == 1.0 and best_bound(59) < 0.05 < best_bound(58)
    assert best_bound(59, 0.025) > best_bound(59)


def test_without_rows_there_is_no_table() -> None:
    none = np.array([], dtype=bool)
    assert harm_table(TASK, [], [], none, none) == ()
