"""What is certified of each label: figures by hand, no figure without a proof, and lines for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from penjing.core.certificate import Certificate, LimitTest, PathStep
from penjing.prove.sequence import upper_bound
from penjing.report.contract import Report
from penjing.report.label_part import BLOCK, label_block, label_lines, label_sentences
from penjing.report.phrases import words

SETTLED = {"fees": 0.81234, "card": 0.5, "rare": 0.0}


def limit(kind: Any, label: str, cases: int, errors: int) -> LimitTest:
    return LimitTest(kind=kind, of=label, limit=0.1, cases=cases, errors=errors, p_value=0.01)


def certificate(*, certified: bool = True, by_label: bool = True) -> Certificate:
    """Two labels with limits on errors and misses, the second with more rows, and a rare one without."""
    tests = (limit("error", "fees", 40, 1), limit("miss", "fees", 50, 2), limit("error", "card", 60, 0),
             limit("miss", "card", 90, 3))  # fmt: skip
    passed = PathStep(thresholds={"yes.fees": 0.6, "yes.card": 0.7, "yes.rare": None}, tests=tests, p_value=0.01,
                      passed=certified)  # fmt: skip
    failed = PathStep(thresholds={"yes.fees": 0.1}, tests=(), p_value=0.9, passed=False)
    return Certificate.model_validate(
        {
            "certified": certified, "rows": 300, "automation": 0.4, "error": 0.02, "confidence": 0.95,
            "high": 0.05, "forced": 0.0, "ruled": 0.0, "reviewed": ("rare",), "calibration": (), "used": (),
            "max_error": 0.1, "max_miss": {"fees": 0.1, "card": 0.1}, "grid": {}, "steps": (), "path": (),
            "thresholds": passed.thresholds, "path_steps": (passed, failed), "by_label": by_label,
        }
    )  # fmt: skip


def test_labels_of_the_most_rows_come_first_with_their_bounds() -> None:
    (block,) = label_block(certificate(), SETTLED)
    assert block.name == BLOCK and len(block.columns) == 10
    headings = {f"column_{name.replace(' ', '_')}" for name in block.columns}
    assert headings <= words("en").keys() & words("zh").keys()
    assert [row[0] for row in block.rows] == ["card", "fees", "rare"]
    high = round(upper_bound(1, 40, 0.05), 4), round(upper_bound(2, 50, 0.05), 4)
    assert block.rows[1] == ("fees", 40.0, 1.0, high[0], 0.1, 50.0, 2.0, high[1], 0.1, 0.8123)
    assert block.rows[2] == ("rare", *[""] * 8, 0.0), "a label of too few rows has no limit"


def test_a_limit_that_is_not_proven_is_not_shown_as_promised() -> None:
    (block,) = label_block(certificate(certified=False), SETTLED)
    assert {row[4] for row in block.rows} == {row[8] for row in block.rows} == {""}
    assert label_block(certificate(by_label=False), SETTLED) == ()


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_terminal_gets_a_line_for_each_label_with_limits(sample: Callable[..., Report], language: Any) -> None:
    report = sample(sections=label_block(certificate(), SETTLED))
    first, *labels = label_lines(report, language)
    assert first == words(language)["labels_line"].format(rows=f"{report.decisions.rows:,}")
    assert "card" in labels[0] and "fees" in labels[1] and "81.2" in labels[1]
    assert labels[2:] == ["  " + words(language)["others"].format(count=1)]
    assert list(label_lines(sample(), language)) == []


def test_the_sentence_has_the_largest_limit_on_misses(sample: Callable[..., Report]) -> None:
    given = {"by_label": True, "labels_settled": 0.75, "max_miss": {"a": 0.05, "b": 0.125}}
    decisions = sample().decisions.model_copy(update=given)
    (said,) = label_sentences(sample(decisions=decisions), "10\u00a0%", "en")
    assert "75\u00a0%" in said and "12.5\u00a0%" in said and "10\u00a0%" in said
