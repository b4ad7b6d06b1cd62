"""A whole run takes its stages and its folds; one of 46 rows took 165 s of processor time on a busy machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.make.test_choose_rows import rows

from penjing.core.recipe import load_recipe
from penjing.make.choose_rows import fold_seconds, tuning_seconds
from penjing.make.overall import BASELINE, MEASURING, READING, SMALL_STEP, TESTING
from penjing.make.plan import build_plan
from penjing.make.whole_time import make_seconds

FEW = "  - tune.prototype: {}\n  - compress.int8: {}"


@pytest.mark.parametrize(("choose", "folds"), [("auto", 5), ("validation", 0)])
def test_a_run_takes_its_stages_and_every_fold(recipe_in: Callable[..., Path], choose: str, folds: int) -> None:
    path = recipe_in(steps=FEW, rows=46, base="penjing/small", choose=choose)
    file, data = load_recipe(path), rows(path)
    steps = build_plan(file)
    tuning, each = tuning_seconds(file, data, steps), fold_seconds(file, data, steps)
    assert tuning is not None and each is not None
    size = 0.5 * (READING + BASELINE)
    assert make_seconds(file, data, steps) == pytest.approx(
        size + tuning + SMALL_STEP + 2 * MEASURING + TESTING + folds * each
    )
    if folds:
        assert 90 < make_seconds(file, data, steps) < 180


def test_of_another_base_nothing_is_known(recipe_in: Callable[..., Path]) -> None:
    path = recipe_in(steps=FEW, rows=46, base="bert-base-chinese")
    file, data = load_recipe(path), rows(path)
    assert make_seconds(file, data, build_plan(file)) is None
