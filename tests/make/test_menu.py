"""The menu before a run: that of a word model, under the recipe's rules and limits, which leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.make.check_recipe import check_recipe
from penjing.make.menu import word_model_menu


def test_the_menu_is_that_of_the_recipe(recipe_in: Callable[..., Path], tmp_path: Path) -> None:
    rules = "name,text,then\nfirst,contains 前台,review\n"
    (tmp_path / "rules.csv").write_text(rules, encoding="utf-8")
    checked = check_recipe(load_recipe(recipe_in(rules="rules.csv")), Silent())
    assert checked.data is not None and not checked.faults
    before = sorted(path.name for path in tmp_path.iterdir())
    menu = word_model_menu(checked.file, checked.data, checked.rules)
    assert menu is not None and menu.rows == len(checked.data.calibration)
    assert 0.1 in [offer.max_error for offer in menu.offers] and set(menu.by_label) == {"好", "差"}
    taken = sum("前台" in text for text in checked.data.validation.texts) / len(checked.data.validation)
    assert taken > 0 and abs(menu.offers[-1].most - (1 - taken)) < 1e-9
    assert sorted(path.name for path in tmp_path.iterdir()) == before
