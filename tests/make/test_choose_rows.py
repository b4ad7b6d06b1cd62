"""By which rows a run chooses: at the bounds of the rule, as the recipe asks, and where folds cannot be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.data.prepare import Prepared, prepare
from penjing.make.check_recipe import check_recipe
from penjing.make.choose_rows import FEWEST_VALIDATION, MOST_ROWS, RowsOfChoice, choice_line, more_rows, rows_of_choice
from penjing.make.plan import build_plan
from penjing.tasks import open_reader

TUNE = "  - tune.full: {layers: 1, max_tokens: 32}\n  - compress.int8: {}"


def rows(path: Path) -> Prepared:
    return prepare(load_recipe(path), open_reader("classify", {}), Silent())


@pytest.mark.parametrize(("count", "folds"), [(40, 5), (820, 5), (840, 0)])
def test_few_validation_rows_are_compared_out_of_fold(recipe_in: Callable[..., Path], count: int, folds: int) -> None:
    path = recipe_in(steps=TUNE, rows=count, choose="auto")
    data = rows(path)
    assert (len(data.validation) < FEWEST_VALIDATION) == bool(folds)
    found = rows_of_choice(load_recipe(path), data, None)
    own = len(data.train) + len(data.validation) if folds else len(data.validation)
    assert found == RowsOfChoice(folds, own, len(data.validation))


def test_the_recipe_may_ask(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in(steps=TUNE, rows=40)
    data = rows(path)
    found = rows_of_choice(load_recipe(path), data, None)
    assert found is not None and (found.folds, found.rows) == (0, len(data.validation))
    path = recipe_in(steps=TUNE, rows=900, choose="folds")
    found = rows_of_choice(load_recipe(path), rows(path), None)
    assert found is not None and found.folds == 5 and found.asked
    assert rows_of_choice(load_recipe(recipe_in(rows=40)), data, None) is None, "there is no encoder"


def test_folds_are_named_where_validation_rows_chose_and_folds_could(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in(steps=TUNE, rows=900)
    file, data = load_recipe(path), rows(path)
    note = more_rows(file, data, None, 0)
    assert note is not None and "With `choose: folds` in the recipe, all " in note.text
    assert note.values["all"] == str(len(data.train) + len(data.validation))
    assert more_rows(file, data, None, 5) is None, "they have chosen"
    path.write_text(path.read_text(encoding="utf-8") + "search: compress\n", encoding="utf-8")
    assert more_rows(load_recipe(path), data, None, 0) is None, "folds cannot compare what a search has chosen"


def test_many_train_rows_with_few_validation_rows_are_not_folded(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in(steps=TUNE, rows=MOST_ROWS + 200, choose="auto")
    text = path.read_text(encoding="utf-8").replace(
        "files: rows.csv", "files: {train: rows.csv, validation: few.csv, calibration: few.csv, test: few.csv}"
    )
    path.write_text(text, encoding="utf-8")
    few = "".join(f"完全不同的句子{place}号甲乙丙{place * 7},{'好' if place % 2 else '差'}\n" for place in range(90))
    for name in ("validation", "calibration", "test"):
        text = text.replace("few.csv", f"{name}.csv", 1)
        (path.parent / f"{name}.csv").write_text("text,label\n" + few.replace("号", name), encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    data = rows(path)
    assert len(data.validation) < FEWEST_VALIDATION and len(data.train) > MOST_ROWS
    found = rows_of_choice(load_recipe(path), data, None)
    assert found is not None and found.folds == 0


@pytest.mark.parametrize(
    ("steps", "more", "words"),
    [
        ("  - tune.linear: {}", "", "this recipe tunes no encoder"),
        (
            "  - tune.full: {learning_rate: {low: 1.0e-4, high: 1.0e-3}}",
            "trials: 3\n",
            "a search has chosen among many by the same rows",
        ),
    ],
)
def test_folds_that_cannot_be_are_refused(
    recipe_in: Callable[..., Path], tiny_base: Path, steps: str, more: str, words: str
) -> None:
    path = recipe_in(steps=steps, base=str(tiny_base), rows=60, choose="folds")
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    found = [problem for problem in check_recipe(load_recipe(path), Silent()).audit.errors if words in problem.message]
    assert len(found) == 1 and "recipe.yaml:9:" in found[0].message


def test_a_base_that_was_tuned_may_have_seen_the_rows(recipe_in: Callable[..., Path], tiny_base: Path) -> None:
    path = recipe_in(steps=TUNE, base=str(tiny_base), rows=60, choose="auto")
    data, base = rows(path), check_recipe(load_recipe(path), Silent()).base
    assert base is not None and (found := rows_of_choice(load_recipe(path), data, base)) is not None
    assert found.folds == 5
    text = path.read_text(encoding="utf-8") + "continues: {release: old}\n"
    path.write_text(text, encoding="utf-8")
    found = rows_of_choice(load_recipe(path), data, base)
    assert found is not None and found.folds == 0


def test_check_says_what_is_done_and_about_how_long(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in(steps=TUNE, base="penjing/nano", rows=40, choose="auto")
    file, data = load_recipe(path), rows(path)
    choice = rows_of_choice(file, data, None)
    assert choice is not None
    line = choice_line(file, data, build_plan(file), choice)
    counted = f"{choice.rows} train and validation rows ({choice.validation} validation rows prove too little)"
    assert counted in line and ", 5 folds; about " in line and " on two server cores" in line
    known = load_recipe(recipe_in(steps="  - tune.selftrain: {}", base="penjing/nano", rows=40, choose="auto"))
    assert choice_line(known, data, build_plan(known), choice).endswith("5 folds"), "its time is not known"
    plain = choice_line(file, data, build_plan(file), RowsOfChoice(0, 120, 120))
    assert plain == "encoder or word counts: chosen on 120 validation rows"
