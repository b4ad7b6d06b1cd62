"""What follows where a row holds: both languages, and the form for every other word."""

from __future__ import annotations

import pytest

from penjing.core.errors import RuleError
from penjing.decide.condition import Then
from penjing.decide.ends import parse_then, write_then
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(("退款", "other"))


@pytest.mark.parametrize(
    ("written", "then"),
    [
        ("review", Then("review")),
        ("转人工", Then("review")),
        ("Review 法务 A组", Then("review", "法务 A组")),
        ("转人工　法务", Then("review", "法务")),
        ("outcome 退款", Then("outcome", "退款")),
        ("结论 other", Then("outcome", "other")),
        ("ｏｕｔｃｏｍｅ　退款", Then("outcome", "退款")),
        ("model", Then("model")),
        ("交给模型", Then("model")),
    ],
)
def test_reads_and_writes_both_languages(written: str, then: Then) -> None:
    assert parse_then(written, SCHEMA, "r.csv:2:3") == then
    for language in ("en", "zh"):
        assert parse_then(write_then(then, language), SCHEMA, "") == then  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", ["nothing follows", "`outcome LABEL`, `review`, `review QUEUE` or `model`"]),
        ("退款", ["cannot lead to '退款'", "write `outcome 退款`"]),
        ("outcome: 退款", ["write `outcome 退款`"]),
        ("结论退款", ["write `outcome 退款`"]),
        ("转人工法务", ["write `转人工 法务`"]),
        ("人工", ["write `review`"]),
        ("模型", ["write `model`"]),
        ("model 退款", ["cannot lead to 'model 退款'"]),
        ("outcome", ["cannot lead to 'outcome'"]),
        ("outcome 退钱", ["unknown label '退钱'", "`退款`"]),
        ("review a|b", ["cannot be the name of a queue"]),
        ("review 13812345678", ["personal number (mobile)"]),
        ("reveiw", ["cannot lead to 'reveiw'"]),
    ],
)
def test_refuses_other_words(written: str, words: list[str]) -> None:
    with pytest.raises(RuleError) as raised:
        parse_then(written, SCHEMA, "r.csv:2:3")
    for word in words:
        assert word in str(raised.value), raised.value


def test_a_rule_forces_no_places() -> None:
    """They would be beyond the text, or at other words, in any other text than one."""
    schema = FactSchema((), other={"type": "answer", "none": True})
    assert parse_then("outcome []", schema, "r.csv:2:3") == Then("outcome", "[]")
    with pytest.raises(RuleError, match="a rule cannot decide pieces of a text"):
        parse_then('outcome [{"start":0,"end":99999}]', schema, "r.csv:2:3")
