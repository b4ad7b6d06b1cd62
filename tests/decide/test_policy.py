"""The policy: rules first, thresholds with their band of tolerance, the share for audit, reasons that stay the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from penjing.core.answers import Choice
from penjing.core.canon import canonical_json
from penjing.core.errors import RecipeError, RuleError
from penjing.core.nouns import Decision, Prediction
from penjing.data.mask import mask
from penjing.decide.by_model import tolerance_units
from penjing.decide.examine import load_rules
from penjing.decide.first.reader import read_rules
from penjing.decide.policy import REASONS, Policy, PolicySpec
from penjing.decide.schema import FactSchema

RULES = """name,label,p,text,pii.mobile,amount,then
phone,,,,>=1,,review
lottery,,,contains 彩票|Lottery,,,outcome spam
large,,,,,>10000,review
"""
LABELS = ("ham", "spam")


def policy(folder: Path, rules: str | None = RULES, **changes: Any) -> Policy:
    values = {"thresholds": {"ham": 0.9, "spam": 0.8}, "audit": 0.0, "fields": {"amount": "float"}, **changes}
    spec = PolicySpec(labels=LABELS, **values)
    (folder / "rules.csv").write_text(rules or "", encoding="utf-8")
    table = read_rules(folder / "rules.csv", spec.schema_of_facts()) if rules else None
    return Policy(spec=spec, rules=table, release_id="r" * 64)


def facts(made: Policy, text: str = "你好", ham: float = 0.95, long: bool = False, **fields: Any) -> dict[str, Any]:
    prediction = Prediction("a" * 64, Choice(LABELS, (ham, round(1 - ham, 6))), long)
    return made.facts(prediction, mask(text), {"amount": 1.0, **fields}, "2026-01-01T00:00:00Z")


def test_facts_are_plain_values_without_the_text(tmp_path: Path) -> None:
    found = facts(policy(tmp_path), "买 LOTTERY, 电话 13812345678", ham=0.7)
    assert found == {
        "label": "ham",
        "p": 0.7,
        "margin": 0.4,
        "probabilities": {"ham": 0.7, "spam": 0.3},
        "too_long": False,
        "pii": {**mask("").counts, "mobile": 1},
        "fields": {"amount": 1.0},
        "contains": {"lottery": True, "彩票": False},
        "clock": "2026-01-01T00:00:00Z",
    }
    assert "电话" not in canonical_json(found).decode()


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ({"ham": 0.95}, ("ham", "automatic", "model", "above_threshold", False, ())),
        ({"ham": 0.9}, ("ham", "automatic", "model", "above_threshold", False, ())),
        ({"ham": 0.899999}, ("ham", "review", "model", "below_threshold", False, ())),
        ({"ham": 0.1}, ("spam", "automatic", "model", "above_threshold", False, ())),
        ({"ham": 0.95, "long": True}, ("ham", "review", "model", "too_long", False, ())),
        ({"text": "电话 13812345678"}, ("ham", "review", "rule", "rule_review", False, ("phone",))),
        ({"text": "中彩票"}, ("spam", "automatic", "rule", "rule_outcome", True, ("lottery",))),
        ({"text": "彩票 13812345678"}, ("ham", "review", "rule", "rule_review", False, ("phone",))),
        ({"amount": 10000.01}, ("ham", "review", "rule", "rule_review", False, ("large",))),
        ({"amount": None}, ("ham", "review", "rule", "missing_field", False, ("large",))),
        ({"amount": None, "text": "彩票"}, ("spam", "automatic", "rule", "rule_outcome", True, ("lottery",))),
    ],
)
def test_decides(tmp_path: Path, case: dict[str, Any], expected: tuple[Any, ...]) -> None:
    made = policy(tmp_path)
    decision = made.decide("id", facts(made, **case))
    found = (decision.outcome, decision.route, decision.decided_by, decision.reason, decision.forced, decision.fired)
    assert found == expected
    assert decision.reason in REASONS
    assert decision.release == "r" * 64


@pytest.mark.parametrize(
    ("ham", "reason"),
    [
        (0.888999, "below_threshold"),
        (0.889, "within_tolerance"),
        (0.9, "within_tolerance"),
        (0.910999, "within_tolerance"),
        (0.911, "above_threshold"),
    ],
)
def test_a_score_near_a_threshold_goes_to_a_person(tmp_path: Path, ham: float, reason: str) -> None:
    made = policy(tmp_path, tolerance=0.011)
    assert made.decide("id", facts(made, ham=ham)).reason == reason


def test_two_labels_that_might_change_places_go_to_a_person(tmp_path: Path) -> None:
    made = policy(tmp_path, tolerance=0.01, thresholds={"ham": 0.3, "spam": 0.3})
    assert made.decide("id", facts(made, ham=0.51)).reason == "within_tolerance"
    assert made.decide("id", facts(made, ham=0.510001)).reason == "above_threshold"


def test_a_tolerance_below_the_rounding_still_counts_as_one_unit() -> None:
    assert [tolerance_units(each) for each in (0.0, 1e-9, 1e-6, 1.5e-6, 1e-4)] == [0, 1, 1, 2, 100]


def test_a_label_without_a_threshold_is_reviewed(tmp_path: Path) -> None:
    made = policy(tmp_path, thresholds={"ham": None})
    assert made.decide("id", facts(made)).reason == "not_certified"
    assert made.decide("id", facts(made, ham=0.0)).reason == "not_certified"


def test_audit_takes_its_share_of_automatic_cases_and_leaves_their_outcome(tmp_path: Path) -> None:
    made = policy(tmp_path, audit=0.1)
    certain, forced = facts(made), facts(made, "彩票")
    drawn = [made.decide(f"{i}", certain) for i in range(2000)]
    share = sum(each.reason == "audit" for each in drawn) / 2000
    assert 0.08 < share < 0.12
    assert {each.route for each in drawn if each.reason == "audit"} == {"review"}
    assert {each.outcome for each in drawn} == {"ham"}
    assert [each.reason for each in drawn] == [made.decide(f"{i}", certain).reason for i in range(2000)]
    audited = next(each for each in (made.decide(f"{i}", forced) for i in range(200)) if each.reason == "audit")
    assert audited.forced and audited.outcome == "spam" and audited.fired == ("lottery",)
    unsure = facts(made, ham=0.6)
    assert all(made.decide(f"{i}", unsure).reason == "below_threshold" for i in range(200))


@given(ham=st.integers(0, 1_000_000), threshold=st.integers(0, 1_000_000), band=st.integers(0, 30_000))
def test_automatic_means_beyond_threshold_and_band(ham: int, threshold: int, band: int) -> None:
    spec = PolicySpec(labels=LABELS, thresholds=dict.fromkeys(LABELS, threshold / 1e6), audit=0, tolerance=band / 1e6)
    made = Policy(spec=spec, rules=None, release_id="")
    prediction = Prediction("", Choice(LABELS, (ham / 1e6, (1_000_000 - ham) / 1e6)))
    decision = made.decide("", made.facts(prediction, mask(""), {}, ""))
    p = max(ham, 1_000_000 - ham)
    clear = 2 * p - 1_000_000 > 2 * band or band == 0
    assert (decision.route == "automatic") == (p >= threshold + band and clear)


def test_format_1_keeps_its_bytes_and_names_no_versions() -> None:
    old = PolicySpec(labels=LABELS, thresholds=dict.fromkeys(LABELS))
    assert not {"masking", "folding", "rules"} & set(old.model_dump(mode="json")) and old.format == 1
    assert (old.masking, old.folding, old.rules) == ("1", "1", "1")
    with pytest.raises(ValueError, match="format 1 cannot name"):
        PolicySpec(labels=LABELS, thresholds={}, folding="2")
    new = PolicySpec(format=2, labels=LABELS, thresholds={}, masking="2", folding="2")
    assert PolicySpec.model_validate_json(new.model_dump_json()) == new
    # A name that is missing means the first.
    assert PolicySpec.model_validate({"format": 2, "labels": LABELS, "thresholds": {}}).folding == "1"


def test_phrases_see_through_width_since_the_second_folding(tmp_path: Path) -> None:
    rules = "name,text,then\nvip,contains VIP,review\n"
    new = policy(tmp_path, rules, format=2, folding="2", masking="2")
    old = policy(tmp_path, rules)
    for text in ("ＶＩＰ客户", "vip客户", "Ｖip"):
        assert facts(new, text)["contains"] == {"vip": True}
    assert facts(old, "ＶＩＰ客户")["contains"] == {"vip": False} and facts(old, "Vip")["contains"] == {"vip": True}
    wide = policy(tmp_path, "name,text,then\nvip,contains ＶＩＰ,review\n", format=2, folding="2")
    assert facts(wide, "a vip")["contains"] == {"vip": True}


def test_a_field_is_masked_by_the_version_of_the_release(tmp_path: Path) -> None:
    for masking, kept in (("1", "5494-⟦landline⟧"), ("2", "⟦bank_card⟧")):
        made = policy(tmp_path, None, format=2, masking=masking, fields={"note": "str"})
        assert made.schema.read({"note": "5494-0427-7440-6544"}) == {"note": kept}


def test_formats_one_and_two_name_labels_and_format_three_a_task() -> None:
    state = {"kind": "number", "within": 0.5, "coverage": 0.9, "grades": [], "mean": 3.0, "scale": 1.0, "digits": 1}
    two = PolicySpec(format=2, labels=LABELS, thresholds={}).model_dump(mode="json")
    three = PolicySpec(format=3, task={"type": "score", **state}, thresholds={"*": None}).model_dump(mode="json")
    assert "task" not in two and two["labels"] == list(LABELS)
    assert "labels" not in three and three["task"] == {"type": "score", **state}
    assert PolicySpec.model_validate(three).opened_task().state == state
    for wrong in (
        {"format": 3, "labels": LABELS},
        {"format": 2, "task": {"type": "score", **state}},
        {"format": 3, "labels": LABELS, "task": {"type": "score", **state}},
        {"format": 2},
    ):
        with pytest.raises(ValidationError, match="format 3 a task and no labels"):
            PolicySpec(thresholds={}, **wrong)


def unmet(folder: Path, amount: float | None, seen: dict[str, Any], text: str = "你好") -> Decision:
    made = policy(folder, format=4, facts="2", features={"amount": seen})
    return made.decide("id", facts(made, text, amount=amount))


@pytest.mark.parametrize(
    ("amount", "text", "expected"),
    [
        (5.0, "你好", ("ham", "automatic", "above_threshold", (), {})),
        (None, "你好", ("ham", "review", "missing_field", ("large",), {"amount": "missing"})),
        (9.5, "你好", ("ham", "review", "unseen_feature", (), {"amount": "outside"})),
        (0.5, "你好", ("ham", "review", "unseen_feature", (), {"amount": "outside"})),
        # A rule sends it to a person anyway; what a rule forces goes to a person with that proposal.
        (20000.0, "你好", ("ham", "review", "rule_review", ("large",), {"amount": "outside"})),
        (None, "彩票", ("spam", "review", "missing_feature", ("lottery",), {"amount": "missing"})),
    ],
)
def test_a_case_that_the_model_was_not_trained_for_goes_to_a_person(
    tmp_path: Path, amount: float | None, text: str, expected: tuple[Any, ...]
) -> None:
    made = unmet(tmp_path, amount, {"empty": False, "low": 1.0, "high": 9.0}, text)
    assert (made.outcome, made.route, made.reason, made.fired, made.facts["features"]) == expected
    assert made.facts["version"] == "2" and not made.forced


def test_a_missing_feature_without_rules_is_named(tmp_path: Path) -> None:
    made = policy(tmp_path, None, format=4, facts="2", features={"amount": {"empty": False, "low": 1, "high": 9}})
    decision = made.decide("id", facts(made, amount=None))
    assert (decision.route, decision.decided_by, decision.reason) == ("review", "model", "missing_feature")
    # Sometimes empty in training: that it is missing is a value of its own.
    made = policy(tmp_path, None, format=4, facts="2", features={"amount": {"empty": True, "low": 1, "high": 9}})
    assert made.decide("id", facts(made, amount=None)).reason == "above_threshold"


def test_policies_of_earlier_formats_keep_their_bytes_and_their_facts(tmp_path: Path) -> None:
    for format, more in ((1, {}), (2, {"masking": "2"}), (3, {})):
        task = {"task": {"type": "score", "kind": "number"}} if format == 3 else {"labels": LABELS}
        written = PolicySpec(format=format, thresholds={}, **task, **more).model_dump(mode="json")
        assert not {"facts", "features"} & written.keys()
        with pytest.raises(ValidationError, match="formats 1 to 3 name no version of facts"):
            PolicySpec(format=format, thresholds={}, facts="2", **task)
    assert "version" not in facts(policy(tmp_path)) and "features" not in facts(policy(tmp_path))
    newest = PolicySpec(format=4, labels=LABELS, thresholds={}, facts="2").model_dump(mode="json")
    assert (newest["facts"], newest["features"]) == ("2", {}) and "task" not in newest


SECOND = """name,label,p,text,amount,opened,valid_from,valid_to,priority,then,why
phone,,,contains @号码,,,,,,review 电话组,号码由电话组处理
lottery,,,contains all 彩票|中奖,,,,,,outcome spam,
refund,,,contains 退款,,,,,,model,
large,,,,>10000,,,,,review,
late,,,not contains 谢谢,,not within 30 days,,,,review 催办,
summer,,,starts 夏,,,2026-06-01,2026-08-31,5,outcome ham,
"""


def second(folder: Path, rules: str = SECOND, **changes: Any) -> Policy:
    """A policy of rules of the second edition, with a word list beside them."""
    fields = {"amount": "float", "opened": "date"}
    values = {"thresholds": {"ham": 0.9, "spam": None}, "audit": 0.0, "fields": fields, **changes}
    spec = PolicySpec(labels=LABELS, format=4, rules="2", facts="3", folding="3", **values)
    (folder / "rules.csv").write_text(rules, encoding="utf-8")
    (folder / "words").mkdir(exist_ok=True)
    (folder / "words" / "号码.txt").write_text("打电话\n来电\n", encoding="utf-8")
    return Policy(spec, load_rules(folder / "rules.csv", spec.schema_of_facts()), "r" * 64)


def facts_now(
    made: Policy, text: str, clock: str = "2026-01-20T10:00:00Z", draw: float | None = None, **fields: Any
) -> dict[str, Any]:
    prediction = Prediction("a" * 64, Choice(LABELS, (0.95, 0.05)))
    given = {"amount": 1.0, "opened": "2026-01-05", **fields}
    return made.facts(prediction, mask(text), given, clock, draw)


def test_facts_of_the_second_edition_hold_only_what_was_found(tmp_path: Path) -> None:
    made = second(tmp_path)
    found = facts_now(made, "来电说彩票，没 说 退款")
    assert found["text"] == {"contains": ["彩票", "退款"], "lists": {"号码": ["来电"]}}
    assert found["version"] == "3" and "contains" not in found
    assert facts_now(made, "谢谢")["text"] == {"contains": ["谢谢"]}
    assert facts_now(made, "你好")["text"] == {}
    assert facts_now(Policy(made.spec, None, "r" * 64), "退款")["text"] == {}


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("你好", {}, ("ham", "automatic", "model", "above_threshold", (), "")),
        ("请打电话，彩票中奖", {}, ("ham", "review", "rule", "rule_review", ("phone",), "电话组")),
        ("彩票中奖", {}, ("spam", "automatic", "rule", "rule_outcome", ("lottery",), "")),
        ("彩票", {}, ("ham", "automatic", "model", "above_threshold", (), "")),
        # The model decides: the rows below do not.
        ("退款", {"amount": 20_000.0}, ("ham", "automatic", "model", "above_threshold", ("refund",), "")),
        ("你好", {"amount": 20_000.0}, ("ham", "review", "rule", "rule_review", ("large",), "")),
        ("你好", {"amount": None}, ("ham", "review", "rule", "missing_field", ("large",), "")),
        ("你好", {"opened": "2025-12-20"}, ("ham", "review", "rule", "rule_review", ("late",), "催办")),
        ("谢谢", {"opened": "2025-12-20"}, ("ham", "automatic", "model", "above_threshold", (), "")),
        ("谢谢", {"opened": None}, ("ham", "automatic", "model", "above_threshold", (), "")),
        ("你好", {"opened": None}, ("ham", "review", "rule", "missing_field", ("late",), "")),
        # Of a larger priority, so above all others, but only between its dates.
        (
            "夏天打电话",
            {"clock": "2026-06-01"},
            ("ham", "automatic", "rule", "rule_outcome", ("summer",), ""),
        ),
        (
            "夏天打电话",
            {"clock": "2026-09-01"},
            ("ham", "review", "rule", "rule_review", ("phone",), "电话组"),
        ),
    ],
)
def test_decides_by_rules_of_the_second_edition(
    tmp_path: Path, text: str, given: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    made = second(tmp_path)
    decision = made.decide("id", facts_now(made, text, **given))
    parts = (decision.outcome, decision.route, decision.decided_by, decision.reason, decision.fired, decision.queue)
    assert parts == expected
    assert decision.forced == (decision.reason == "rule_outcome")
    # A queue is written only where there is one, and the bytes follow from the recorded facts alone.
    written = decision.to_json()
    assert written.get("queue", "") == decision.queue and ("queue" in written) == bool(decision.queue)
    recorded = json.loads(canonical_json(written))
    assert canonical_json(made.decide("id", recorded["facts"]).to_json()) == canonical_json(written)


def test_an_exception_leaves_a_doubtful_case_to_the_threshold_and_to_the_audit(tmp_path: Path) -> None:
    made = second(tmp_path, thresholds={"ham": 0.99, "spam": None})
    doubtful = made.decide("id", facts_now(made, "退款"))
    assert (doubtful.route, doubtful.reason, doubtful.fired) == ("review", "below_threshold", ("refund",))
    made = second(tmp_path, audit=1.0)
    assert made.decide("id", facts_now(made, "退款", draw=0.5)).reason == "audit"


def test_an_audit_is_what_the_case_drew_against_the_probability_in_its_record(tmp_path: Path) -> None:
    made = second(tmp_path, audit=0.1)
    drawn, spared = (facts_now(made, "你好", draw=draw) for draw in (0.0999, 0.1))
    assert drawn["audit"] == {"draw": 0.0999, "probability": 0.1}
    assert {made.decide(f"{n}", drawn).reason for n in range(50)} == {"audit"}
    assert {made.decide(f"{n}", spared).reason for n in range(50)} == {"above_threshold"}
    assert made.decide("id", facts_now(made, "你好")).reason == "above_threshold"  # nobody drew: a labelled row
    silent = Policy(made.spec.model_copy(update={"audit": 0.0}), made.rules, "r" * 64)
    assert silent.decide("id", drawn).reason == "above_threshold"


def test_facts_of_the_third_version_belong_to_rules_of_the_second_edition() -> None:
    for wrong in ({"rules": "2", "facts": "2"}, {"rules": "1", "facts": "3"}):
        with pytest.raises(ValidationError, match="facts of versions 3 to 5 are those of rules of form 2"):
            PolicySpec(labels=LABELS, thresholds={}, format=4, **wrong)


@pytest.mark.parametrize("format", [1, 2, 3, 4])
def test_a_policy_of_any_format_takes_rules_of_the_newest_edition(format: int) -> None:
    task = {"task": {"type": "score", "kind": "number"}} if format == 3 else {"labels": LABELS}
    newest = PolicySpec(format=format, thresholds={}, max_error=0.1, **task).newest_rules()
    assert PolicySpec.model_validate(newest.model_dump(mode="json")) == newest
    assert (newest.format, newest.rules, newest.facts, newest.max_error) == (4, "2", "5", 0.1)


def scoped(folder: Path, rules: str, **changes: Any) -> Policy:
    """A policy of a release that says of a text that it is out of scope."""
    spec = second(folder).spec.model_copy(update={"format": 5, "facts": "4", "scope": True, **changes})
    (folder / "rules.csv").write_text(rules, encoding="utf-8")
    return Policy(spec, load_rules(folder / "rules.csv", spec.schema_of_facts()), "r" * 64)


def far(made: Policy, text: str, out: bool) -> dict[str, Any]:
    prediction = Prediction("a" * 64, Choice(LABELS, (0.95, 0.05)), far=0.7, out_of_scope=out)
    return made.facts(prediction, mask(text), {"amount": 1.0, "opened": "2026-01-05"}, "2026-01-20T10:00:00Z", 0.5)


@pytest.mark.parametrize("heading", ["out_of_scope", "超出范围"])
def test_a_text_out_of_scope_goes_to_a_person_unless_a_rule_decides_it(heading: str, tmp_path: Path) -> None:
    rows = f"name,text,{heading},then\ngreeting,contains 你好,yes,outcome ham\nnews,contains 报,否,review\n"
    made = scoped(tmp_path, rows)
    assert far(made, "x", True)["out_of_scope"] is True and far(made, "x", True)["version"] == "4"
    cases = [("天气", True), ("天气真", False), ("你好", True), ("你好吗", False), ("日报", True), ("晚报", False)]
    seen = {text: made.decide("id", far(made, text, out)) for text, out in cases}
    assert [(one.route, one.reason) for one in seen.values()] == [
        ("review", "out_of_scope"), ("automatic", "above_threshold"), ("automatic", "rule_outcome"),
        ("automatic", "above_threshold"), ("review", "out_of_scope"), ("review", "rule_review"),
    ]  # fmt: skip
    assert seen["天气"].outcome == "ham" and seen["天气"].decided_by == "model"


def test_a_case_out_of_scope_is_no_audit(tmp_path: Path) -> None:
    made = scoped(tmp_path, "name,text,then\nnews,contains 报,review\n", audit=1.0)
    assert made.decide("id", far(made, "天气", True)).reason == "out_of_scope"
    assert made.decide("id", far(made, "天气", False)).reason == "audit"


def test_a_release_without_a_scope_has_no_such_fact(tmp_path: Path) -> None:
    made = second(tmp_path)
    assert "out_of_scope" not in far(made, "x", True) and "out_of_scope" not in made.schema.kinds()
    with pytest.raises(RuleError, match="unknown column `out_of_scope`"):
        scoped(tmp_path, "name,out_of_scope,then\nn,yes,review\n", format=4, scope=False)
    # The name is reserved only where the fact exists: earlier releases may have a field of that name.
    assert FactSchema(LABELS, {"out_of_scope": "bool"}).kinds()["out_of_scope"] == "bool"
    with pytest.raises(RecipeError, match="a field cannot be named `out_of_scope`"):
        FactSchema(LABELS, {"out_of_scope": "bool"}, scope=True)


@pytest.mark.parametrize(
    "wrong", [{"format": 4, "scope": True}, {"format": 5}, {"format": 5, "scope": True, "facts": "3"}]
)
def test_a_scope_belongs_to_policies_of_format_5(wrong: dict[str, Any]) -> None:
    values = {"labels": LABELS, "thresholds": {}, "rules": "2", "facts": "4", **wrong}
    with pytest.raises(ValidationError, match=r"format 5 is for a scope|a policy with a scope"):
        PolicySpec.model_validate(values)
