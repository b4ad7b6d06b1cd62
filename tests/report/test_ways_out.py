"""The sentences about what more rows give and the ways out, the harm table and the menu, in both languages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from penjing.report.contract import Bounded, Report
from penjing.report.page import render
from penjing.report.promised import HarmRow, Menu, NeedPart, OfferRow
from penjing.report.verdict import verdict
from penjing.report.ways_out import terminal_lines

HARM = (
    HarmRow(label="legal", rows=800, wrong=4, forced=3, high=0.0114, best=0.0037),
    HarmRow(
        label="illegal", rows=14, wrong=0, high=0.1926, best=0.1926, limit=0.02, proven=False, proof_rows=15,
        proof_best=0.181,
    ),
)  # fmt: skip
OFFERS = tuple(
    OfferRow(max_error=limit, now=now, more=0.5, most=0.9) for limit, now in ((0.02, 0.0), (0.05, 0.0), (0.1, 0.62))
)
MENU = Menu(rows=100, offers=OFFERS, by_label={"legal": OFFERS, "illegal": OFFERS[:1]})


def nothing(sample: Callable[..., Report], needs: dict[str, NeedPart], **more: Any) -> Report:
    changes = {
        "certified": False, "automation_rate": 0.0, "needs": needs, "max_error": 0.05,
        "error_among_automated": Bounded(value=None, high=None), "rows": 38, **more,
    }  # fmt: skip
    return sample(decisions=sample().decisions.model_copy(update=changes), harm=HARM, menu=MENU)


def test_that_nothing_is_automated_is_said_first_with_the_ways_out(sample: Callable[..., Report]) -> None:
    report = nothing(sample, {"*": NeedPart(answer="unknown")}, max_miss={"illegal": 0.02})
    headline, sentences = verdict(report, "en")
    assert headline.startswith("Nothing is automated: a person decides every case, because these rows cannot prove")
    assert sentences[0].startswith("These rows do not show whether more rows would be enough.")
    assert sentences[1] == (
        "Misses of illegal: its 15 calibration rows prove 18.1\u00a0% at best, not 2\u00a0%. More rows of this label "
        "are needed, or a looser `max_miss`."
    )
    assert "`max_error` 10" not in " ".join(sentences), "a looser limit on errors proves no limit on misses"
    plain = verdict(nothing(sample, {"*": NeedPart(answer="unknown")}), "en")[1]
    assert plain[2].startswith("With `max_error` 10\u00a0%, about 62\u00a0% of the cases")
    assert verdict(report, "zh")[0].startswith("没有自动处理：所有文本都转人工，因为")


def test_rules_that_decide_are_named_in_the_headline(sample: Callable[..., Report]) -> None:
    report = nothing(sample, {"*": NeedPart(answer="no_help")}, forced=0.2)
    headline, sentences = verdict(report, "en")
    assert headline.startswith("Nothing is automated but what rules decide: a person decides every other case")
    assert sentences[0].startswith("At every threshold tested the error is above the limit")


def test_enough_rows_are_counted_as_labelled_rows(sample: Callable[..., Report]) -> None:
    said = verdict(nothing(sample, {"*": NeedPart(answer="enough", rows=20)}), "en")[1]
    # 100 of the 950 rows are calibration rows.
    assert said[0].startswith("190 more labelled rows would be enough to prove something, with a probability of 90 %")
    assert "about 58 new labelled rows" in said[1]
    several = {"a": NeedPart(answer="enough", rows=40), "b": NeedPart(answer="no_help")}
    assert verdict(nothing(sample, several), "en")[1][0].startswith("380 more labelled rows")


def test_what_is_proven_of_misses_and_of_distinct_texts_is_said(sample: Callable[..., Report]) -> None:
    report = sample(decisions=sample().decisions.model_copy(update={"max_miss": {"illegal": 0.02, "odd": 0.1}}))
    said = " ".join(verdict(report, "en")[1])
    assert "at most this share is decided wrongly without a person: illegal 2\u00a0%, odd 10\u00a0%." in said
    assert "the promise is for each distinct text" in said
    plain = report.model_copy(update={"data": report.data.model_copy(update={"duplicates_removed": 0})})
    assert "distinct" not in " ".join(verdict(plain, "en")[1])


def test_terminal_and_page_show_the_harm_table_and_the_menu(sample: Callable[..., Report]) -> None:
    report = nothing(sample, {"*": NeedPart(answer="unknown")}, max_miss={"illegal": 0.02})
    lines = [line.replace("\u00a0", " ") for line in terminal_lines(report, "en")]
    assert "  legal: 4 of 800 rows (0.5 %), at most 1.1 %; so many rows prove 0.4 % at best" in lines
    assert "  illegal: 0 of 14 rows (0.0 %), at most 19.3 %; so many rows prove 19.3 % at best; promised 2 %: not proven" in lines  # fmt: skip # noqa: E501
    assert "  errors at most 10 %: 62 % without a person; 50 % with 4 × the rows; 90 % with any number" in lines
    assert "  legal alone: 10 %: 62 %" in lines and "  illegal alone: nothing with these rows" in lines
    assert "  illegal：14 行中 0 行（0.0%），不超过 19.3%；这么多行最多能证明 19.3%；承诺 2%：未证明" in list(
        terminal_lines(report, "zh")
    )
    page = render(report, language="en")
    assert "What goes wrong without a person?" in page and "What could be promised?" in page
    assert "not proven" in page and "62\u00a0%" in page
    assert "没有人工时会错多少？" in render(report, language="zh")


def test_a_report_without_them_has_neither(sample: Callable[..., Report]) -> None:
    assert list(terminal_lines(sample(), "en")) == []
    assert "What could be promised?" not in render(sample(), language="en")
