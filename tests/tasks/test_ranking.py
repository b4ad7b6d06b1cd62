"""Rankings: recall and reciprocal rank by hand, the temperature, and the score of none of these."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.tasks.ranking import fit_ranking, nearest_places, rank_counts, rank_metrics, some_rows, with_none


def test_recall_and_reciprocal_rank_by_hand() -> None:
    ranked = [["a", "b", "c"], ["b", "a", "c"], ["b", "c", "a"], ["b", "c", "d"]]
    counts = rank_counts(ranked, ["a"] * 4)
    found = rank_metrics(counts.sum(axis=0))
    assert found["recall_at_1"] == 0.25 and found["recall_at_10"] == 0.75
    assert found["mrr"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 4)


def test_ties_go_to_the_first_entry() -> None:
    assert nearest_places(np.array([[1.0, 2.0, 2.0, 0.0]]), 3).tolist() == [[1, 2, 0]]


def test_many_entries_are_ranked_as_if_they_were_sorted() -> None:
    draw = np.random.default_rng(3)
    for table in (draw.normal(size=(20, 3_000)), draw.integers(0, 40, (20, 3_000)).astype(float), np.zeros((2, 2_000))):
        assert np.array_equal(nearest_places(table), np.argsort(-table, axis=1, kind="stable")[:, :10])


def test_rows_are_left_out_where_their_scores_would_not_fit_the_memory() -> None:
    assert len(range(1_000)[some_rows(1_000, 10_000)]) == 1_000
    assert len(range(1_000)[some_rows(1_000, 50_000)]) == 500
    assert len(range(0)[some_rows(0, 50_000)]) == 0


def test_without_rows_that_have_none_there_is_no_such_answer() -> None:
    scores = np.random.default_rng(0).normal(size=(50, 4))
    temperature, none = fit_ranking(scores, scores.argmax(axis=1))
    assert none is None and temperature < 1 and with_none(scores, temperature, none).shape == (50, 4)


def test_the_mean_probability_of_none_is_its_smoothed_share() -> None:
    draw = np.random.default_rng(1)
    truth = draw.integers(0, 5, 400)  # 4 is none
    scores = draw.normal(size=(400, 4))
    placed = truth < 4
    scores[placed, truth[placed]] += 4
    truth[:3] = -100  # entries that are not known count nothing
    temperature, none = fit_ranking(scores, truth)
    assert none is not None
    table = with_none(scores[3:], temperature, none)
    shares = np.exp(table - np.logaddexp.reduce(table, axis=1)[:, None])
    assert shares[:, 4].mean() == pytest.approx(((truth == 4).sum() + 1) / 399, abs=1e-4)
    assert shares[truth[3:] == 4, 4].mean() > 3 * shares[truth[3:] < 4, 4].mean()
