"""The threshold of early answers: by share, by macro-F1, and the same as trying each one."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.compress.parts.agreement import NEVER, choose_threshold
from penjing.tasks.metrics import macro_f1


def test_the_threshold_is_the_lowest_at_which_enough_of_those_that_leave_agree() -> None:
    sure, meant = np.array([0.9, 0.8, 0.7, 0.6, 0.5]), np.zeros(5, dtype=np.int64)
    agree, differ = meant, np.array([0, 0, 0, 1, 1])
    assert choose_threshold(sure, agree, meant, 0.9) == 0.5
    # With one error in five macro-F1 would be (8/9 + 0) / 2: a label that the teacher never says counts too.
    assert choose_threshold(sure, differ, meant, 0.6) == 0.7
    # Of equal probabilities all exit or none does.
    equal = np.array([0.9, 0.7, 0.7, 0.7])
    assert choose_threshold(equal, np.array([0, 0, 1, 1]), meant[:4], 0.7) == 0.9
    # Half an error in two texts is too much for 0.99: nothing exits.
    assert choose_threshold(sure[:1], agree[:1], meant[:1], 0.99) == NEVER
    assert choose_threshold(np.zeros(0), meant[:0], meant[:0], 0.99) == NEVER


def test_a_rare_label_is_not_given_away_for_a_share_that_hardly_falls() -> None:
    # A hundred texts, two of them of a rare label; the surest of these exits with the common one.
    sure = np.linspace(1, 0.5, 100)
    meant = np.zeros(100, dtype=np.int64)
    meant[[60, 90]] = 1
    said = meant.copy()
    said[60] = 0
    assert (said == meant).mean() == 0.99
    assert choose_threshold(sure, said, meant, 0.97) == pytest.approx(sure[59]), "its F1 would be 2/3"
    # The same error among texts of a common label costs little.
    common = meant.copy()
    common[60:] = 1
    said = common.copy()
    said[60] = 0
    assert choose_threshold(sure, said, common, 0.97) == 0.5


def test_the_threshold_is_what_trying_each_one_would_find() -> None:
    drawn = np.random.default_rng(3)
    for _ in range(50):
        sure = np.round(drawn.uniform(0.2, 1, 60), 1)
        meant = drawn.choice(5, 60, p=(0.6, 0.2, 0.1, 0.07, 0.03))
        said = np.where(drawn.uniform(size=60) < 1.1 - sure, drawn.integers(0, 6, 60), meant)
        good = [NEVER]
        for threshold in np.unique(sure):
            early = sure >= threshold
            share = 1 - ((said != meant)[early].sum() + 0.5) / (early.sum() + 1)
            if min(share, macro_f1(meant, np.where(early, said, meant), 6)) >= 0.8:
                good.append(float(threshold))
        assert choose_threshold(sure, said, meant, 0.8) == min(good)


def test_a_text_without_confidence_never_exits() -> None:
    sure, agree = np.array([0.9, -np.inf, 0.8, -np.inf]), np.zeros(4, dtype=np.int64)
    assert choose_threshold(sure, agree, agree, 0.6) == 0.8
    assert choose_threshold(np.full(4, -np.inf), agree, agree, 0.6) == NEVER
