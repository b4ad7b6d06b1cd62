"""Why a case was decided so, in words: for every reason there is, in both languages, and never a promise too much."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from penjing.core.pair import join_texts
from penjing.decide.decider import Decider, Request
from penjing.decide.policy import REASONS, Period, Policy, PolicySpec, load_policy
from penjing.explain.why import LANGUAGES, Language, why, words_of

HAN = re.compile("[\u4e00-\u9fff]")


def _decided(reason: str, **more: Any) -> dict[str, Any]:
    facts = {
        "label": "spam",
        "p": 0.93,
        "clock": "1970-01-01T00:00:05Z",
        "features": {"channel": "missing"},
        "unknown": ["channel", "region"],
    }
    return {"outcome": "spam", "reason": reason, "facts": facts, "fired": [], **more}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_a_sentence_of_its_own(tiny_release, reason: str, language: Language) -> None:
    fired = ["vip"] if reason in {"rule_review", "rule_outcome", "missing_field"} else []
    for policy in (load_policy(tiny_release), None):
        first, *rest = why(_decided(reason, fired=fired), policy, None, language)
        assert bool(HAN.search(first)) == (language == "zh")
        assert "{" not in first
        others = {why(_decided(other, fired=fired), policy, None, language)[0] for other in REASONS if other != reason}
        assert first not in others
        if reason == "missing_field":
            assert rest == []
        elif fired and policy is not None:
            (reason_of_rule,) = rest
            assert "a valued customer is answered by a person" in reason_of_rule


def test_it_says_what_decided_with_the_figures(tiny_release) -> None:
    policy = load_policy(tiny_release)
    evidence = {"spans": [{"text": " win "}, {"text": "cash"}, {"text": "win"}], "cut": ""}
    assert why(_decided("above_threshold"), policy, evidence) == [
        "the model says `spam` with p 0.93, at or above the certified 0.6",
        "no rule fired",
        "the words that matter most to the model: `win`, `cash`",
    ]
    assert why(_decided("below_threshold", queue="一线"), policy, {"spans": []}, "zh") == [
        "模型判为 `spam`，概率 0.93，低于经认证的阈值 0.6：由人工决定",
        "案例在队列 `一线` 中等待",
        "没有规则触发",
        "没有哪一个词或分句单独改变模型的答案",
    ]
    periods = (Period(first=None, last=9, thresholds={"spam": 0.9}), Period(first=10, last=None, thresholds={}))
    dated = replace(policy, spec=policy.spec.model_copy(update={"periods": periods}))
    assert why(_decided("above_threshold"), dated)[0].endswith("at or above the certified 0.9")
    assert why(_decided("unknown_value"), policy, language="zh")[0].startswith("字段 `channel`、`region` 的值不在")


def test_a_forced_case_that_was_drawn_names_its_rule(tiny_release) -> None:
    """The model did not decide it, so it is not said to have been able to."""
    decided = _decided("audit", forced=True, fired=["lottery-is-spam"], outcome="spam")
    for policy in (load_policy(tiny_release), None):
        assert why(decided, policy)[0] == (
            "the rule `lottery-is-spam` decides `spam`, whatever the model says, "
            "and the case was drawn for a check by a person"
        )
        zh = why(decided, policy, language="zh")[0]
        assert zh == "规则 `lottery-is-spam` 直接判定为 `spam`，不看模型；被抽中由人工抽检"


def test_a_missing_field_is_named_and_the_reason_of_its_rule_is_not_given(tiny_release) -> None:
    """The rule neither holds nor fails, so its reason says nothing of the case."""
    policy = load_policy(tiny_release)
    (made,) = Decider(tiny_release, threads=1).decide([Request("hello", {})])
    decided = made.decision.to_json()
    assert why(decided, policy) == [
        "the rule `vip` needs the field `channel`, which the request did not give: a person decides"
    ]
    assert why(decided, policy, language="zh") == ["规则 `vip` 需要字段 `channel`，而请求里没有给出：由人工决定"]
    erased = decided | {"facts": decided["facts"] | {"fields": None}}
    assert why(erased, policy) == ["the rule `vip` needs a field that the request did not give: a person decides"]


def test_words_go_before_the_clauses_that_hold_them() -> None:
    spans = [{"text": "win a\nlong clause", "kind": "clause"}, {"text": "win", "kind": "word"}]
    assert words_of({"spans": spans}) == ["win"]
    assert words_of({"spans": spans[:1]}) == ["win a long clause"]


def test_a_reason_of_a_later_version_is_named(tiny_release) -> None:
    (first, _) = why(_decided("a_new_reason"), load_policy(tiny_release))
    assert first == "the model says `spam` with p 0.93: a_new_reason"


def test_cut_evidence_says_so(tiny_release) -> None:
    cut = "the time limit of 2 s for the evidence of a request was reached"
    found = why(_decided("audit"), load_policy(tiny_release), {"spans": [], "cut": cut}, "zh")[-1]
    assert found.startswith("查找关键词提前结束：") and "the time limit" not in found


def test_pieces_of_the_text_are_told_by_their_words() -> None:
    task = {"type": "answer", "none": True}
    spec = PolicySpec(format=4, task=task, thresholds={"*": 0.95}, rules="2", facts="5")
    policy = Policy(spec=spec, rules=None, release_id="")
    text = join_texts("Goods in Oslo.", "where?")
    facts: dict[str, Any] = {"p": 0.9, "clock": "1970-01-01T00:00:05Z", "spans": [[9, 13, "answer"]]}
    decided = {"outcome": "[]", "reason": "below_threshold", "facts": facts, "fired": []}
    (first,) = why(decided, policy, None, "en", text)
    assert first == "the model finds `Oslo (answer)` in the text with p 0.9, below the certified 0.95: a person decides"
    assert why(decided, policy, None, "zh", text)[0].startswith("模型在文本中找到`Oslo (answer)`，概率 0.9")
    assert why(decided, policy)[0].startswith("the model finds `9..13 (answer)` in the text")
    facts["spans"] = []
    assert why(decided, policy, None, "en", text)[0].startswith("the model finds nothing in the text with p 0.9")
