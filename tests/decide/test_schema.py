"""Facts and fields: types, bounds, the words of refusals, rows of a CSV file."""

from __future__ import annotations

import pytest

from penjing.core.errors import RecipeError, RequestError
from penjing.decide.schema import FactSchema

SCHEMA = FactSchema(("a", "b"), {"n": "int", "x": "float", "s": "str", "e": ("app", "web"), "b": "bool"})


def test_reads_types_cleans_and_masks() -> None:
    given = {"n": 3.0, "x": 1.23456789, "s": " 打给 13812345678\u200b ", "e": "app", "b": False}
    assert SCHEMA.read(given) == {"n": 3, "x": 1.234568, "s": "打给 ⟦mobile⟧", "e": "app", "b": False}


def test_a_field_that_is_not_given_is_none() -> None:
    assert SCHEMA.read({"n": None}) == dict.fromkeys(SCHEMA.fields)


def test_negative_zero_is_zero() -> None:
    assert str(SCHEMA.read({"x": -0.0})["x"]) == "0.0"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"amuont": 1}, "unknown field `amuont`"),
        ({"n": "3x"}, "the field `n` is `3x`, not a whole number"),
        ({"n": True}, "the field `n` is `true`, not a whole number"),
        ({"n": 1.5}, "the field `n` is `1.5`, not a whole number"),
        ({"n": 10**400}, "beyond ±2"),
        ({"x": float("nan")}, "not a number"),
        ({"x": float("inf")}, "not a number"),
        ({"x": 10**400}, "not between"),
        ({"x": "1,5"}, "the field `x` is `1,5`, not a number"),
        ({"b": 2}, "the field `b` is `2`, not true or false"),
        ({"s": [5]}, "the field `s` is a list, not text"),
        ({"s": "a" * 1001}, "a text of 1,001 characters; at most 1,000"),
        ({"s": "a\ud800"}, "the field `s` has a lone surrogate"),
        ({"e": "wbe"}, "did you mean `web`"),
        ({"e": ["app"]}, "one of its listed values"),
    ],
)
def test_refuses(given: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError) as raised:
        SCHEMA.read(given, "request 3")
    assert words in str(raised.value)
    assert str(raised.value).startswith("request 3: ")


def test_no_fields_declared_says_so() -> None:
    with pytest.raises(RequestError, match="this release declares no fields"):
        FactSchema(("a",)).read({"x": 1})


def test_reads_the_cells_of_a_csv_file() -> None:
    row = {"n": " 7 ", "x": "1.5", "s": "", "b": "是", "e": "web", "text": "ignored"}
    assert SCHEMA.from_strings(row) == {"n": 7, "x": 1.5, "s": None, "e": "web", "b": True}


@pytest.mark.parametrize(
    ("row", "words"), [({"n": "7x"}, "not a whole number"), ({"b": "perhaps"}, "write true or false")]
)
def test_refuses_cells(row: dict[str, str], words: str) -> None:
    with pytest.raises(RequestError, match=words):
        SCHEMA.from_strings(row)


@pytest.mark.parametrize("name", ["p", "label", "then", "pii.mobile", " "])
def test_refuses_the_name_of_a_fact(name: str) -> None:
    with pytest.raises(RecipeError, match="rules know a fact of that name"):
        FactSchema(("a",), {name: "str"})


def test_refuses_an_unknown_type() -> None:
    with pytest.raises(RecipeError, match="did you mean `float`"):
        FactSchema(("a",), {"x": "flaot"})
