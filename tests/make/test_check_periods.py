"""What can be proven where rules have dates: by the rows of each period, at its part of the level."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penjing.core.chinese import chinese
from penjing.core.nouns import Table
from penjing.core.recipe import Recipe
from penjing.data.audit import Audit, Problem, provable
from penjing.decide.clock import seconds_of
from penjing.decide.examine import load_rules
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable
from penjing.make.check_periods import audit_by_period

LABELS = ("ham", "spam")
DATED = "name,text,valid_from,then\nodd,contains odd,2026-06-01,review\n"
JUNE = seconds_of("2026-06-01")
BAD = Problem(severity="warning", code="margin", message="all rows together certify 1 %")
OTHER = Problem(severity="warning", code="empty", message="an empty row")


def recipe(**decide: Any) -> Recipe:
    given = {
        "name": "dated",
        "data": {"files": "rows.csv", "fields": {"time": "date"}},
        "steps": [{"tune.linear": {}}],
        "decide": decide,
    }
    return Recipe.model_validate(given)


def rules(folder: Path, text: str) -> RuleTable:
    (folder / "rules.csv").write_text(text, encoding="utf-8")
    return load_rules(folder / "rules.csv", FactSchema(LABELS, {"time": "date"}))


def rows(may: int, june: int, without: int = 0) -> Table:
    times = ["2026-05-15"] * may + ["2026-06-01"] * june + [None] * without
    labels = [LABELS[place % 10 == 0] for place in range(len(times))]
    return Table(["text"] * len(times), labels, fields={"time": times})


def looked(table: Table, made: Recipe, stand: RuleTable | None, second: int) -> Audit:
    audit = Audit(margin=provable(len(table), {"ham": 50, "spam": 50}), problems=[BAD, OTHER])
    return audit_by_period(audit, made, table, stand, second)


def test_each_period_has_its_rows_and_its_part_of_the_level(tmp_path: Path) -> None:
    found = looked(rows(200, 100), recipe(max_error=0.02), rules(tmp_path, DATED), JUNE - 1)
    assert found.margin is not None
    assert [(each.period, each.calibration_rows, each.level) for each in found.margin.periods] == [
        ("… – 2026-05-31", 200, 0.025),
        ("2026-06-01 – …", 100, 0.025),
    ]
    # 1 - 0.025^(1/200) and 1 - 0.025^(1/100), where all 300 rows at 5 % would give 0.99 %.
    assert [each.certifiable_error for each in found.margin.periods] == [0.0183, 0.0362]
    assert (found.margin.calibration_rows, found.margin.certifiable_error) == (200, 0.0183)
    other, june = found.problems
    assert other == OTHER and june.message == (
        "rules have dates: in the period 2026-06-01 – …, 100 calibration rows certify an error of 3.62% at best, not "
        "`max_error` 0.02; there everything would go to a person"
    )
    assert june.fix.startswith("at least 183 calibration rows are needed there, because the periods share the level")
    assert chinese(june.message) == (
        "规则有起止日期：在时段 2026-06-01 – …，100 行认证数据最多能认证 3.62% 的出错率，达不到 `max_error` 0.02；"
        "其间所有文本都会转人工"
    )


def test_what_is_past_is_not_spoken_of_and_a_period_without_rows_is(tmp_path: Path) -> None:
    found = looked(rows(300, 0), recipe(max_error=0.02), rules(tmp_path, DATED), JUNE)
    assert found.margin is not None and [each.calibration_rows for each in found.margin.periods] == [0]
    # Only May has rows, so the level is not shared; June has none of it.
    assert (found.margin.periods[0].level, found.margin.certifiable_error) == (0.05, None)
    assert [each.message for each in found.problems] == [
        OTHER.message,
        "rules have dates: the period 2026-06-01 – … has no calibration rows; there everything would go to a person",
    ]


def test_limits_on_misses_are_looked_at_by_label_and_period(tmp_path: Path) -> None:
    made = recipe(max_error=0.05, max_miss={"spam": 0.1})
    found = looked(rows(400, 100), made, rules(tmp_path, DATED), JUNE)
    (_, miss) = found.problems
    # 10 of the 100 rows are spam: 1 - 0.025^(1/10).
    assert "10 calibration rows of `spam` prove 30.85% at best, not `max_miss` 0.1" in miss.message
    assert miss.fix.startswith("at least 36 of them")


def test_rows_without_a_time_count_in_every_period(tmp_path: Path) -> None:
    found = looked(rows(0, 0, 200), recipe(max_error=0.02), rules(tmp_path, DATED), JUNE - 1)
    assert found.margin is not None and [each.calibration_rows for each in found.margin.periods] == [200, 200]
    assert found.problems == [OTHER]


def test_rules_without_dates_leave_the_audit_as_it_is(tmp_path: Path) -> None:
    for stand in (None, rules(tmp_path, DATED.replace("2026-06-01", ""))):
        found = looked(rows(10, 10), recipe(max_error=0.02), stand, JUNE)
        assert found.problems == [BAD, OTHER] and found.margin == provable(20, {"ham": 50, "spam": 50})
