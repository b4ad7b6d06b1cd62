"""Cases that rules decide alone: the facts of a row, what was expected, and the rows that never decided."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import PenjingError
from penjing.core.zone import find_zone
from penjing.decide.condition import Then
from penjing.decide.rule_cases import RuleRunner, roles_of
from penjing.decide.rules import read_rules
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(("退款", "投诉"), {"amount": "float", "day": "date"})
RULES = (
    "name,priority,label,p,p.投诉,text,pii.mobile,amount,day,then,valid_to\n"
    "new,,,,,,,,within last 7 days,review,\n"
    "id,9,,,,,>=1,,,review 法务,\n"
    "large,,退款,,,,,>1000,,outcome 投诉,\n"
    "old,,,,,contains 过期,,,,review,2020-01-01\n"
    "sure,,,,>=0.5,contains 投诉,,,,model,\n"
)
CELLS = {"label": "退款", "p": "0.9", "p.投诉": "0.1"}


@pytest.fixture
def runner(tmp_path: Path) -> RuleRunner:
    (tmp_path / "r.csv").write_text(RULES, encoding="utf-8")
    return RuleRunner(read_rules(tmp_path / "r.csv", SCHEMA))


@pytest.mark.parametrize(
    ("cells", "name", "then"),
    [
        ({"text": "x", "amount": "1", "day": "2026-01-05"}, "new", Then("review")),
        ({"text": "拨打13812345678", "amount": "1", "day": "2025-01-05"}, "id", Then("review", "法务")),
        ({"text": "x", "脱敏.手机": "2", "amount": "1", "day": "2025-01-05"}, "id", Then("review", "法务")),
        ({"text": "过期", "amount": "2000", "day": "2025-01-05"}, "large", Then("outcome", "投诉")),
        ({"text": "过期", "amount": "1", "day": "2025-01-05"}, "", Then("model")),
        ({"text": "过期", "amount": "1", "day": "2025-01-05", "时间": "2019-05-05"}, "old", Then("review")),
        ({"文本": "投诉", "amount": "1", "day": "2025-01-05", "概率.投诉": "0.6"}, "sure", Then("model")),
        ({"text": "x", "amount": "1", "day": ""}, "new", Then("review")),
    ],
)
def test_decides_as_the_service_would(runner: RuleRunner, cells: dict[str, str], name: str, then: Then) -> None:
    given = {key: value for key, value in CELLS.items() if not (key == "p.投诉" and "概率.投诉" in cells)}
    ruled = runner.decide(runner.read({**given, **cells}, "2026-01-06", "c.csv:2"))
    assert ((ruled.rule.name if ruled.rule else ""), ruled.then) == (name, then)


def test_a_missing_field_sends_to_a_person_and_is_named(runner: RuleRunner) -> None:
    ruled = runner.decide(runner.read({**CELLS, "text": "x", "day": "2025-01-05"}, "2026-01-06", "c.csv:2"))
    assert (ruled.absent, ruled.then) == (("amount",), Then("review"))


def test_the_share_of_the_label_is_its_probability(runner: RuleRunner) -> None:
    cells = {"label": "投诉", "p": "0.9", "text": "投诉", "amount": "1", "day": "2025-01-05"}
    ruled = runner.decide(runner.read(cells, "2026-01-06", "c.csv:2"))
    assert ruled.rule is not None and ruled.rule.name == "sure"


def test_expectations_and_coverage(runner: RuleRunner) -> None:
    rows = [
        {"expected": "转人工", "rule": ""},
        {"expected": "投诉", "rule": ""},
        {"expected": "", "rule": "large"},
        {"expected": "", "rule": "new"},
        {"expected": "", "rule": ""},
        {"expected": "review 法务", "rule": "-"},
    ]
    cells = {**CELLS, "text": "x", "amount": "5", "day": "2026-01-05"}
    cases = [runner.read({**cells, **row}, "2026-01-06", f"c.csv:{i}") for i, row in enumerate(rows, start=2)]
    result = runner.run(cases)
    assert (result.cases, result.tested, result.fired) == (6, 5, {"new": 6})
    assert result.failures == [
        "c.csv:3: expected `outcome 投诉`, got `review` by row 2 (new)",
        "c.csv:4: expected the rule `large`, but row 2 (new) decides",
        "c.csv:7: expected `review 法务`, got `review` by row 2 (new)",
    ]
    lacking = [{"expected": "model"}, {"rule": "sure"}]
    cases = [runner.read({**cells, **row, "day": ""}, "2026-01-06", "c.csv:9") for row in lacking]
    assert runner.run(cases).failures == [
        "c.csv:9: expected `model`, got `review` by row 2 (new), which needs `day`, and the case has no value there",
        "c.csv:9: expected the rule `sure`, but row 2 (new) decides: it needs `day`, and the case has no value there",
    ]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"text": "x"}, ["the rules need `label`, `p.投诉`", "a column of that name"]),
        ({**CELLS, "label": "退钱", "text": "x"}, ["unknown label '退钱'"]),
        ({**CELLS, "p": "90%", "text": "x"}, ["the fact `p` is", "not a number"]),
        ({**CELLS, "p.投诉": "7", "text": "x"}, ["the fact `p.投诉` is not between 0 and 1"]),
        ({**CELLS, "label": "退款", "p": "", "text": "x"}, ["the fact `p` has no value"]),
        ({**CELLS, "text": "x", "amount": "viel"}, ["the field `amount` is"]),
        ({**CELLS, "text": "x", "time": "soon"}, ["'soon' is not a time"]),
        ({**CELLS, "text": "x", "expected": "reveiw"}, ["cannot lead to 'reveiw'"]),
    ],
)
def test_refuses_a_case_with_its_row(runner: RuleRunner, cells: dict[str, str], words: list[str]) -> None:
    with pytest.raises(PenjingError) as raised:
        runner.read(cells, "2026-01-06", "c.csv:2")
    assert (raised.value.where or "").startswith("c.csv:2")
    for word in words:
        assert word in str(raised.value), raised.value


def test_columns_in_both_languages() -> None:
    roles, facts = roles_of(("文本", "预期", "规则", "Amount", "别的"), SCHEMA)
    assert roles == {"expected": "预期", "rule": "规则"} and facts == {"text": "文本", "amount": "Amount"}


def test_the_declared_field_time_is_the_clock_of_a_case(tmp_path: Path) -> None:
    (tmp_path / "rules.csv").write_text("name,valid_from,then\nx,2026-02-01,review\n", encoding="utf-8")
    schema = FactSchema(("ham", "spam"), fields={"time": "date"}, zone=find_zone("Asia/Shanghai"))
    runner = RuleRunner(read_rules(tmp_path / "rules.csv", schema))
    times = ["2026-01-31T23:59", "2026-02-01", "2026-01-31T15:59Z", "2026-01-31T16:00Z"]
    ruled = [runner.decide(runner.read({"time": each}, "2020-01-01", "row")) for each in times]
    assert [None if each.rule is None else each.rule.name for each in ruled] == [None, "x", None, "x"]
