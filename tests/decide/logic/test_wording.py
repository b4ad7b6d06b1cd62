"""Cases and conditions in the words of a rules file."""

from __future__ import annotations

import pytest
from tests.decide.test_check import between, table

from penjing.core.chinese import chinese
from penjing.decide.check import check
from penjing.decide.condition import Among, Condition, Contains, Rule, Then, Within
from penjing.decide.logic.boxes import Side
from penjing.decide.logic.questions import Logic, Witness
from penjing.decide.logic.rows import DAYS, TableRows
from penjing.decide.logic.wording import box_of, example_of, number_of, rows_of
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable

MADE = table([
    ([("text", Contains(("退款",))), ("p", between(500_000, None))], Then("review")),
    ([("channel", Among(("app",)))], Then("review")),
    ([("amount", between(3, 3))], Then("review")),
])  # fmt: skip


def test_rows_are_told_by_their_numbers_in_the_file() -> None:
    assert rows_of(MADE.rules[:1]) == "row 2"
    assert rows_of(MADE.rules) == "rows 2, 3 and 4"


@pytest.mark.parametrize(
    ("whole", "kind", "written"),
    [(500_000, "unit", "0.5"), (1_000_000, "unit", "1"), (1, "float", "0.000001"), (7, "int", "7"), (0, "unit", "0")],
)
def test_numbers_are_written_as_a_rule_writes_them(whole: int, kind: str, written: str) -> None:
    assert number_of(whole, kind) == written  # type: ignore[arg-type]


@pytest.mark.parametrize(("row", "said"), [(0, "text contains 退款"), (1, "channel is app"), (2, "amount = 3")])
def test_an_example_has_what_the_row_tests(row: int, said: str) -> None:
    rows = TableRows(MADE)
    answer = Logic(rows).holding(row)
    assert isinstance(answer, Witness)
    assert said in example_of(answer.case, rows, MADE.rules[row : row + 1])


@pytest.mark.parametrize(
    ("past", "future", "said", "in_chinese"),
    [
        (
            30,
            30,
            "day is at most 30 days before and at most 30 days after the clock",
            "最多比请求时间早 30 天或晚 30 天",
        ),
        (3, None, "day is 0 to 3 days before the clock", "day 比请求时间早 0 至 3 天"),
        (None, 3, "day is 0 to 3 days after the clock", "day 比请求时间晚 0 至 3 天"),
        (0, None, "day is on the day of the clock", "day 在请求当天"),
    ],
)
def test_days_around_the_clock_are_never_negative(
    past: int | None, future: int | None, said: str, in_chinese: str
) -> None:
    schema = FactSchema(("ham", "spam"), {"day": "date"})
    outside = Rule("r", 2, (Condition("day", Within(past, future, negated=True), ""),), Then("review"))
    (gap,) = check(RuleTable("r.csv", schema, (outside,)))
    assert f"no rule covers {said}:" in gap.what and in_chinese in chinese(gap.what)


@pytest.mark.parametrize(
    ("low", "high", "said", "in_chinese"),
    [
        (1, 1, "day is exactly 1 day after the clock", "day 恰好比请求时间晚 1 天"),
        (-2, -2, "day is exactly 2 days before the clock", "day 恰好比请求时间早 2 天"),
        (None, 0, "day is not after the day of the clock", "day 不晚于请求当天"),
        (0, None, "day is not before the day of the clock", "day 不早于请求当天"),
        (None, -1, "day is 1 day or more before the clock", "day 比请求时间早 1 天或更多"),
        (2, None, "day is 2 days or more after the clock", "day 比请求时间晚 2 天或更多"),
        (None, 1, "day is at most 1 day after the clock", "day 最多比请求时间晚 1 天"),
        (-3, None, "day is at most 3 days before the clock", "day 最多比请求时间早 3 天"),
    ],
)
def test_days_are_counted_as_a_sentence_counts_them(
    low: int | None, high: int | None, said: str, in_chinese: str
) -> None:
    rows = TableRows(RuleTable("r.csv", FactSchema(("ham", "spam"), {"day": "date"}), ()))
    limits = rows.limits("day" + DAYS)
    span = (limits[0] if low is None else low, limits[1] if high is None else high)
    written = box_of({"day" + DAYS: Side((span,))}, rows)
    assert written == said
    assert in_chinese in chinese(f"no rule covers {written}: the model decides")
