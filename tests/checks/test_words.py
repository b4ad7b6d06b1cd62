"""Every key of a recipe, every option of every method, every setting and every body of a request with wrong values:
the message says in plain words what was given, what is expected and what to do, and nothing of the validator."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from penjing.core.errors import RecipeError
from penjing.core.options import Options, explain
from penjing.core.recipe import Recipe, load_recipe
from penjing.serve.bodies import DecideMany, DecideOne, PredictMany, PredictOne, parse_items
from penjing.serve.errors import AnswerError
from penjing.serve.settings import Settings

INTERNAL = re.compile(
    r"literal\[|constrained|function-|type=|pydantic|input should|<class|validationerror|int_|float_|_type"
    r"|list\[|dict\[|unable to parse|valid (integer|number|string|list|dictionary)|field required|extra",
    re.IGNORECASE,
)
LONG = "长x" * 5_000
VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 5, 2**70, 10**400, 1.5, -0.5, float("nan"), float("inf"), "", "some word", "50%", LONG, [], [1],
    ["a", None], [[1]], {}, {"a": 1}, {"a": None}, {LONG: LONG}, {"a": {"b": [1]}},
)  # fmt: skip
GOOD: dict[str, Any] = {"name": "t", "data": {"files": "a.csv"}, "steps": [{"tune.linear": None}]}


def models() -> Iterator[tuple[type[BaseModel], tuple[str, ...]]]:
    """(model, the keys under which it stands in a recipe)."""
    yield Recipe, ()
    for part in ("task", "data", "gates", "decide"):
        yield type(getattr(Recipe.model_validate(GOOD), part)), (part,)


def methods() -> Iterator[tuple[str, type[Options]]]:
    for room in ("tune", "compress"):
        for name, path in importlib.import_module(f"penjing.{room}").METHODS.items():
            yield f"{room}.{name}", importlib.import_module(path).Options


def is_plain(said: str) -> None:
    assert not INTERNAL.search(said), said
    assert "长x" * 50 not in said and len(said) < 2_500, said


def faults(model: type[BaseModel], given: Mapping[str, Any]) -> list[tuple[tuple[str | int, ...], str, str]]:
    try:
        model.model_validate(given)
    except ValidationError as error:
        return explain(error, model)
    return []


@pytest.mark.parametrize(("model", "under"), list(models()))
def test_every_key_of_a_recipe(model: type[BaseModel], under: tuple[str, ...]) -> None:
    told = 0
    for key in [*model.model_fields, "no_such_key"]:
        for value in VALUES:
            given: dict[str, Any] = {**GOOD, **({key: value} if not under else {})}
            if under:
                given[under[0]] = {**GOOD.get(under[0], {}), key: value}
            for path, what, fix in faults(Recipe, given):
                assert path[: len(under)] == under and path[len(under)] == key
                assert key in what or isinstance(value, list | dict), what
                assert fix
                is_plain(f"{what} {fix}")
                told += 1
    assert told > 10 * len(model.model_fields)


def test_every_option_of_every_method() -> None:
    told = 0
    for _, options in methods():
        for key in [*options.model_fields, "no_such_key"]:
            for value in VALUES:
                for path, what, fix in faults(options, {key: value}):
                    assert path[0] == key and fix
                    is_plain(f"{what} {fix}")
                    told += 1
    assert told > 500


def test_every_setting() -> None:
    told = 0
    for key in Settings.model_fields:
        for value in ("", "-1", "some word", "1e99", "1.5", LONG, "nan"):
            for path, what, fix in faults(Settings, {key: value}):
                assert path == (key,) and f"`{key}` is" in what and fix
                is_plain(f"{what} {fix}")
                told += 1
    assert told > 30


@pytest.mark.parametrize(("one", "many"), [(DecideOne, DecideMany), (PredictOne, PredictMany)])
def test_every_body_of_a_request(one: Any, many: Any) -> None:
    told = 0
    for key in ("text", "fields", "evidence", "items", "no_such_key", LONG):
        for value in VALUES:
            for body in ({"text": "a", key: value}, {"items": [{"text": "a", key: value}]}, {"items": value}):
                try:
                    parse_items(body, one, many, Settings())
                except AnswerError as error:
                    is_plain(f"{error.what} {error.fix}")
                    assert error.fix
                    told += 1
    assert told > 100


def test_the_place_is_that_of_the_key(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        "name: t\ndata:\n  files: {train: a.csv, tset: b.csv}\n  fields:\n    vip: boool\n    level: []\n"
        "steps: [tune.linear: {}]\ndecide: {max_error: 5, audit: 5%}\ngates: {keep: 98, unproven: alow}\n",
        encoding="utf-8",
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    said = str(caught.value)
    for words in (
        f"{path}:3:25: unknown key `tset`\n",
        f"{path}:5:5: `vip` is `boool`; it must be `str`, `int`, `float`, `bool` or `date`, "
        "or a list (each entry: text) "
        "(did you mean `bool`?)",
        f"{path}:8:10: `max_error` is `5`; it must be a share above 0 and below 1, or a mapping "
        "(a name, each with a share above 0 and below 1) "
        "(it is a share between 0 and 1: write 0.05 for 5 %)",
        f"{path}:8:24: `audit` is `5%`; it must be a share between 0 and 1 (it is a share between 0 and 1: write 0.05",
        f"{path}:9:9: `keep` is `98`; it must be a share between 0 and 1 (it is a share between 0 and 1: write 0.98",
        f"{path}:9:19: `unproven` is `alow`; it must be `refuse` or `allow` (did you mean `allow`?)",
        "fix: did you mean `test`?",
    ):
        assert words in said, said


def test_what_yaml_takes_for_numbers_are_words(tmp_path: Path) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(
        "name: t\ndata: {files: a.csv, label: 2024, labels: {2.0: 2, true: yes}, fields: {level: [1, 2, true]}}\n"
        "steps: [tune.linear: {}]\ndecide: {max_error: {2: 0.1, true: 0.2}}\n",
        encoding="utf-8",
    )
    recipe = load_recipe(path).recipe
    assert recipe.data.label == "2024"
    assert recipe.data.labels == {"2.0": "2", "true": "yes"}
    assert recipe.data.fields == {"level": ["1", "2", "true"]}
    assert recipe.decide.max_error == {"2": 0.1, "true": 0.2}


def test_labels_are_merged_in_one_step() -> None:
    ((path, what, fix),) = faults(Recipe, {**GOOD, "data": {"files": "a", "labels": {"a": "b", "b": "c"}}})
    assert path == ("data", "labels") and "reads `a` as `b`, and `b` as `c`" in what and fix == "write `a: c`"
