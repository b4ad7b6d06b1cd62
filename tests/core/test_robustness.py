"""Noise in a recipe: true, a list, or strengths; wrong ones are named with what is near."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penjing.core.errors import RecipeError
from penjing.core.recipe import load_recipe
from penjing.core.robustness import USUAL, Robustness
from penjing.data.noise import NOISES

RECIPE = "name: a\ndata: {files: a.csv}\nsteps: [{tune.linear: {}}]\n"


@pytest.mark.parametrize(
    ("given", "strengths"),
    [
        (True, USUAL),
        (False, {}),
        ({}, {}),
        (["typos", "case"], {"typos": 0.1, "case": 1.0}),
        ({"typos": 0.05, "case": 0, "rows": 100}, {"typos": 0.05}),
    ],
)
def test_all_forms_give_strengths(given: Any, strengths: dict[str, float]) -> None:
    assert Robustness.model_validate(given).strengths == strengths


def test_kinds_are_those_that_there_are_and_a_recipe_without_asks_for_none() -> None:
    assert set(USUAL) == {*NOISES, "synonyms"} == set(Robustness.model_fields) - {"rows"}
    assert all(0 < strength <= 1 for strength in USUAL.values())


@pytest.mark.parametrize(
    ("written", "said", "fix"),
    [
        ("[typoz]", "unknown key `typoz`", "did you mean `typos`?"),
        ("{typoz: 0.1}", "unknown key `typoz`", "did you mean `typos`?"),
        ("{typos: 5}", "`typos` is `5`; it must be a share between 0 and 1", "write 0.05 for 5 %"),
        ("{rows: 5}", "`rows` is `5`; it must be a whole number from 20 to 5,000", "write at least 20"),
        ("much", "`robustness` is `much`; it must be a mapping", "write"),
    ],
)
def test_faults_are_told_with_their_line(written: str, said: str, fix: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(f"{RECIPE}robustness: {written}\n", encoding="utf-8")
    with pytest.raises(RecipeError) as error:
        load_recipe(path)
    assert said in error.value.what and fix in (error.value.fix or "") and ":4:" in (error.value.where or "")
    path.write_text(RECIPE, encoding="utf-8")
    assert load_recipe(path).recipe.robustness.strengths == {}
