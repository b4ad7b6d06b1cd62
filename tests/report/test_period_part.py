"""Where rules have dates the page says what is certified in each period, and never that nothing is automated."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from penjing.core.certificate import CertifiedPeriod
from penjing.report.contract import Report
from penjing.report.page import render
from penjing.report.promised import Menu
from penjing.report.verdict import sound, verdict
from penjing.report.ways_out import menu_lines

JUNE = 1_780_272_000
NONE = {"rows": 300, "confidence": 0.975}
GOOD = {**NONE, "certified": True, "automation": 0.8, "error": 0.0125, "thresholds": {"a": 0.9}}


@pytest.fixture
def dated(sample: Callable[..., Report]) -> Callable[..., Report]:
    """A report of a day, with what is certified before June and from June on."""

    def make(made: str, before: dict[str, object], after: dict[str, object]) -> Report:
        periods = (
            CertifiedPeriod.model_validate({"first": None, "last": JUNE - 1, **before}),
            CertifiedPeriod.model_validate({"first": JUNE, "last": None, **after}),
        )
        shown = periods[made >= "2026-06-01"]
        update = {"periods": periods, "certified": shown.certified, "needs": {}, "automation_rate": 0.0}
        return sample(made=f"{made}T10:00:00+00:00", decisions=sample().decisions.model_copy(update=update))

    return make


def test_nobody_says_that_nothing_is_automated_while_a_period_automates(dated: Callable[..., Report]) -> None:
    # Before June nothing is certified, and the certificate as a whole is that of the worst period.
    report = dated("2026-07-01", NONE, GOOD)
    headline, said = verdict(report, "en")
    assert headline == "Sealed: every promise is held." and sound(report) == "held"
    assert said[1:3] == [
        "From 2026-06-01 on (now), the model decides 80\u00a0% of the cases (300 calibration rows, 1.25\u00a0% of its "
        "decisions wrong).",
        "Until 2026-05-31, nothing is certified (300 calibration rows): a person decides every case that no rule "
        "decides.",
    ]
    chinese = verdict(report, "zh")
    assert chinese[0] == "已封装：各项承诺全部达到。"
    assert chinese[1][1] == "自 2026-06-01 起（当前）：80% 的文本由模型决定（300 行认证数据，其中出错的为 1.25%）。"
    assert chinese[1][2].startswith("截至 2026-05-31：没有得到认证")


def test_what_comes_later_counts_and_what_is_past_does_not(dated: Callable[..., Report]) -> None:
    soon = dated("2026-05-01", NONE, GOOD)
    assert verdict(soon, "en")[0] == (
        "Sealed, but these promises are not proven yet: the limit on errors in every period."
    )
    assert verdict(soon, "zh")[0] == "已封装，但以下承诺尚未得到证明：每个时段中出错的上限。"
    assert verdict(soon, "en")[1][1].startswith("Until 2026-05-31 (now), nothing is certified")
    past = dated("2026-07-01", GOOD, NONE)
    assert verdict(past, "en")[0].startswith(
        "Nothing is automated: a person decides every case, because these rows prove no limit in the present period or "
        "in one to come."
    )
    assert verdict(past, "zh")[0].startswith(
        "没有自动处理：所有文本都转人工，因为现有数据在当前和以后的时段都证明不了任何上限。"
    )
    assert sound(soon) == sound(past) == "unproven"


def test_the_page_has_a_row_for_each_period(dated: Callable[..., Report]) -> None:
    for language, cells in (
        ("en", ["From 2026-06-01 on (now)", "80\u00a0%", "Until 2026-05-31", "not certified"]),
        ("zh", ["自 2026-06-01 起（当前）", "80%", "截至 2026-05-31", "未认证"]),
    ):
        page = render(dated("2026-07-01", NONE, GOOD), language=language)  # type: ignore[arg-type]
        for cell in cells:
            assert cell in page.split("<table", 1)[1]


@pytest.mark.parametrize(
    ("counted", "english", "in_chinese"),
    [
        ("items", "of all entities decided, 1.25\u00a0% are wrong", "自动决定的实体中出错的为 1.25%"),
        ("labels", "1.25\u00a0% of these have a label wrong or missing", "其中有标签错或漏的为 1.25%"),
    ],
)
def test_a_period_says_what_is_counted(
    dated: Callable[..., Report], counted: str, english: str, in_chinese: str
) -> None:
    report = dated("2026-07-01", NONE, {**GOOD, "counted": counted})
    assert english in verdict(report, "en")[1][1] and in_chinese in verdict(report, "zh")[1][1]


def test_a_menu_says_which_period_it_is_about() -> None:
    menu = Menu(rows=100, period=("2026-06-01", None), confidence=0.975, offers=())
    _, about = menu_lines(menu, "en")
    assert about == (
        "  From 2026-06-01 on; the level is shared by the periods between the dates of rules, so this is at "
        "97.5\u00a0% confidence"
    )
    assert list(menu_lines(menu, "zh"))[1] == "  自 2026-06-01 起；各时段共用显著性水平，因此这里按 97.5% 的置信度"
    assert len(list(menu_lines(Menu(rows=100, offers=()), "en"))) == 1


def test_the_column_of_periods_names_the_zone_of_its_days(dated: Callable[..., Report]) -> None:
    utc = dated("2026-07-01", NONE, GOOD)
    assert "<th>Period (UTC)</th>" in render(utc, language="en")
    shanghai = {"time_zone": "Asia/Shanghai", "ahead": (28_800, 28_800)}
    local = dated("2026-07-01", {**NONE, **shanghai}, {**GOOD, **shanghai})
    assert "<th>Period (Asia/Shanghai)</th>" in render(local, language="en")
    assert "<th>时段（Asia/Shanghai）</th>" in render(local, language="zh")


def test_the_page_ends_the_sentence_on_the_period_of_a_menu_in_its_language(sample: Callable[..., Report]) -> None:
    report = sample(menu=Menu(rows=100, period=("2026-06-01", None), confidence=0.975, offers=()))
    assert "than this forecast. From 2026-06-01 on; the level is shared" in render(report, language="en")
    page = render(report, language="zh")
    assert "这里推测的多，也可能少。自 2026-06-01 起；" in page and "按 97.5% 的置信度。</p>" in page
