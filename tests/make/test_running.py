"""The steps of a recipe over its rows: a form alone is the same artifact as among all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from penjing.core.nouns import Silent
from penjing.core.recipe import load_recipe
from penjing.make.cache import Cache
from penjing.make.check_recipe import check_recipe
from penjing.make.running import Runner

STEPS = "  - tune.full: {epochs: 1, layers: 1, max_tokens: 16}\n  - compress.layers: {keep: 1}\n  - compress.export: {}"


def test_a_form_alone_is_that_of_the_whole_run(recipe_in: Callable[..., Path], tiny_base: Path, tmp_path: Path) -> None:
    checked = check_recipe(load_recipe(recipe_in(steps=STEPS, base=str(tiny_base), rows=60)), Silent())
    assert checked.data is not None and not checked.faults
    cache = Cache(tmp_path / "cache", 0, 1, Silent(), lambda: False)
    entered: list[str] = []
    runner = Runner(checked.file, checked.steps, checked.data, checked.base, cache, checked.named, enter=entered.append)
    done = runner.forms()
    names = ["tune.full", "compress.export", "compress.layers", "compress.export"]
    assert [one.step.name for one in done] == entered == names
    for place, one in enumerate(done):
        tuned, form = runner.form(place)
        assert (tuned.id, form.id) == (done[0].artifact.id, one.artifact.id)
    # Nothing is run that a form does not need.
    entered.clear()
    part = replace(runner, data=replace(checked.data, train=checked.data.train.take(range(20))))
    part.form(2)
    assert entered == ["tune.full", "compress.layers"]
    assert part.inputs(None).held_out == checked.data.held_out
