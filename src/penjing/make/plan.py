"""A recipe's steps as methods with validated options, refused as a whole before any work starts."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace

from penjing.core.errors import RecipeError
from penjing.core.methods import Method, load_method
from penjing.core.options import Options, build_options, nearest
from penjing.core.recipe import RecipeFile

ROOMS = {"tune": "penjing.tune", "compress": "penjing.compress"}


@dataclass(frozen=True)
class Step:
    """One entry of a recipe: `name` as the user wrote it, e.g. `tune.full`."""

    name: str
    method: Method
    options: Options


def build_plan(file: RecipeFile) -> list[Step]:
    """The steps of a recipe in their order. Raises RecipeError with the line of the step that cannot be."""
    steps = []
    for index, (name, given) in enumerate(file.recipe.step_list()):
        where = file.where("steps", index, name)
        steps.append(_step(name, given, where))
    rooms = [step.name.split(".")[0] for step in steps]
    if rooms[0] != "tune":
        raise RecipeError(
            f"the first step is `{steps[0].name}`, and nothing is tuned before it",
            where=file.where("steps", 0),
            fix="begin with `tune.full: {}` or `tune.linear: {}`",
        )
    if "tune" in rooms[1:]:
        index = rooms.index("tune", 1)
        raise RecipeError(
            f"`{steps[index].name}` follows another tuning step: one recipe tunes once",
            where=file.where("steps", index),
            fix="remove one of the two",
        )
    if file.recipe.search and [step.name for step in steps] != ["tune.full"]:
        raise RecipeError(
            "`search: compress` finds the compression itself, for a model that `tune.full` makes",
            where=file.where("search"),
            fix="leave `tune.full` as the only step, or remove `search`",
        )
    if file.recipe.search and file.recipe.gates.keep is None and file.recipe.gates.macro_f1 is None:
        raise RecipeError(
            "`search` looks for the smallest model that holds the gates, and no gate speaks of its score",
            where=file.where("search"),
            fix="add `gates: {keep: 0.98}`, the share of the tuned model's macro-F1 that must be kept",
        )
    if file.recipe.gates.times_faster is not None and steps[0].name == "tune.linear":
        raise RecipeError(
            "`times_faster` is measured against the tuned encoder, and this recipe tunes none",
            where=file.where("gates", "times_faster"),
            fix="put `tune.full` first, or promise `mean_ms`",
        )
    if file.recipe.trials and not file.recipe.search:
        raise RecipeError(
            "`trials` are ways of healing that a search tries, and this recipe does not search",
            where=file.where("trials"),
            fix="add `search: compress`, or remove `trials`",
        )
    if steps[0].name == "tune.linear" and len(steps) > 1:
        raise RecipeError(
            f"`{steps[1].name}` compresses an encoder, and `tune.linear` makes none",
            where=file.where("steps", 1),
            fix="remove the step, or tune with `tune.full: {}`",
        )
    return steps


def single_step(name: str, options: dict[str, object] | None = None) -> Step:
    """A step that `make` adds by itself (baseline, export, search), with the defaults of its method but for these."""
    return _step(name, options or {}, name)


def on_engine(step: Step, engine: str) -> Step:
    """The step on a recipe's engine, where the step itself leaves the choice open."""
    if engine == "auto" or getattr(step.options, "engine", None) != "auto":
        return step
    return replace(step, options=step.options.model_copy(update={"engine": engine}))


def _step(name: str, given: dict[str, object], where: str) -> Step:
    room, _, short = name.partition(".")
    if room not in ROOMS or not short:
        known = [f"{key}.{method}" for key, path in ROOMS.items() for method in importlib.import_module(path).METHODS]
        raise RecipeError(f"unknown step `{name}`", where=where, fix=nearest(name, known))
    method = load_method(short, importlib.import_module(ROOMS[room]).METHODS, where)
    return Step(name=name, method=method, options=build_options(method.options, given, where))
