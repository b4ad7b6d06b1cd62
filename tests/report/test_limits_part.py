"""Several limits on test rows: each counts the cases that it is about, and what chance does not explain is said."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from penjing.report.contract import Decisions, LimitOnTest
from penjing.report.limits_part import limit_sentences, limits_on_test
from penjing.tasks import open_task


def a_test(task: Any, outcomes: list[str], golds: list[str], automated: list[bool], limits: Any) -> Any:
    """What `limits_on_test` reads of a test."""
    wrong = np.array([task.wrong(said, gold) for said, gold in zip(outcomes, golds, strict=True)])
    return SimpleNamespace(
        certificate=SimpleNamespace(max_error=limits, by_label=False, most_items=0),
        scored=SimpleNamespace(task=task, golds=golds, wrong=wrong),
        outcomes=tuple(outcomes), automated=np.array(automated), level=0.05,
    )  # fmt: skip


def test_each_task_counts_the_decided_cases_that_have_gold_for_it() -> None:
    parts = [{"name": name, "type": "classify", "weight": 1.0, "labels": ["a", "b"]} for name in ("topic", "mood")]
    task = open_task("together", {"tasks": parts})
    said = [json.dumps({"topic": "a", "mood": mood}) for mood in ("a", "b", "b", "b")]
    meant = [
        json.dumps({"topic": topic, "mood": mood}) for topic, mood in (("a", "a"), ("b", "a"), ("", "b"), ("b", "a"))
    ]
    found = limits_on_test(a_test(task, said, meant, [True, True, True, False], {"topic": 0.1, "mood": 0.1}))
    assert {name: (one.cases, one.errors) for name, one in found.items()} == {"topic": (2, 1), "mood": (3, 1)}
    assert found["topic"].value == 0.5 and (found["topic"].high or 0) > 0.9


def test_each_label_counts_the_cases_that_are_decided_so() -> None:
    task = open_task("classify", {"labels": ["a", "b"]})
    one = a_test(task, ["a", "a", "b", "b"], ["a", "b", "b", "a"], [True, True, True, False], {"a": 0.1, "b": 0.1})
    found = limits_on_test(one)
    assert {name: (one.cases, one.errors) for name, one in found.items()} == {"a": (2, 1), "b": (1, 0)}
    one.certificate.max_error = 0.1
    assert limits_on_test(one) == {}, "one limit is for all cases"
    one.certificate.max_error = {"a": 0.1, "c": 0.1}
    assert limits_on_test(one)["c"] == LimitOnTest(cases=0, errors=0, value=None, high=None)


def decisions(**counts: tuple[int, int]) -> Decisions:
    """Limits of 10 % with these (cases, errors)."""
    on_test = {
        name: LimitOnTest(cases=cases, errors=errors, value=errors / cases, high=1.0)
        for name, (cases, errors) in counts.items()
    }
    return Decisions(
        automation_rate=0.9, error_among_automated={"value": 0.1, "high": 0.2}, max_error=dict.fromkeys(counts, 0.1),
        certified=True, on_test=on_test,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("language", "words", "more"),
    [
        (
            "en",
            "company 13 % of 1,000 (limit 10 %), mood 6 % of 1,000 (limit 10 %).".replace(" %", "\u00a0%"),
            "hardly",
        ),
        (
            "zh",
            "company 13%（共 1,000 条，上限 10%）、mood 6%（共 1,000 条，上限 10%）。",
            "很难用偶然解释的有 company：",
        ),
    ],
)
def test_what_chance_does_not_explain_is_named(language: Any, words: str, more: str) -> None:
    said = limit_sentences(decisions(company=(1000, 130), mood=(1000, 60)), language)
    assert len(said) == 1 and words in said[0] and more in said[0]


def test_names_are_in_the_order_of_the_limits() -> None:
    said = limit_sentences(decisions(**dict.fromkeys("dcba", (1000, 200))), "en")
    assert "hardly explains: d, c, b, a." in said[0]


def test_a_small_excess_may_be_chance_and_none_is_not_spoken_of() -> None:
    assert "More than the limit: a; it may be chance" in limit_sentences(decisions(a=(100, 11)), "en")[0]
    assert "More than" not in limit_sentences(decisions(a=(100, 10)), "en")[0]
    assert limit_sentences(decisions().model_copy(update={"max_error": 0.1}), "en") == []
    assert limit_sentences(decisions(), "en") == [], "nothing was decided"
