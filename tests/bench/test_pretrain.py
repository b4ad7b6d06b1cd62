"""The bench of pre-training: test rows are in no corpus, a unit is measured once, the course of a kill is counted."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCH))
    return import_module("pretrain")


def test_no_text_of_a_test_row_is_in_the_corpus(bench: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "TEST", 10)
    rows = [(f"title {n % 40}", str(n % 3)) for n in range(60)]  # twenty titles occur twice
    known, test, free = bench.divided(rows, [f"whole question {n}" for n in range(60)])
    asked = {text for text, _ in test}
    assert len(asked) == len(test) == 10 and len(known) == 30
    assert not asked & {text for text, _ in known}
    assert free == [f"whole question {n}" for n in range(60) if f"title {n % 40}" not in asked]


def test_a_unit_is_measured_once(bench: ModuleType, tmp_path: Path) -> None:
    results = bench.Results(tmp_path / "r.json")
    assert results.once("speed", "a", lambda: 3.5) == 3.5
    again = bench.Results(tmp_path / "r.json")
    assert again.once("speed", "a", lambda: pytest.fail("measured again")) == 3.5
    assert json.loads((tmp_path / "r.json").read_bytes())["speed"] == {"a": 3.5}


def test_every_recipe_is_one_that_grow_reads(bench: ModuleType, tmp_path: Path) -> None:
    from penjing.core.grow_recipe import load_grow_recipe
    from penjing.make.grow import read_steps

    scratch = [f"{bench.SCRATCH.format('tiny')}steps: {steps}" for steps in bench.OBJECTIVES.values()]
    mlm = f"{bench.SCRATCH.format('mini')}steps: {bench.MLM.format(7)}"
    for number, recipe in enumerate([*bench.GROWN.values(), *scratch, mlm]):
        file = load_grow_recipe(bench.write_recipe(recipe, [tmp_path], tmp_path / str(number)))
        assert read_steps(file)
