"""What follows from an audit's counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penjing.core.nouns import Table
from penjing.core.recipe import Recipe, RecipeFile
from penjing.data.audit import Audit, DuplicateAudit, provable
from penjing.data.findings import find_problems, unseen_labels, unseen_values

PARTS = ("train", "validation", "calibration", "test")


def audit(labels: dict[str, int], **changes: Any) -> Audit:
    used = sum(labels.values())
    split_labels = {part: {label: max(1, rows // 4) for label, rows in labels.items()} for part in PARTS}
    splits = {part: sum(counts.values()) for part, counts in split_labels.items()}
    margin = provable(splits["calibration"], split_labels["test"])
    base = Audit(rows=used, used=used, labels=labels, splits=splits, split_labels=split_labels, margin=margin)
    return base.model_copy(update=changes)


def codes(found: Audit, **recipe: Any) -> dict[str, str]:
    model = Recipe.model_validate({"name": "t", "data": {"files": "a"}, "steps": [{"tune.linear": None}], **recipe})
    return {
        problem.code: problem.line() for problem in find_problems(RecipeFile(path=Path("r"), recipe=model), found, {})
    }


def test_nothing_is_wrong_with_enough_rows() -> None:
    assert codes(audit({"a": 400, "b": 400})) == {}


def test_small_labels_are_named_with_their_rows() -> None:
    assert codes(audit({"a": 400, "b": 400, "c": 29}))["small_labels"].endswith("fewer than 30 rows: `c` 29")


@pytest.mark.parametrize(("promise", "needed"), [(0.05, False), ({"a": 0.05, "b": 0.01}, True)])
def test_the_strictest_promise_is_what_calibration_must_certify(promise: Any, needed: bool) -> None:
    found = codes(audit({"a": 400, "b": 400}), decide={"max_error": promise})
    assert ("margin" in found) is needed


def test_a_label_that_train_lacks() -> None:
    base = audit({"FAQ": 400, "ＦＡＱ": 2})
    found = base.model_copy(update={"split_labels": {**base.split_labels, "train": {"FAQ": 100}}})
    test = Table(texts=["x", "y"], labels=["FAQ", "ＦＡＱ"], rows=[2, 3])
    model = Recipe.model_validate({"name": "t", "data": {"files": "a"}, "steps": [{"tune.linear": None}]})
    file = RecipeFile(path=Path("r"), recipe=model)
    (problem,) = unseen_labels(file, found, {"test": test}, {"test": "test.csv"})
    assert problem.severity == "error"
    assert problem.line() == "label of which no row is in train: `ＦＡＱ`: row 3"
    assert problem.fix.endswith("labels: {ＦＡＱ: FAQ}")
    assert unseen_labels(file, base, {"test": test}, {"test": "test.csv"}) == []


def test_a_grade_that_train_lacks_is_a_warning() -> None:
    base = audit({"1": 200, "2": 200, "5": 2})
    found = base.model_copy(update={"split_labels": {**base.split_labels, "train": {"1": 100, "2": 90, "5": 0}}})
    part = Table(texts=["x", "y", "z"], labels=["5", "1", "5"], rows=[2, 3, 4])
    (problem,) = unseen_values(found, {"test": ["5", "1", "5"]}, {"test": part}, {"test": "test.csv"})
    assert problem.severity == "warning"
    assert problem.line() == "value of which no row is in train: `5`: rows 2, 4"
    seen = base.model_copy(update={"split_labels": {**base.split_labels, "train": {"1": 100, "2": 90, "5": 1}}})
    assert unseen_values(seen, {"test": ["5", "1", "5"]}, {"test": part}, {"test": "test.csv"}) == []


def test_a_part_without_rows_forbids_training() -> None:
    assert codes(audit({"a": 40, "b": 40}, splits={**dict.fromkeys(PARTS, 20), "test": 0}))["empty_part"]


def test_many_contradictions_ask_for_the_columns() -> None:
    found = audit({"a": 400, "b": 400}, duplicates=DuplicateAudit(conflicts=120))
    assert codes(found)["many_conflicts"] == "15% of the rows contradict another row"


def test_lists_may_be_of_one_kind_but_need_rows_in_every_part() -> None:
    model = Recipe.model_validate({"name": "t", "data": {"files": "a"}, "steps": [{"tune.linear": None}]})
    file, one = RecipeFile(path=Path("r"), recipe=model), audit({"place": 800})
    assert {"one_label"} <= {problem.code for problem in find_problems(file, one, {})}
    assert find_problems(file, one, {}, names=False, alone=True) == []
    without = one.model_copy(update={"splits": {**one.splits, "test": 0}})
    assert "empty_part" in {problem.code for problem in find_problems(file, without, {}, names=False, alone=True)}


def test_another_language_than_told() -> None:
    assert "language" in codes(audit({"a": 400, "b": 400}, language="zh"), language="en")


def test_a_limit_on_misses_that_the_rows_cannot_prove() -> None:
    decide = {"max_error": 0.2, "max_miss": {"few": 0.02, "many": 0.05, "unread": 0.01}}
    given = {"name": "t", "data": {"files": "a.csv"}, "steps": [{"tune.linear": None}], "decide": decide}
    file = RecipeFile(path=Path("recipe.yaml"), recipe=Recipe.model_validate(given))
    found = find_problems(file, audit({"many": 400, "few": 80}), {}, names=True)
    (margin,) = [problem for problem in found if problem.code == "margin"]
    # 20 calibration rows: 1 - 0.05^(1/20).
    assert margin.message.startswith("20 calibration rows of `few` prove 13.91% at best, not `max_miss` 0.02;")
    assert margin.fix.startswith("at least 149 of them are needed")
