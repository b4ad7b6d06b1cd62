"""A value of a field is read in one way by commands, requests and programs; names of columns are matched."""

from __future__ import annotations

import json
from decimal import Decimal

import numpy as np
import pytest

from penjing.core.errors import RequestError
from penjing.data.fields import (
    FieldError,
    match_names,
    parse_field,
    parse_number,
    read_field,
    text_of,
    unclear_names,
)

SAME: list[tuple[object, str | list[str], object]] = [
    *((word, "bool", True) for word in ("y", "yes", "YES", "true", "TRUE", "t", "1", "1.0", "on", "是", "真", "Ｙ")),
    *((word, "bool", False) for word in ("n", "No", "false", "f", "0", "0.0", "off", "否", "假", "Ｎ", "ｆａｌｓｅ")),
    (True, "bool", True), (1, "bool", True), (0.0, "bool", False), (np.bool_(True), "bool", True),
    *((word, "int", 3) for word in ("3", " 3 ", "3.0", "+3", "３", "３．０", 3, 3.0, np.int64(3), Decimal("3.0"))),
    ("1,234", "int", 1234), ("1,234,567", "int", 1_234_567), ("１，２３４", "int", 1234), ("1_000", "int", 1000),
    ("1e3", "int", 1000), ("-5", "int", -5), ("－5", "int", -5), ("−5", "int", -5), ("007", "int", 7),
    ("9007199254740992", "int", 2**53), ("1,234.5", "float", 1234.5), ("1e3", "float", 1000.0), (".5", "float", 0.5),
    ("0.1234567", "float", 0.123457), (0.1234567, "float", 0.123457), ("-0.0", "float", 0.0), (7, "float", 7.0),
    ("", "int", None), ("  ", "str", None), ("　", "bool", None), (None, "float", None),
    ("x", "str", "x"), (" x\u200b ", "str", "x"), (5, "str", "5"), (5.0, "str", "5"),
    (2.5, "str", "2.5"), (True, "str", "true"),
    ("app", ["app", "web"], "app"), ("ＡＰＰ", ["app", "web"], "app"), ("App", ["app", "web"], "app"),
    (1, ["1", "2"], "1"), (1.0, ["1", "2"], "1"), ("1.0", ["1", "2"], "1"), ("否", ["是", "否"], "否"),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "read"), SAME)
def test_reads(value: object, kind: str | list[str], read: object) -> None:
    found = parse_field(value, kind)
    assert found == read and type(found) is type(read)
    assert parse_field(found, kind) == read, "what was read is read as the same again"
    if not isinstance(found, float):
        return
    assert str(found) == str(read), "zero has no sign"


@pytest.mark.parametrize(("value", "kind", "read"), SAME)
def test_a_json_value_is_read_as_the_cell_that_a_file_makes_of_it(
    value: object, kind: str | list[str], read: object
) -> None:
    if isinstance(value, str | int | float) and not isinstance(value, np.generic):
        assert parse_field(text_of(json.loads(json.dumps(value))), kind) == read


