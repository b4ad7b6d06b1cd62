"""Ranges are read strictly, by the bounds of the options themselves, and every fault is told with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field, model_validator

from penjing.core.errors import RecipeError
from penjing.core.options import Options, WrongValueError
from penjing.core.recipe import load_recipe
from penjing.make.plan import build_plan, read_search, with_values
from penjing.make.search.ranges import Range, split_ranges
from penjing.tune.full import Options as Full
from penjing.tune.linear import Options as Linear

HEAD = "name: x\ndata: {files: a.csv}\ntrials: 9\nsteps:\n"


def ranges(model: Any, **given: Any) -> dict[str, Range]:
    return {one.option: one for one in split_ranges(model, given, lambda *keys: ".".join(map(str, keys)))[1]}


def refused(model: Any, **given: Any) -> str:
    with pytest.raises(RecipeError) as caught:
        ranges(model, **given)
    return str(caught.value)


def test_the_first_value_is_the_default_where_it_is_in_the_range_and_else_the_middle() -> None:
    found = ranges(
        Full,
        learning_rate={"low": 2e-5, "high": 5e-4, "log": True},
        dropout={"choose": [0.3, 0.1]},
        label_smoothing={"choose": [0.2, 0.1]},
        epochs={"low": 4, "high": 16, "log": True},
        patience={"low": 4, "high": 9},
        weight_decay={"low": 0.0, "high": 0.2, "step": 0.05},
    )
    assert {name: one.first for name, one in found.items()} == {
        "learning_rate": 1e-4,  # the middle one of the default's three
        "dropout": 0.1,
        "label_smoothing": 0.2,
        "epochs": 8.0,
        "patience": 6,
        "weight_decay": 0.0,
    }
    assert found["patience"].whole and not found["epochs"].whole


def test_an_option_that_is_a_list_gets_one_value(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(HEAD + "  - tune.linear: {c: {low: 0.1, high: 64, log: true}, words: {low: 0, high: 2}}\n")
    file = load_recipe(path)
    (step,), found = build_plan(file), read_search(file)
    assert step.options.model_dump()["c"] == (16.0,) and step.options.model_dump()["words"] == 2
    other = with_values(step, found, {"c": 0.5, "words": 0}).options.model_dump()
    assert (other["c"], other["words"], other["characters"]) == ((0.5,), 0, 4)


def test_one_value_is_in_a_list_only_where_it_must_be() -> None:
    assert ranges(Linear, c={"low": 1, "high": 2})["c"].as_option(1.5) == [1.5]
    assert ranges(Full, learning_rate={"low": 1e-5, "high": 1e-4})["learning_rate"].as_option(2e-5) == 2e-5
    assert ranges(Full, dropout={"choose": [0.1, 0.2]})["dropout"].as_option(0.1) == 0.1


class Fitting(Options):
    """Options of which two must fit each other, and one that is a mapping itself."""

    rank: int = Field(4, ge=1, le=256)
    first: int = Field(12, ge=1, le=256)
    weights: Literal["none", "balanced"] | dict[str, float] = "none"

    @model_validator(mode="after")
    def _fits(self) -> Fitting:
        if self.rank > self.first:
            raise WrongValueError(f"`rank` is {self.rank}, more than `first`", "write a smaller one")
        return self


def test_options_that_must_fit_each_other_are_refused_where_no_end_of_another_range_fits() -> None:
    said = refused(Fitting, rank={"low": 1, "high": 32})
    assert said.startswith("rank.high: the `high` of `rank`") and "`rank` is 32, more than `first`" in said
    assert refused(Fitting, rank={"low": 1, "high": 32}, first={"low": 12, "high": 24}).startswith("rank.high")
    assert len(ranges(Fitting, rank={"low": 1, "high": 32}, first={"low": 12, "high": 64})) == 2


def test_where_an_option_is_a_mapping_only_choose_with_a_list_is_a_range() -> None:
    assert ranges(Fitting, weights={"choose": ["none", "balanced"]})["weights"].first == "none"
    assert ranges(Fitting, weights={"low": 1, "high": 2}) == {}, "labels of these names"
    assert ranges(Fitting, weights={"choose": 0.5}) == {}


def test_numbers_are_on_the_grid_or_short() -> None:
    found = ranges(Full, epochs={"low": 1, "high": 4.2, "step": 0.5}, dropout={"low": 0.0, "high": 0.3})
    assert found["epochs"].values() == [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0] and found["epochs"].top == 4.0
    assert found["epochs"].written(4.2) == 4.0 and found["epochs"].count == 7
    assert found["dropout"].written(0.123456) == 0.123 and found["dropout"].count is None
    assert ranges(Linear, c={"low": 0.33333, "high": 9})["c"].written(0.33333) == 0.33333, "never below `low`"
    assert ranges(Linear, words={"low": 0, "high": 3})["words"].values() == [0, 1, 2, 3]
    assert ranges(Linear, text={"choose": [True, False]})["text"].values() == [True, False]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"epochs": {"low": 1, "hihg": 3}}, ["epochs.hihg", "did you mean `high`?", "the key `high` is missing"]),
        ({"epochs": {}}, ["the key `low` is missing", "the key `high` is missing"]),
        ({"epochs": {"low": "x", "high": 3}}, ["epochs.low", "`low` is `x`; it must be a number"]),
        ({"epochs": {"low": 3, "high": 3}}, ["epochs.high", "there is nothing between them"]),
        (
            {"epochs": {"low": 2, "high": 300}},
            ["epochs.high", "is `300.0`; it must be a number above 0 and at most 100"],
        ),
        ({"learning_rate": {"low": 0, "high": 0.1}}, ["learning_rate.low", "above 0 and at most 0.1"]),
        ({"dropout": {"low": 0.0, "high": 0.5, "log": True}}, ["dropout.low", "needs a `low` above 0"]),
        ({"dropout": {"low": 0.1, "high": 0.5, "log": True, "step": 0.1}}, ["dropout.step", "not logarithmic"]),
        ({"dropout": {"low": 0.1, "high": 0.5, "step": 3}}, ["dropout.step", "more than from `low` to `high`"]),
        ({"batch_rows": {"low": 1.5, "high": 20}}, ["batch_rows.low", "takes whole numbers"]),
        ({"metric": {"low": 1, "high": 2}}, ["metric", "takes no numbers", "write `{choose: [A, B]}`"]),
        ({"metric": {"choose": ["loss", "scor"]}}, ["metric.choose.1", "did you mean `score`?"]),
        ({"dropout": {"choose": [0.1]}}, ["dropout.choose", "`choose` has 1 entry; it needs at least 2"]),
        ({"dropout": {"choose": [0.1, 0.1]}}, ["dropout.choose.1", "has a value twice"]),
        ({"dropout": {"choose": [0.1, 0.2], "log": True}}, ["dropout.log", "unknown key `log`"]),
        ({"loss": {"choose": ["a.py:f", "b.py:g"]}}, ["loss.choose.0", "names the file `a.py:f`", "is not searched"]),
        ({"loss": {"choose": ["auto", "../b.py:g"]}}, ["loss.choose.1", "names the file `../b.py:g`"]),
    ],
)
def test_faults(given: dict[str, Any], words: list[str]) -> None:
    said = refused(Full, **given)
    for word in words:
        assert word in said


def test_all_faults_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(
        HEAD
        + "  - tune.full:\n      epochs: {low: 2, high: 300}\n"
        + "      dropout: {choose: [0.1, 2]}\n      layers: {low: 2}\n"
    )
    with pytest.raises(RecipeError) as caught:
        build_plan(load_recipe(path))
    said = str(caught.value)
    for place in (":6:24: the `high` of `epochs`", ":7:31: the `choose` of `dropout`", ":8:7: the range of `layers`"):
        assert place in said
    assert read_search(load_recipe(path)) == ()
