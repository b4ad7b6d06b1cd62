"""What is wrong with a limit by item: see also `tests/test_tag_items.py`."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.recipe import Recipe, load_recipe
from penjing.data.audit import Audit, Margin, PeriodMargin, Problem
from penjing.make.check_items import audit_by_items, item_faults
from penjing.tasks import open_task


@pytest.mark.parametrize(
    ("task", "decide", "line", "what"),
    [
        ("tag", "{certify: item, max_error: 0.1}", None, ""),
        ("tag", "{certify: item, max_error: {org: 0.1}}", "max_error", "one limit for all items"),
        ("tag", "{certify: item, max_miss: {org: 0.1}}", "max_miss", "promises nothing of items that are missed"),
        ("classify", "{certify: item}", "certify", "lists of items"),
    ],
)
def test_faults_name_their_key(tmp_path: Path, task: str, decide: str, line: str | None, what: str) -> None:
    text = f"name: x\ndata: {{files: rows.csv}}\nsteps: [{{tune.linear: {{}}}}]\ndecide: {decide}\n"
    (tmp_path / "recipe.yaml").write_text(text, encoding="utf-8")
    file = load_recipe(tmp_path / "recipe.yaml")
    found = item_faults(file, open_task(task, {"types": ["org"]} if task == "tag" else {"labels": ["card", "fees"]}))
    assert [what in fault.what for fault in found] == ([True] if line else [])
    assert [fault.where for fault in found] == ([file.where("decide", line)] if line else [])


def recipe_of(certify: str, limit: float) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "x",
            "data": {"files": "rows.csv"},
            "steps": [{"tune.linear": {}}],
            "decide": {"certify": certify, "max_error": limit},
        }
    )


def test_what_rows_can_prove_is_that_of_the_test_by_item() -> None:
    """83 whole answers prove 3.54 % at best; 83 texts whose items are all right prove less."""
    whole = 1 - 0.05 ** (1 / 83)
    margin = Margin(
        calibration_rows=83, certifiable_error=whole, test_rows=83, accuracy_half_width=None, macro_f1_half_width=None
    )
    audit = Audit(margin=margin)
    assert audit_by_items(audit, recipe_of("case", 0.04)) is audit
    found = audit_by_items(audit, recipe_of("item", 0.04))
    assert found.margin is not None and found.margin.certifiable_error == pytest.approx(0.0476, abs=0.0005)
    assert [problem.code for problem in found.problems] == ["margin"] and "everything" in found.problems[0].message
    assert audit_by_items(audit, recipe_of("item", 0.05)).problems == []
    assert audit_by_items(Audit(), recipe_of("item", 0.05)) == Audit()


def test_each_period_has_its_own_and_keeps_its_warning() -> None:
    each = PeriodMargin(period="2026", calibration_rows=83, certifiable_error=0.0354, level=0.025)
    none = PeriodMargin(period="2027", calibration_rows=0, certifiable_error=None, level=0.025)
    margin = Margin(
        calibration_rows=83,
        certifiable_error=0.0354,
        test_rows=83,
        accuracy_half_width=None,
        macro_f1_half_width=None,
        periods=[each, none],
    )
    warning = Problem(severity="warning", code="margin", message="of a period")
    found = audit_by_items(Audit(margin=margin, problems=[warning]), recipe_of("item", 0.05))
    assert found.margin is not None and found.problems == [warning]
    shares = [one.certifiable_error for one in found.margin.periods]
    assert shares[0] is not None and shares[0] > 0.0476 and shares[1] is None
