"""Scores are in the order of the rows, agreement counts outcomes, and metrics have the names of the task."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.core.answers import Number
from penjing.core.nouns import Prediction, Release, Table
from penjing.prove.score import judge, score
from penjing.runtime.open import open_session
from penjing.tasks import open_reader
from penjing.tasks.measure import metric_names


def test_score(tiny_release: Release) -> None:
    session = open_session(tiny_release.artifact, threads=1)
    table = Table(texts=["free prize claim your reward", "see you at lunch"], labels=["spam", "ham"])
    scored = score(session, table)
    assert scored.golds == scored.outcomes == ("spam", "ham")
    assert scored.counts.shape == (2, 6) and not scored.wrong.any()
    assert [unit.scope for unit in scored.units] == ["spam", "ham"] and scored.p.min() > 0.5
    assert scored.agreement(scored) == 1.0
    assert (scored.metrics, scored.value(), scored.value("accuracy")) == (("macro_f1", "accuracy"), 1.0, 1.0)
    assert score(session, Table(texts=[], labels=[])).agreement(scored) == 1.0


def test_a_number_within_the_limit_is_no_error() -> None:
    task = open_reader("score", {"kind": "number", "within": 0.5}).learn(["0", "1", "2.5", "4"])
    golds = ["1", "2", "3", "4"] * 50
    near = [Prediction("", Number(float(gold) + 0.25 * (i % 4), 0, 5, 0.8)) for i, gold in enumerate(golds)]
    scored = judge(task, near, golds)
    assert scored.outcomes[:4] == ("1", "2.25", "3.5", "4.75") and scored.wrong[:4].tolist() == [False] * 3 + [True]
    assert scored.metrics == metric_names(task) and scored.metrics[0] == "within"
    intervals = scored.intervals()
    assert (intervals["within"].value, intervals["mae"].value) == (0.75, 0.375)
    assert intervals["within"] == scored.interval() and intervals["mae"] == scored.interval("mae")
    assert 0.6 < intervals["within"].low < 0.75 < intervals["within"].high < 0.85
    exact = judge(task, [Prediction("", Number(float(gold), 0, 5, 0.8)) for gold in golds], golds)
    assert exact.difference(scored).value == pytest.approx(0.25) and scored.kept(exact).value == pytest.approx(0.75)
    assert exact.agreement(scored) == 0.75
    assert exact.interval(rows=[0, 1]).low == pytest.approx(0.025 ** (1 / 2), abs=1e-6), "no error is no proof"
    assert np.isfinite(scored.interval("r2").low)