@pytest.mark.parametrize(
    ("value", "kind", "what", "fix"),
    [
        ("3.5", "int", "`3.5`, not a whole number", "round it"),
        ("three", "int", "`three`, not a whole number", "write digits"),
        ("1,5", "float", "`1,5`, not a number", "a comma may be a decimal point or separate thousands"),
        ("0,123", "float", "`0,123`, not a number", "a comma may be"),
        ("12,34", "int", "not a whole number", "a comma may be"),
        ("1,23,456", "int", "not a whole number", "a comma may be"),
        ("1.234.567", "float", "`1.234.567`, not a number", "write the digits without marks between them"),
        ("1 234", "float", "`1 234`, not a number", "write the digits without marks between them"),
        ("12,5%", "float", "`12,5%`, not a number", "a comma may be"),
        ("3万", "float", "`3万`, not a number", "write it in digits: 30000"),
        ("１．５ 亿元", "float", "not a number", "write it in digits: 150000000"),
        ("-1,200萬", "int", "not a whole number", "write it in digits: -12000000"),
        ("−5.50 ℃", "float", "not a number", "write the number alone: -5.5"),
        *[
            (odd, "float", "not a number", "write digits, for example 1234 or 12.5")
            for odd in ("3万5千", "三万", "3k", "3 million", "(1,234)", "<5", "3-4", "2024-01-01", "1e5元")
        ],
        ("5000元", "float", "`5000元`, not a number", "write the number alone: 5000"),
        ("￥5,000", "float", "not a number", "write the number alone: 5000"),
        ("50%", "float", "`50%`, not a number", "write the share, 0.5, or the number alone"),
        ("nan", "float", "not a number", "leave the field empty"),
        ("NULL", "int", "not a whole number", "leave the field empty"),
        ("inf", "int", "not a whole number", ""),
        ("5²", "int", "not a whole number", ""),
        ("1" * 200, "float", "not a number", ""),
        ("1e999999999", "float", "not a number", ""),
        ("1e9999", "float", "not between -1e12 and 1e12", ""),
        (float("nan"), "float", "not a number", ""),
        (2**53 + 1, "int", "beyond ±2^53", "declare the field as `str`"),
        ("9007199254740993", "int", "beyond ±2^53", "declare the field as `str`"),
        (10**4000, "int", "a number of more than 40 digits, beyond", ""),
        (True, "int", "`true`, not a whole number", "declare the field as `bool`"),
        ("true", "float", "`true`, not a number", ""),
        ("2", "bool", "`2`, not true or false", "write true or false, yes or no"),
        (2, "bool", "`2`, not true or false", ""),
        ("maybe", "bool", "`maybe`, not true or false", ""),
        ([1], "int", "a list, not a whole number", "give one value"),
        ({"a": 1}, "str", "a mapping, not text", "give one value"),
        (object(), "bool", "of type object, not true or false", ""),
        ("wbe", ["app", "web"], "`wbe`, not one of app, web", "did you mean `web`?"),
        (["app"], ["app", "web"], "a list, not one of its listed values", ""),
        ("A", ["a", "ａ"], "`A`, not one of a, ａ", ""),
        ("x" * 1001, "str", "a text of 1,001 characters; at most 1,000", ""),
    ],
)
def test_refuses(value: object, kind: str | list[str], what: str, fix: str) -> None:
    with pytest.raises(FieldError) as caught:
        parse_field(value, kind)
    assert what in str(caught.value) and fix in caught.value.fix and caught.value.fix
    with pytest.raises(RequestError, match="the field `n` is ") as named:
        read_field("n", value, kind)
    assert len(named.value.what) < 200


def test_characters_that_no_text_may_have() -> None:
    with pytest.raises(RequestError, match="the field `n` has a lone surrogate"):
        read_field("n", "a\ud800", "str")


def test_names_are_matched_exactly_first() -> None:
    found = match_names(("amount", "vip"), ["Amount", "amount", "ＶＩＰ ", "other"])
    assert found.found == {"amount": "amount", "vip": "ＶＩＰ "} and not found.unclear and not found.absent
    assert match_names(("amount",), [" a mount\ufeff"]).found == {"amount": " a mount\ufeff"}


def test_names_that_could_mean_several_are_left_unclear() -> None:
    found = match_names(("amount", "city"), ["Amount", "AMOUNT"])
    assert found.unclear == {"amount": ("Amount", "AMOUNT")} and found.absent == ("city",)
    assert unclear_names(found.unclear) == (
        "`amount` could be `Amount` and `AMOUNT`",
        "name one of them exactly `amount`",
    )
    both = match_names(("a", "A"), ["ａ"])
    assert not both.found and set(both.unclear) == {"a", "A"}
    assert "could be `a` or another" in unclear_names(both.unclear)[0]


def test_numbers_of_numpy_are_numbers() -> None:
    assert parse_field(np.float64(3.0), "int") == 3
    assert parse_field(np.float64(0.1), "float") == 0.1
    assert parse_field(np.float64(3.0), "str") == "3"


def test_a_raised_digit_is_no_digit() -> None:
    assert parse_number("５²") is None
