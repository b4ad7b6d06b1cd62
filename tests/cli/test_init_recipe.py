"""The recipe that `penjing init` writes: lines that only some files need, and words that YAML would read otherwise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penjing.cli.init_recipe import recipe_text, rules_text
from penjing.core.recipe import load_recipe
from penjing.data.guessed import Guess
from penjing.tasks import TASKS, about_task


def written(folder: Path, task: str = "classify", **more: Any) -> Any:
    guess = Guess(more.pop("text", "text"), more.pop("label", "label"), "auto", more.pop("columns", None), (), **more)
    path = folder / "recipe.yaml"
    path.write_text(recipe_text(folder, folder / "rows: 1.csv", guess, about_task(task)), encoding="utf-8")
    return load_recipe(path).recipe


def test_names_that_yaml_would_read_otherwise_come_back(tmp_path: Path) -> None:
    made = written(tmp_path, text="yes", label="1.0 # a", sheet="null", header=3)
    assert (made.data.text, made.data.label, made.data.sheet, made.data.header) == ("yes", "1.0 # a", "null", 3)
    assert made.data.files == "rows: 1.csv" and made.decide.time_zone == "UTC"


@pytest.mark.parametrize(
    ("task", "more", "further"),
    [("match", {"other": "b"}, {"other": "b"}),
     ("relate", {"ends": ("主体", "客体")}, {"head": "主体", "tail": "客体"}),
     ("classify", {}, {})],
)  # fmt: skip
def test_only_the_texts_that_there_are_have_a_line(
    tmp_path: Path, task: str, more: dict[str, Any], further: dict[str, str]
) -> None:
    assert written(tmp_path, task, **more).data.further() == further


def test_few_rows_share_what_is_held_out(tmp_path: Path) -> None:
    text = recipe_text(
        tmp_path, tmp_path / "a.csv", Guess("t", "l", "auto", None, ()), about_task("classify"), shared=True
    )
    assert "  held_out: shared" in text


@pytest.mark.parametrize("task", sorted(TASKS))
def test_the_first_rule_has_a_cell_for_each_column(task: str) -> None:
    header, row, *rest = rules_text(about_task(task)).splitlines()
    assert not rest and header.count(",") == row.count(",")
