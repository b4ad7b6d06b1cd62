"""Rows out of operation: read, told apart from rows drawn alike, and never fooled by what was selected."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.prove.selected import are_selected, differ, read_probability
from penjing.prove.sequence import Cases, chosen, run_sequence


@pytest.mark.parametrize(("written", "value"), [("0.01", 0.01), ("1", 1.0), ("0", None), ("1.01", None), ("x", None)])
def test_a_probability_is_above_nothing_and_at_most_one(written: str, value: float | None) -> None:
    assert read_probability(written) == value and read_probability("nan") is None


def test_files_of_reviews_are_known_by_their_columns() -> None:
    assert are_selected(["id", "Outcome ", "p", "reason", "verdict"]) and are_selected(["编号", "结果", "原因", "结论"])
    assert not are_selected(["outcome", "reason", "verdict", "drawn"]) and not are_selected(["text", "label", "reason"])
    assert not differ([0.1, 0.1]) and differ([0.1, 1.0])


def test_weights_keep_the_promise_where_the_plain_share_would_break_it() -> None:
    """Reviewed cases are right, audited ones often wrong: by plain counts all would be automated at far below 10 %."""
    rng, broken, plain = np.random.default_rng(2), 0, 0
    for _ in range(300):
        doubtful = rng.random(3000) < 0.3
        taken = rng.random(3000) < np.where(doubtful, 1.0, 0.05)
        wrong = rng.random(3000) < np.where(doubtful, 0.0, 0.145)  # 0.7 * 0.145 = 0.1015 of all cases
        count = int(taken.sum())
        arrays = (np.zeros(count, np.int64), np.full(count, 900_000), ~wrong[taken], np.ones(count, bool))
        shares = np.where(doubtful, 1.0, 0.05)[taken]
        broken += chosen(run_sequence(Cases(*arrays, drawn=shares), (0.5,), 0.1)) is not None
        plain += chosen(run_sequence(Cases(*arrays), (0.5,), 0.1)) is not None
    assert plain == 300 and broken <= 0.05 * 300 + 2 * np.sqrt(300 * 0.05 * 0.95)
