"""Facts and fields: types, bounds, the words of refusals, rows of a CSV file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.data.table_files import read_table_file

from penjing.core.errors import DataError, RecipeError, RequestError, UsageError
from penjing.core.recipe import Data
from penjing.decide.schema import FactSchema
from penjing.serve.bodies import DecideMany, DecideOne, parse_items
from penjing.serve.settings import Settings
from penjing.tasks import described, open_reader

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


VALUES: list[tuple[str, object]] = [
    ("b", "y"), ("b", "真"), ("b", "Ｎ"), ("b", 1), ("b", False), ("b", "0.0"), ("n", "3.0"), ("n", 3), ("n", 3.0),
    ("n", "３"), ("n", "1,234"), ("x", "1,234.5678901"), ("x", 0.1), ("x", "1e3"), ("s", 5), ("s", ""),
    ("s", "  打给 13812345678 "),
    ("s", True), ("e", "ＡＰＰ"), ("e", "Web"), ("e", None),
]  # fmt: skip
WRONG: list[tuple[str, object]] = [
    ("b", "2"), ("b", 2), ("n", "3.5"), ("n", 3.5), ("n", "1,5"), ("n", "5000元"), ("x", "50%"),
    ("e", "fax"), ("x", True),
    ("n", str(2**53 + 1)), ("s", "x" * 1001),
]  # fmt: skip


def doors(name: str, value: object, folder: Path) -> Iterator[Callable[[], object]]:
    """Every way by which a value of a field comes in: request, HTTP, CSV, JSON lines; in serving and in training."""
    kind = SCHEMA.fields[name]
    declared = {name: kind if isinstance(kind, str) else list(kind)}
    written = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    (folder / "a.csv").write_text(f'text,label,{name}\na,b,"{written}"\n', encoding="utf-8")
    (folder / "a.jsonl").write_text(json.dumps({"text": "a", "label": "b", name.upper(): value}), encoding="utf-8")
    yield lambda: SCHEMA.read({name: value})[name]
    yield lambda: SCHEMA.read({f" {name.upper()}": value})[name]
    yield lambda: SCHEMA.from_strings({"text": "a", name.upper(): written})[name]

    def over_http() -> object:
        body = json.loads(json.dumps({"text": "a", "fields": {name: value}}))
        (item,), _, _ = parse_items(body, DecideOne, DecideMany, Settings())
        return SCHEMA.read(item.fields)[name]

    yield over_http
    for file in ("a.csv", "a.jsonl"):

        def in_training(file: str = file) -> object:
            data = Data.model_validate({"files": file, "fields": declared})
            return SCHEMA.read({name: read_table_file(folder / file, data).fields[name][0]})[name]

        yield in_training


@pytest.mark.parametrize(("name", "value"), VALUES)
def test_a_value_is_the_same_fact_at_every_door(name: str, value: object, tmp_path: Path) -> None:
    found = [door() for door in doors(name, value, tmp_path)]
    assert len({(type(each), each) for each in found}) == 1, found
    assert SCHEMA.recorded({name: found[0]})[name] == found[0]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_what_is_refused_is_refused_at_every_door_with_the_same_words(name: str, value: object, tmp_path: Path) -> None:
    told = []
    for door in doors(name, value, tmp_path):
        with pytest.raises((RequestError, DataError)) as caught:
            door()
        told.append((caught.value.what.removeprefix("row 1: ").removeprefix("row 2: "), caught.value.fix))
    assert len(set(told)) == 1, told


def test_recorded_fields_are_not_read_anew() -> None:
    assert SCHEMA.recorded({"s": "", "b": True, "n": 3, "x": 0.5, "e": "app"}) == {
        "n": 3, "x": 0.5, "s": "", "e": "app", "b": True,
    }  # fmt: skip
    assert SCHEMA.recorded({"x": 3, "s": None})["x"] == 3.0
    with pytest.raises(RequestError):
        SCHEMA.recorded({"e": "gone"})


def test_names_that_could_mean_two() -> None:
    with pytest.raises(RequestError, match="`n` could be `N` and `Ｎ`"):
        SCHEMA.read({"N": 1, "Ｎ": 2})
    with pytest.raises(RequestError, match="unknown field `N`"):
        SCHEMA.read({"n": 1, "N": 2})
    with pytest.raises(UsageError, match="`n` could be `N` and `Ｎ`"):
        SCHEMA.missing_columns(["text", "N", "Ｎ"])
    said = SCHEMA.missing_columns(["text", "N", "x", "S", "Ｂ"])
    assert said is not None and said.startswith("no column for the field `e` of this release; the columns are `text`")
    assert SCHEMA.missing_columns(["N", "x", "S", "Ｂ", "e"]) is None


def test_a_column_that_the_model_reads_is_named_with_what_follows() -> None:
    schema = FactSchema(("a", "b"), {"n": "int", "x": "float", "s": "str"}, features={"n": False, "x": True})
    end = "Where a rule needs it, the case goes to a person"
    assert (schema.missing_columns(["n", "x"]) or "").endswith(end)
    said = schema.missing_columns(["x", "s"]) or ""
    assert said.endswith(f"{end}; the model reads `n`, never empty in training: without it every case goes to a person")
    said = schema.missing_columns(["n", "s"]) or ""
    assert said.endswith(f"{end}; the model reads `x` and decides as where it was empty in training")


def test_a_recorded_date_stays_as_it_is() -> None:
    schema = FactSchema(("a", "b"), {"day": "date"})
    assert schema.read({"day": "2026/1/5"}) == schema.recorded({"day": "2026-01-05"}) == {"day": "2026-01-05"}


def test_a_word_that_the_recipe_reads_as_a_number_is_an_outcome_too() -> None:
    task = described(open_reader("score", {}).learn(["1", "2", "3"]))["task"]
    schema = FactSchema((), {}, {"差": "1"}, other=task)
    assert [schema.outcome(word) for word in ("差", " 差 ", "3.0", "好")] == ["1", "1", "3", None]
