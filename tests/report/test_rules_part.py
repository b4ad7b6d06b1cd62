"""The rules in a report: as they are written, with what each decided and what their check warned of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from penjing.decide.examine import load_rules
from penjing.decide.schema import FactSchema
from penjing.report.contract import Report
from penjing.report.page import render
from penjing.report.rules_part import LISTED, rules_part

SCHEMA = FactSchema(labels=("投诉", "咨询"), fields={"amount": "float"})
RULES = """name,label,amount,text,then,why
大额,,>=10000,,review,大额由主管处理
全额退保,,,contains 全额退保,outcome 投诉,
疑似,咨询,<100,,review,<b>小额</b>
"""


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    path = tmp_path / "rules.csv"
    path.write_text(RULES, encoding="utf-8")
    return path


def test_rules_are_as_written_with_the_rows_that_each_decided(rules: Path) -> None:
    part = rules_part(load_rules(rules, SCHEMA), [["大额", "", "大额", "疑似", ""]])
    assert part is not None
    assert [(rule.row, rule.name, rule.then, rule.decided) for rule in part.rules] == [
        (2, "大额", "review", 2),
        (3, "全额退保", "outcome 投诉", 0),
        (4, "疑似", "review", 1),
    ]
    assert part.rules[2].conditions == (("label", "咨询"), ("amount", "<100"))
    assert part.rules[0].why == "大额由主管处理"
    warned = [finding.what for finding in part.findings]
    assert len(warned) == 2 and warned[0].startswith("row 3 (全额退保) leads to `outcome 投诉`, but row 2 above it")
    unknown = rules_part(load_rules(rules, SCHEMA))
    assert unknown is not None and {rule.decided for rule in unknown.rules} == {None}


def test_rules_that_decide_no_test_row_are_warned_of(rules: Path) -> None:
    part = rules_part(load_rules(rules, SCHEMA), [["大额"] * 30])
    assert part is not None
    assert [finding.what for finding in part.findings[-2:]] == [
        "row 2 (大额) decides 30 of 30 test rows",
        "none of 30 test rows is decided by row 3, 4",
    ]


def test_without_rules_there_is_no_part(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("name,then\n", encoding="utf-8")
    assert rules_part(None) is None
    assert rules_part(load_rules(tmp_path / "rules.csv", SCHEMA)) is None


def test_the_page_lists_rules_and_warnings_in_its_language(rules: Path, sample: Callable[..., Report]) -> None:
    report = sample(rules=rules_part(load_rules(rules, SCHEMA), [["大额"]]))
    english, chinese = render(report), render(report, language="zh")
    assert "The rules" in english and "amount &gt;=10000" in english and "row 3 (全额退保) leads to" in english
    assert "标签 咨询" in chinese and ">转人工<" in chinese and ">结论 投诉<" in chinese and ">review<" in english
    assert "规则检查发现" in chinese and "大额由主管处理" in chinese and "leads to" not in chinese
    assert "<b>小额</b>" not in english and "&lt;b&gt;小额" in english
    assert "The rules" not in render(sample())


def test_of_very_many_rules_the_first_are_listed(tmp_path: Path, sample: Callable[..., Report]) -> None:
    rows = "\n".join(f"r{i},={i},review" for i in range(LISTED + 7))
    (tmp_path / "rules.csv").write_text(f"name,amount,then\n{rows}\n", encoding="utf-8")
    page = render(sample(rules=rules_part(load_rules(tmp_path / "rules.csv", SCHEMA))))
    assert ">r99<" in page and ">r100<" not in page and "7 more" in page
    assert "The check of the rules found no problems." in page


def test_rules_stand_in_order_of_decision_with_priority_owner_and_dates(
    tmp_path: Path, sample: Callable[..., Report]
) -> None:
    (tmp_path / "rules.csv").write_text(
        "name,amount,priority,owner,valid_from,valid_to,then\nlow,>5,,,,,review\n"
        "high,<3,7,王芳,2026-01-01,2026-12-31,review\nopen,>9,1,,2026-01-01T12:00,,model\n",
        encoding="utf-8",
    )
    part = rules_part(load_rules(tmp_path / "rules.csv", SCHEMA))
    assert part is not None
    assert [(rule.name, rule.priority, rule.owner, rule.valid_from, rule.valid_to) for rule in part.rules] == [
        ("high", 7, "王芳", "2026-01-01", "2026-12-31"),
        ("open", 1, "", "2026-01-01T12:00:00", ""),
        ("low", 0, "", "", ""),
    ]
    page, chinese = render(sample(rules=part)), render(sample(rules=part), language="zh")
    assert "order of decision" in page and "priority 7" in page and "valid 2026-01-01 – 2026-12-31" in page
    assert "按决定的顺序" in chinese and "优先级 7" in chinese and "负责人 王芳" in chinese
