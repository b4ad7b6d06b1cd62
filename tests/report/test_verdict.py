"""The verdict says what happened, tells a tie from a gain, and never promises more than was proven."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from penjing.core.certificate import Gate
from penjing.report.contract import Baseline, Bounded, Decisions, Estimate, Reference, Report
from penjing.report.promised import NeedPart
from penjing.report.verdict import (
    as_written,
    gate_name,
    gate_value,
    megabytes,
    metric_name,
    metric_value,
    milliseconds,
    percent,
    signed,
    verdict,
    words,
)


def score_between(low: float, high: float) -> Estimate:
    return Estimate(value=(low + high) / 2, low=low, high=high)


MEASURED: dict[str, Any] = {"metric": "macro_f1", "metrics": {"macro_f1": score_between(0.88, 0.92)}}


def gate(name: str, state: Any) -> Gate:
    return Gate(name=name, promised=0.9, measured=0.8, bound=0.7, state=state)


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({}, "Sealed: every promise is held."),
        ({"gates": ()}, "Sealed."),
        ({"gates": (gate("macro_f1", "unproven"),)}, "Sealed, but these promises are not proven yet: macro-F1."),
        (
            {"sealed": False, "gates": (gate("size_mb", "broken"), gate("keep", "held"))},
            "Not sealed: a promise is broken (size of the release).",
        ),
        (
            {"sealed": False, "gates": (gate("house_gate", "unproven"),)},
            "Not sealed: a promise is not proven (house_gate), and the recipe refuses that.",
        ),
        ({"sealed": False}, "Not sealed."),
    ],
)
def test_the_headline_says_what_happened(sample: Callable[..., Report], changes: dict[str, Any], headline: str) -> None:
    assert verdict(sample(**changes), "en")[0] == headline
    assert verdict(sample(**changes), "zh")[0].startswith("已封装" if sample(**changes).sealed else "未封装")


def test_the_verdict_tells_a_tie_from_a_gain(sample: Callable[..., Report]) -> None:
    for low, high, said in (
        (0.01, 0.05, "significantly better"),
        (-0.01, 0.05, "does not differ significantly"),
        (-0.05, -0.01, "significantly worse"),
    ):
        linear = Reference(**MEASURED, difference=score_between(low, high))
        sentences = " ".join(verdict(sample(baseline=Baseline(linear=linear)), "en")[1])
        assert said in sentences
        assert (
            f"a difference of {(low + high) / 2:+.3f}, with 95 % confidence between {low:+.3f} and {high:+.3f}"
            in sentences
        )
        chinese = " ".join(verdict(sample(baseline=Baseline(linear=linear)), "zh")[1])
        assert f"相差 {(low + high) / 2:+.3f}（95% 置信区间为 {low:+.3f} 至 {high:+.3f}）" in chinese


def test_where_word_counts_were_sealed_the_encoders_distance_is_said(sample: Callable[..., Report]) -> None:
    same = Estimate(value=0, low=0, high=0)
    linear = Reference(**MEASURED, difference=same)
    # Sealed less encoder: the sentence speaks of the encoder less the sealed model.
    teacher = Reference(**MEASURED, name="tune.full", difference=Estimate(value=-0.012, low=-0.05, high=0.026))
    for fell_back in (True, False):
        report = sample(baseline=Baseline(linear=linear), teacher=teacher, fell_back=fell_back, model="tune.linear")
        sentences = " ".join(verdict(report, "en")[1])
        assert "a difference of +0.012, with 95 % confidence between -0.026 and +0.050" in sentences


def test_a_linear_release_is_not_compared_with_itself(sample: Callable[..., Report]) -> None:
    same = Estimate(value=0, low=0, high=0)
    linear = Reference(**MEASURED, difference=same)
    teacher = Reference(**MEASURED, kept=Estimate(value=1, low=1, high=1), name="tune.linear")
    report = sample(baseline=Baseline(linear=linear), teacher=teacher, model="tune.linear", base="penjing/mini")
    sentences = " ".join(verdict(report, "en")[1])
    assert "The model is the plain word model, with which all others are compared." in sentences
    assert "same answers" not in sentences and "full-size" not in sentences and "difference" not in sentences
    assert "就是词频模型" in " ".join(verdict(report, "zh")[1])


def test_an_unsealed_run_does_not_speak_as_if_it_served(sample: Callable[..., Report]) -> None:
    assert "No release was written" in verdict(sample(sealed=False), "en")[1][0]


def test_without_a_certificate_everything_goes_to_a_person(sample: Callable[..., Report]) -> None:
    decisions = Decisions(
        automation_rate=0,
        error_among_automated=Bounded(value=None, high=None),
        max_error={"a": 0.05, "b": 0.02},
        certified=False,
        rows_missing=240,
        thresholds={"a": None, "b": None},
    )
    report = sample(decisions=decisions)
    headline, sentences = verdict(report, "en")
    assert headline == (
        "Nothing is automated: a person decides every case, because these rows cannot prove an error of at most "
        "2\u00a0% to 5\u00a0% for automatic decisions. The release is sealed. The other promises are held."
    )
    assert "不超过 2% 至 5%" in verdict(report, "zh")[0]
    # 100 of the 950 rows are calibration rows, so 240 of them need 2,280.
    assert sentences[0].startswith("About 2,280 more labelled rows would be enough to prove it, because about 240 of")
    unproven = sample(decisions=decisions, gates=(gate("macro_f1", "unproven"),))
    assert verdict(unproven, "en")[0].endswith("sealed. These promises are not proven yet: macro-F1.")
    assert verdict(unproven, "zh")[0].startswith("没有自动处理：所有文本都转人工，")
    refused = verdict(sample(decisions=decisions, sealed=False), "en")[1]
    assert "Every case goes to a person" in refused[1] and "amend" not in " ".join(refused)
    hopeless = report.model_copy(update={"decisions": decisions.model_copy(update={"rows_missing": None})})
    assert "is wrong too often on the calibration rows" in " ".join(verdict(hopeless, "en")[1])


def test_rows_of_a_calibration_file_of_its_own_are_no_share(sample: Callable[..., Report]) -> None:
    decisions = sample().decisions.model_copy(update={"certified": False, "automation_rate": 0.0, "rows_missing": 240})
    data = sample().data.model_copy(update={"cut": ("train", "validation", "test")})
    said = verdict(sample(decisions=decisions, data=data), "en")[1][0]
    assert said == "About 240 more calibration rows would be enough to prove it."


def test_new_rows_for_amend_are_all_calibration_rows(sample: Callable[..., Report]) -> None:
    decisions = sample().decisions.model_copy(
        update={"certified": False, "automation_rate": 0.0, "rows_missing": 20, "rows": 38}
    )
    said = verdict(sample(decisions=decisions), "en")[1][0]
    assert "About 190 more labelled rows" in said and "For `penjing amend` about 58 new labelled rows" in said


def test_a_certificate_under_which_no_test_row_is_automatic(sample: Callable[..., Report]) -> None:
    decisions = sample().decisions.model_copy(update={"automation_rate": 0.0})
    assert verdict(sample(decisions=decisions), "en")[0].startswith(
        "Nothing was automated on the test rows: a person decides every one of them."
    )


@pytest.mark.parametrize(
    ("value", "shown"), [(-0.0004, "0.000"), (0.0, "0.000"), (-0.0005001, "-0.001"), (0.012, "+0.012")]
)
def test_zero_has_no_sign(value: float, shown: str) -> None:
    assert signed(value) == shown


def test_an_encoder_that_is_worse_is_called_worse(sample: Callable[..., Report]) -> None:
    teacher = Reference(**MEASURED, name="tune.full", difference=Estimate(value=0.65, low=0.55, high=0.75))
    report = sample(teacher=teacher, fell_back=True, model="tune.linear")
    assert "was significantly worse than the plain word model" in " ".join(verdict(report, "en")[1])
    assert "显著不如词频模型" in " ".join(verdict(report, "zh")[1])


def test_both_languages_have_the_same_phrases_and_places() -> None:
    english, chinese = words("en"), words("zh")
    assert english.keys() == chinese.keys()
    for name, phrase in english.items():
        assert set(re.findall(r"{(\w+)}", phrase)) == set(re.findall(r"{(\w+)}", chinese[name])), name


def test_figures_are_short_and_exact() -> None:
    assert percent(0.973, "en") == "97.3\u00a0%" and percent(0.05, "zh") == "5%"
    assert percent(0.05, "zh", trim=False) == "5.0%"
    assert [milliseconds(value) for value in (4.312, 31.24, 128.4)] == ["4.31\u00a0ms", "31.2\u00a0ms", "128\u00a0ms"]
    assert megabytes(9.996) == "10.0\u00a0MB" and megabytes(99.96) == "100\u00a0MB"


@pytest.mark.parametrize(("value", "shown"), [(0.05, "5%"), (0.0125, "1.25%"), (0.0004, "0.04%"), (0.07, "7%")])
def test_a_limit_is_never_rounded(sample: Callable[..., Report], value: float, shown: str) -> None:
    assert as_written(value, "zh") == shown
    decisions = sample().decisions.model_copy(update={"max_error": value})
    (said,) = [line for line in verdict(sample(decisions=decisions), "zh")[1] if "不超过" in line and "95%" in line]
    assert re.search(rf"(?<![\d.]){re.escape(shown)}", said), said


@pytest.mark.parametrize(
    ("name", "promised", "measured", "as_promised", "as_measured"),
    [
        ("p99_ms", 20.0, 4.3125, "20\u00a0ms", "4.31\u00a0ms"),
        ("size_mb", 37.5, 61.237, "37.5\u00a0MB", "61.2\u00a0MB"),
        ("times_faster", 50.0, 62.719, "50×", "62.7×"),
        ("macro_f1", 0.9, 0.87654, "0.9", "0.877"),
        ("keep", 0.975, 0.98, "97.5\u00a0%", "98.00\u00a0%"),
        ("keep", 0.98765, 0.99999, "98.765\u00a0%", "100.00\u00a0%"),
    ],
)
def test_a_promise_is_shown_as_it_was_written_and_a_measure_in_its_unit(
    name: str, promised: float, measured: float, as_promised: str, as_measured: str
) -> None:
    found = Gate(name=name, promised=promised, measured=measured, bound=measured, state="held")
    assert gate_value(found, found.promised, "en") == as_promised
    assert gate_value(found, found.measured, "en") == as_measured


def test_a_gate_that_the_page_does_not_know_keeps_its_name() -> None:
    assert gate_name(gate("macro_f1", "held"), "en") == "Macro-F1"
    assert gate_name(gate("house_gate", "held"), "zh") == "house_gate"


def test_a_model_that_fell_back_is_not_praised(sample: Callable[..., Report]) -> None:
    sentences = " ".join(verdict(sample(fell_back=True), "en")[1])
    assert "The plain word model was chosen" in sentences
    assert "better than that of the plain word model" not in sentences and "full-size" not in sentences


def test_outcomes_that_rules_force_are_told_apart(sample: Callable[..., Report]) -> None:
    decisions = sample().decisions
    assert "Rules set" not in " ".join(verdict(sample(), "en")[1])
    forced = sample(decisions=decisions.model_copy(update={"forced": 0.125}))
    assert "Rules set the outcome of 12.5\u00a0%" in " ".join(verdict(forced, "en")[1])


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.1, ""),
        (0.13, "on 160 decisions it may be chance"),
        (0.25, "chance alone hardly explains it on 160 decisions"),
    ],
)
def test_more_errors_on_test_rows_than_promised_are_explained(
    sample: Callable[..., Report], value: float, said: str
) -> None:
    """21 and 40 of 160 under a promise of 10 %: their one-sided 95 % bounds from below are 9.0 % and 19.4 %."""
    report = sample()
    error = Bounded(value=value, high=0.4)
    changes = {"max_error": 0.1, "automation_rate": 0.8, "error_among_automated": error, "certified": True}
    decisions = report.decisions.model_copy(update=changes)
    tested = report.test.model_copy(update={"rows": 200})
    sentences = " ".join(verdict(report.model_copy(update={"decisions": decisions, "test": tested}), "en")[1])
    assert said in sentences and ("That is more than" in sentences) == bool(said)
    without = report.model_copy(update={"decisions": decisions, "test": tested.model_copy(update={"rows": 0})})
    assert "That is more than" not in " ".join(verdict(without, "en")[1])


def test_limits_by_label_are_not_told_as_one_limit(sample: Callable[..., Report]) -> None:
    decisions = sample().decisions.model_copy(update={"max_error": {"a": 0.05, "b": 0.02}})
    sentences = " ".join(verdict(sample(decisions=decisions), "en")[1])
    assert "within the limit of each label" in sentences and "at most" not in sentences


@pytest.mark.parametrize(
    ("max_miss", "en", "zh"),
    [
        ({}, "the limit on errors", "出错的上限"),
        ({"a": 0.02}, "the limits on errors and on misses", "出错和漏判的上限"),
    ],
)
def test_no_headline_calls_a_limit_held_that_is_not_proven(
    sample: Callable[..., Report], max_miss: dict[str, float], en: str, zh: str
) -> None:
    # Of two labels with a limit of their own, one is proven: the other is a promise too.
    half = sample().decisions.model_copy(
        update={"max_error": {"a": 0.05, "b": 0.02}, "needs": {"b": NeedPart(answer="unknown")}, "max_miss": max_miss}
    )
    assert verdict(sample(decisions=half), "en")[0] == f"Sealed, but these promises are not proven yet: {en}."
    assert verdict(sample(decisions=half), "zh")[0] == f"已封装，但以下承诺尚未得到证明：{zh}。"
    also = sample(decisions=half, gates=(gate("macro_f1", "unproven"),))
    assert verdict(also, "en")[0].endswith(f"not proven yet: macro-F1, {en}.")
    none = half.model_copy(update={"automation_rate": 0.0, "certified": False})
    assert verdict(sample(decisions=none), "en")[0].endswith("The release is sealed. The other promises are held.")
    assert verdict(sample(decisions=none), "zh")[0].endswith("发布包已封装。其余承诺均已达到。")
    # Proven, though on the test rows nothing was automated: every promise is held.
    quiet = sample().decisions.model_copy(update={"automation_rate": 0.0})
    assert verdict(sample(decisions=quiet), "en")[0].endswith("The release is sealed. The promises are held.")


@pytest.mark.parametrize(
    ("name", "en", "zh"),
    [
        ("mood.macro_f1", "mood · macro-F1", "mood · 宏平均 F1"),
        ("mood.unknown", "mood · unknown", "mood · unknown"),
        ("all_right", "Rows right in every task", "各任务全部正确的行"),
        ("macro_f1", "Macro-F1", "宏平均 F1"),
    ],
)
def test_the_metric_of_a_task_has_its_name_before_it(name: str, en: str, zh: str) -> None:
    assert (metric_name(name, "en", heading=True), metric_name(name, "zh", heading=True)) == (en, zh)
    assert metric_value("mood.accuracy", 0.5, "zh") == "50.0%"
