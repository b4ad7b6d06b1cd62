"""Numbers and dates: ranges agree with plain arithmetic, and a negation is exactly what is left."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penjing.core.chinese import chinese
from penjing.core.errors import RuleError
from penjing.decide.condition import Between
from penjing.decide.keywords import split_form
from penjing.decide.quantities import parse_date_form, parse_number_form, split_days

WHOLE = st.integers(min_value=-9, max_value=9)


def holds(cell: str, value: int) -> bool:
    test = parse_number_form(split_form(cell), "age", "int", "r.csv:2:3")
    return any((low is None or low <= value) and (high is None or value <= high) for low, high in test.ranges)


@given(low=WHOLE, width=st.integers(min_value=0, max_value=5), value=WHOLE, left=st.booleans(), right=st.booleans())
def test_a_range_leaves_out_the_end_that_is_marked(low: int, width: int, value: int, left: bool, right: bool) -> None:
    high = low + width + left + right
    inside = (low < value if left else low <= value) and (value < high if right else value <= high)
    cell = f"{low}{'<' * left}..{'<' * right}{high}"
    assert holds(cell, value) == inside
    assert holds(f"not in {cell}", value) == (not inside)


@given(points=st.lists(WHOLE, min_size=1, max_size=5), spans=st.lists(st.tuples(WHOLE, WHOLE), max_size=3), value=WHOLE)
def test_a_list_of_points_and_ranges(points: list[int], spans: list[tuple[int, int]], value: int) -> None:
    parts = [str(point) for point in points] + [f"{min(span)}..{max(span)}" for span in spans]
    inside = value in points or any(min(span) <= value <= max(span) for span in spans)
    assert holds(f"in {'|'.join(parts)}", value) == inside
    assert holds(f"不属于 {'|'.join(parts)}", value) == (not inside)


@given(bound=WHOLE, value=WHOLE)
def test_comparisons(bound: int, value: int) -> None:
    for sign, right in (("<", value < bound), ("≤", value <= bound), (">", value > bound), (">=", value >= bound)):
        assert holds(f"{sign}{bound}", value) == right
    assert holds(f"!={bound}", value) == (value != bound) and holds(str(bound), value) == (value == bound)
    assert holds("<=−0", value) == (value <= 0)  # the minus of typography


def test_fractions_are_compared_to_six_decimals() -> None:
    test = parse_number_form(split_form("0.1234565<..<0.5"), "p", "unit", "")
    assert test == Between(((123_457, 499_999),))
    assert Decimal("0.1234565") * 10**6 < 123_457


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("within 30 days", (False, "", 30)),
        ("Within  last 1 day", (False, "last", 1)),
        ("not within next 2 days", (True, "next", 2)),
        ("30天内", (False, "", 30)),
        ("最近30天", (False, "last", 30)),
        ("不在未来 7 天内", (True, "next", 7)),
        ("30天", None),
        ("within 30", None),
        ("within 2 weeks", None),
    ],
)
def test_days_around_the_clock(written: str, days: tuple[bool, str, int] | None) -> None:
    assert split_days(written) == days


def test_days_of_a_date_are_whole() -> None:
    first = parse_date_form(split_form("1970-01-02<..<1970-01-05"), "")
    assert first == Between(((2 * 86_400, 4 * 86_400 - 1),))
    with pytest.raises(RuleError, match="is not a date"):
        parse_date_form(split_form("in 1970-01-02|soon"), "r.csv:2:3")


def test_a_keyword_of_several_words_has_a_chinese_sentence() -> None:
    line = "r.csv:2:3 (column `pii.id_card`): `not starts` compares texts, not this column"
    assert chinese(line).endswith("`开头不是` 用于文本，不能用于这一列")


@pytest.mark.parametrize("written", ["<80", "<=1.5", ">=-1", "not in 2", "0.5..80", ">1.1"])
def test_a_bound_that_no_probability_reaches_is_refused(written: str) -> None:
    with pytest.raises(RuleError, match="`p` is always between 0 and 1"):
        parse_number_form(split_form(written, joined=True), "p", "unit", "")
