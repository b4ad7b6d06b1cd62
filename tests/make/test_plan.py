"""A plan is refused before any work, with the line of the step that cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.errors import RecipeError
from penjing.core.recipe import load_recipe
from penjing.make.plan import build_plan, on_engine, read_search, single_step

HEAD = "name: x\ndata: {files: a.csv}\nsteps:\n"


def plan(tmp_path: Path, steps: str):  # type: ignore[no-untyped-def]
    path = tmp_path / "recipe.yaml"
    path.write_text(HEAD + steps, encoding="utf-8")
    return build_plan(load_recipe(path))


def test_methods_and_options_are_loaded(tmp_path: Path) -> None:
    steps = plan(tmp_path, "  - tune.full: {epochs: 2}\n  - compress.int8:\n")
    assert [step.name for step in steps] == ["tune.full", "compress.int8"]
    assert steps[0].options.model_dump()["epochs"] == 2
    assert single_step("tune.linear").method.path == "penjing.tune.linear"


def test_a_recipes_engine_is_that_of_every_step_that_names_none(tmp_path: Path) -> None:
    tune, export, small = plan(
        tmp_path, "  - tune.full:\n  - compress.export:\n  - compress.int8: {engine: openvino}\n"
    )
    assert on_engine(tune, "onnx") is tune and on_engine(export, "auto") is export
    assert on_engine(export, "onnx").options.model_dump()["engine"] == "onnx"
    assert on_engine(small, "onnx").options.model_dump()["engine"] == "openvino"


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("  - tune.ful: {}\n", ":4:5: unknown step `tune.ful`"),
        ("  - tune.ful: {}\n", "did you mean `tune.full`"),
        ("  - tuna.full: {}\n", "unknown step `tuna.full`"),
        ("  - compress.int8: {}\n", "nothing is tuned before it"),
        ("  - tune.full: {}\n  - tune.linear: {}\n", "follows another tuning step"),
        ("  - tune.linear: {}\n  - compress.int8: {}\n", "compresses an encoder"),
        ("  - tune.full: {}\n  - compress.int8: {}\nsearch: compress\n", "finds the compression itself"),
        ("  - tune.linear: {}\nsearch: compress\n", ":5:1: `search: compress`"),
        ("  - tune.full: {}\nsearch: compress\n", "no gate is about its score"),
        ("  - tune.linear: {}\ngates: {times_faster: 50}\n", "this recipe tunes none"),
        ("  - tune.full: {}\ntrials: 5\n", ":5:1: `trials` limits a search over options, and no option"),
        ("  - tune.full: {}\nminutes: 5\n", ":5:1: `minutes` limits a search over options, and no option"),
        ("  - tune.full: {}\nsearch: compress\ngates: {keep: 0.9}\nminutes: 5\n", ":7:1: `minutes` limits"),
        ("  - tune.full: {epochs: {low: 1, high: 3}}\n", ":4:17: `epochs` is a range, and the recipe does not say"),
        (
            "  - tune.full: {}\n  - compress.int8: {batches: {choose: [1, 2]}}\ntrials: 3\n",
            ":5:21: `batches` of `compress.int8` is a range, and only the options of the first, tuning step",
        ),
        ("  - tune.full: {epoch: 2}\n", "did you mean `epochs`?"),
        ("  - tune.full: {epochs: -2}\n", ":4:17: `epochs` is `-2`; it must be a number above 0 and at most 100"),
    ],
)
def test_what_cannot_be(tmp_path: Path, steps: str, words: str) -> None:
    with pytest.raises(RecipeError) as caught:
        plan(tmp_path, steps)
    assert words in str(caught.value)


@pytest.mark.parametrize("more", ["trials: 5", "minutes: 5", "trials: 5\nminutes: 0.5", "search: compress\ntrials: 3"])
def test_a_range_with_a_budget_is_a_search(tmp_path: Path, more: str) -> None:
    gates = "\ngates: {keep: 0.9}\n"
    steps = plan(tmp_path, "  - tune.full: {epochs: {low: 1, high: 3}, dropout: 0.2}\n" + more + gates)
    assert [steps[0].options.model_dump()[name] for name in ("epochs", "dropout")] == [3.0, 0.2]
    (found,) = read_search(load_recipe(tmp_path / "recipe.yaml"))
    assert (found.option, found.low, found.high) == ("epochs", 1, 3)
