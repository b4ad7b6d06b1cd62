"""Numbers and dates in words, with units, or as in other tools: the form that is offered holds for the same values."""

from __future__ import annotations

import re

import pytest

from penjing.decide.condition import Between
from penjing.decide.foreign_numbers import in_date, in_number
from penjing.decide.keywords import split_form
from penjing.decide.quantities import parse_date_form, parse_number_form


def offered(hint: tuple[str, str] | None) -> str:
    assert hint is not None
    found = re.fullmatch(r"write `([^`]+)`", hint[1])
    assert found is not None, hint
    return found[1]


@pytest.mark.parametrize(
    ("written", "inside", "outside"),
    [
        ("5000元以上", 5000, 4999),
        ("5千以下", 5000, 5001),
        ("不足5万", 49_999, 50_000),
        ("超过 5", 6, 5),
        ("no more than 5", 5, 6),
        ("not less than 5", 5, 4),
        ("between 2 and 4", 4, 5),
        ("not between 2 and 4", 5, 4),
        ("[2, 4)", 2, 4),
        ("(2, 4]", 4, 2),
        (">2 && <=4", 4, 2),
        ("<=4 and >2", 4, 2),
        ("<2 or >4", 5, 4),
        ("<=2 or >=4", 4, 3),
        ("not 5", 4, 5),
        ("<>5元", 4, 5),
        ("1、2、3", 3, 4),
        ("not in (1, 2)", 3, 2),
        ("gt 5", 6, 5),
        ("5+", 5, 4),
    ],
)
def test_a_number_means_the_same(written: str, inside: int, outside: int) -> None:
    test = parse_number_form(split_form(offered(in_number(written, "int"))), "age", "int", "")
    assert [_holds(test, value) for value in (inside, outside)] == [True, False]


@pytest.mark.parametrize("written", [">1.5", "1.5", ">-1", ">=5"])
def test_a_number_that_is_written_as_it_should_be_gets_no_form(written: str) -> None:
    assert in_number(written, "unit") is None


@pytest.mark.parametrize("written", ["about 5", "约5", "5 or 6 or so", "many", ""])
def test_what_is_no_clear_number_gets_no_form(written: str) -> None:
    assert in_number(written or "-", "int") is None


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("before 2026-01-05", "<2026-01-05"),
        ("2026-01-05 or later", ">=2026-01-05"),
        ("2026-01-05之前", "<2026-01-05"),
        ("截至2026年1月5日", "<=2026年1月5日"),
        ("not 2026-01-05", "!=2026-01-05"),
        ("2026-01", "2026-01-01..2026-01-31"),
        ("2024年2月", "2024-02-01..2024-02-29"),
        ("from 2026-01-01 to 2026-01-31", "2026-01-01..2026-01-31"),
        ("not between 2026-01-01 and 2026-01-31", "not in 2026-01-01..2026-01-31"),
        ("2026-01-01, 2026-05-01", "in 2026-01-01|2026-05-01"),
        ("the last week", "within last 7 days"),
        ("最近两周", "最近14天"),
        ("接下来10天", "未来10天"),
        ("is null", "empty"),
        ("is not null", "not empty"),
    ],
)
def test_a_date_is_written_in_our_form(written: str, form: str) -> None:
    found = offered(in_date(written))
    assert found == form
    if "empty" not in form:
        assert parse_date_form(split_form(found), "") is not None


def _holds(test: Between, value: int) -> bool:
    return any((low is None or low <= value) and (high is None or value <= high) for low, high in test.ranges)
