"""The period that holds comes first, then those to come, then those that are past."""

from __future__ import annotations

from typing import Any

import pytest

from penjing.core.certificate import CertifiedPeriod
from penjing.core.chinese import chinese
from penjing.core.periods import certified_at, dates, in_order, in_words, present, standing

# 2026-06-01 and 2026-07-01 in UTC.
JUNE, JULY = 1_780_272_000, 1_782_864_000
MAY = CertifiedPeriod(first=None, last=JUNE - 1)
SUMMER = CertifiedPeriod(first=JUNE, last=JULY - 1, certified=True, rows=300, automation=0.8, error=0.01)
LATER = CertifiedPeriod(first=JULY, last=None, rows=300)
ALL = (MAY, SUMMER, LATER)


def test_the_one_that_holds_is_first_and_what_is_past_is_last() -> None:
    assert in_order(ALL, JUNE - 1) == [MAY, SUMMER, LATER]
    assert in_order(ALL, JUNE) == [SUMMER, LATER, MAY]
    assert in_order(ALL, JULY) == [LATER, MAY, SUMMER] and standing(ALL, JULY) == [LATER]
    assert [present(ALL, second) for second in (0, JULY - 1, JULY)] == [MAY, SUMMER, LATER]
    assert present((), 0) is None and standing((), 0) == []


def test_dates_are_days_or_times() -> None:
    assert [dates(each) for each in ALL] == [
        (None, "2026-05-31"),
        ("2026-06-01", "2026-06-30"),
        ("2026-07-01", None),
    ]
    assert dates(CertifiedPeriod(first=JUNE + 60, last=JUNE + 119)) == ("2026-06-01T00:01:00Z", "2026-06-01T00:01:59Z")


def test_a_period_in_words() -> None:
    assert [in_words(each, now=each == LATER) for each in ALL] == [
        "until 2026-05-31: nothing is certified on 0 calibration rows, cases without a rule go to review",
        "from 2026-06-01 to 2026-06-30: 80.0% of 300 calibration rows are decided by the model, 1.00% of them wrong",
        "now from 2026-07-01 on: nothing is certified on 300 calibration rows, cases without a rule go to review",
    ]
    assert in_words(SUMMER, weighted=True).endswith(
        "about 80.0% of all cases are decided by the model, about 1.00% of them wrong, by 300 drawn rows"
    )
    assert chinese(in_words(SUMMER, now=True)) == (
        "当前，2026-06-01 至 2026-06-30：300 行认证数据中有 80.0% 由模型决定，其中 1.00% 出错"
    )


@pytest.mark.parametrize(
    ("counted", "said", "in_chinese"),
    [
        (
            "items",
            "on 80.0% of 300 calibration rows every item is decided; of all items decided 1.00% are wrong",
            "300 行认证数据中，80.0% 的每一项都自动决定；自动决定的项中 1.00% 出错",
        ),
        (
            "labels",
            "every label is settled; of these rows 1.00% have a label wrong or missing",
            "300 行认证数据中，80.0% 的全部标签都已确定；其中 1.00% 有标签错或漏",
        ),
    ],
)
def test_a_period_says_what_is_counted(counted: str, said: str, in_chinese: str) -> None:
    period = SUMMER.model_copy(update={"counted": counted})
    assert in_words(period).endswith(said) and chinese(in_words(period)).endswith(in_chinese)
    assert period.model_dump()["counted"] == counted and "counted" not in SUMMER.model_dump()
    assert certified_at({"periods": [period.model_dump(mode="json")]}, JUNE)["periods"][0]["counted"] == counted


def test_a_service_is_certified_as_the_period_that_holds() -> None:
    sealed: dict[str, Any] = {"certified": False, "periods": [each.model_dump(mode="json") for each in ALL]}
    found = certified_at(sealed, JUNE)
    assert found["certified"] is True
    assert found["periods"][0] == {
        "from": "2026-06-01", "to": "2026-06-30", "now": True, "certified": True, "rows": 300, "automation": 0.8,
        "error": 0.01,
    }  # fmt: skip
    assert [each["now"] for each in found["periods"]] == [True, False, False]
    assert certified_at(sealed, JULY)["certified"] is False
    assert certified_at({"certified": True}, JULY) == {"certified": True}
    assert certified_at({}, JULY) == {"certified": None}
