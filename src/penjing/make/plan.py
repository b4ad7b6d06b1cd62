"""A recipe's steps as methods with validated options; all faults are reported before any work starts."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from penjing.core.errors import MissingPackageError, PenjingError, RecipeError, UsageError
from penjing.core.methods import Method, Step, load_method
from penjing.core.nouns import Scalar
from penjing.core.options import build_options, nearest
from penjing.core.recipe import RecipeFile
from penjing.make.search.ranges import Range, looks_like_a_range, range_elsewhere, split_ranges

ROOMS = {"tune": "penjing.tune", "compress": "penjing.compress"}


def build_plan(file: RecipeFile) -> list[Step]:
    """The steps of a recipe in their order. Raises RecipeError with the line of the first faulty step."""
    steps, faults = read_plan(file)
    if faults:
        raise faults[0]
    return steps


def read_plan(file: RecipeFile) -> tuple[list[Step], list[PenjingError]]:
    """The valid steps of a recipe in their order, and all faults of steps and search."""
    steps, faults = _read_steps(file)
    return steps, [*faults, *_order_faults(file), *_search_faults(file)]


def step_faults(file: RecipeFile) -> list[PenjingError]:
    """Faults of each step by itself, its name and its options; they do not depend on other keys of the recipe."""
    return _read_steps(file)[1]


def _read_steps(file: RecipeFile) -> tuple[list[Step], list[PenjingError]]:
    steps: list[Step] = []
    faults: list[PenjingError] = []
    for index, (name, given) in enumerate(file.recipe.step_list()):
        place = partial(file.where, "steps", index, name)
        elsewhere = None if _is_searched(index, name) else range_elsewhere(name, given, place)
        try:
            if elsewhere is not None:
                raise elsewhere
            steps.append(_first_trial(name, given, place)[0] if index == 0 else named_step(name, given, place))
        except UsageError as error:
            faults.append(error)
    return steps, faults


def read_search(file: RecipeFile) -> tuple[Range, ...]:
    """The ranges of options of the first step; none where the recipe has none, or where they are faulty."""
    name, given = file.recipe.step_list()[0]
    try:
        return _first_trial(name, given, partial(file.where, "steps", 0, name))[1]
    except UsageError:
        return ()


def with_values(step: Step, ranges: Sequence[Range], values: Mapping[str, Scalar]) -> Step:
    """The step of a trial. Raises pydantic.ValidationError for values that do not go together."""
    options = type(step.options)
    given = {one.option: one.as_option(values[one.option]) for one in ranges}
    return replace(step, options=options(**{**step.options.model_dump(), **given}))


def _is_searched(index: int, name: str) -> bool:
    return index == 0 and name.startswith("tune.")


def _first_trial(name: str, given: dict[str, object], place: Callable[..., str]) -> tuple[Step, tuple[Range, ...]]:
    """The first step as its first trial has it, and the ranges of its options."""
    if not _is_searched(0, name):
        return named_step(name, given, place), ()
    plain, ranges = split_ranges(_method(name, place, ROOMS).options, given, place)
    return named_step(name, plain, place), ranges


def _order_faults(file: RecipeFile) -> list[PenjingError]:
    names = [name for name, _ in file.recipe.step_list()]
    tuning = [index for index, name in enumerate(names) if name.startswith("tune.")]
    faults: list[PenjingError] = []
    if 0 not in tuning and names[0].startswith("compress."):
        faults.append(
            RecipeError(
                f"the first step is `{names[0]}`, and nothing is tuned before it",
                where=file.where("steps", 0),
                fix="begin with `tune.full: {}` or `tune.linear: {}`",
            )
        )
    previous = "another tuning step" if 0 in tuning else "another step"
    for index in tuning[1:] if 0 in tuning else tuning:
        if index:
            faults.append(
                RecipeError(
                    f"`{names[index]}` follows {previous}: a recipe tunes once, in its first step",
                    where=file.where("steps", index),
                    fix="remove one of the two" if 0 in tuning else "move it to the top",
                )
            )
    if names[0] == "tune.linear" and len(names) > 1 and names[1].startswith("compress."):
        faults.append(
            RecipeError(
                f"`{names[1]}` compresses an encoder, and `tune.linear` makes none",
                where=file.where("steps", 1),
                fix="remove the step, or tune with `tune.full: {}`",
            )
        )
    if names[0] == "tune.linear" and file.recipe.gates.times_faster is not None:
        faults.append(
            RecipeError(
                "`times_faster` is measured against the tuned encoder, and this recipe tunes none",
                where=file.where("gates", "times_faster"),
                fix="put `tune.full` first, or promise `mean_ms`",
            )
        )
    return faults


def _search_faults(file: RecipeFile) -> list[PenjingError]:
    recipe = file.recipe
    faults: list[PenjingError] = []
    if recipe.search and [name for name, _ in recipe.step_list()] != ["tune.full"]:
        faults.append(
            RecipeError(
                "`search: compress` finds the compression itself, for a model that `tune.full` makes",
                where=file.where("search"),
                fix="leave `tune.full` as the only step, or remove `search`",
            )
        )
    if recipe.search and recipe.gates.keep is recipe.gates.macro_f1 is recipe.gates.score is None:
        faults.append(
            RecipeError(
                "`search` looks for the smallest model that holds the gates, and no gate is about its score",
                where=file.where("search"),
                fix="add `gates: {keep: 0.98}`, the share of the tuned model's score that must be kept",
            )
        )
    return [*faults, *_budget_faults(file)]


def _budget_faults(file: RecipeFile) -> list[PenjingError]:
    """A budget without a search, and a search without one."""
    recipe, (name, given) = file.recipe, file.recipe.step_list()[0]
    try:
        ranges = [one.option for one in _first_trial(name, given, partial(file.where, "steps", 0, name))[1]]
    except UsageError:  # told as a fault of the step
        ranges = [option for option, value in given.items() if looks_like_a_range(value)]
    if ranges and not (recipe.trials or recipe.minutes):
        what = f"`{ranges[0][:60]}` is a range, and the recipe does not say how long to search"
        where = file.where("steps", 0, name, ranges[0])
        return [RecipeError(what, where=where, fix="add `trials: 20`, or `minutes: 30`, beside `steps`")]
    if ranges and importlib.util.find_spec("optuna") is None:
        what, fix = "ranges of options need the package `optuna`", "pip install 'penjing[train]'"
        return [MissingPackageError(what, where=file.where("steps", 0, name, ranges[0]), fix=fix)]
    key = "minutes" if recipe.minutes else "trials"
    if ranges or not (recipe.minutes or (recipe.trials and not recipe.search)):
        return []
    what = f"`{key}` limits a search over options, and no option of the first step is a range"
    fix = f"write a range, such as `learning_rate: {{low: 2.0e-5, high: 5.0e-4, log: true}}`, or remove `{key}`"
    return [RecipeError(what, where=file.where(key), fix=fix)]


def single_step(name: str, options: dict[str, object] | None = None) -> Step:
    """A step that `make` adds by itself (baseline, export, search): the method's defaults, changed by `options`."""
    return named_step(name, options or {}, lambda *_: name)


def on_engine(step: Step, engine: str) -> Step:
    """The step with the recipe's engine, if the step itself does not choose one."""
    if engine == "auto" or getattr(step.options, "engine", None) != "auto":
        return step
    return replace(step, options=step.options.model_copy(update={"engine": engine}))


def named_step(
    name: str, given: dict[str, object], place: Callable[..., str], rooms: Mapping[str, str] = ROOMS
) -> Step:
    """The step of that name with its options. Raises RecipeError for an unknown name, or for options out of bounds.

    place: gives the position of the step in the recipe, or that of an option by its keys.
    """
    method = _method(name, place, rooms)
    return Step(name=name, method=method, options=build_options(method.options, given, place(), place))


def _method(name: str, place: Callable[..., str], rooms: Mapping[str, str]) -> Method:
    room, _, short = name.partition(".")
    known = [f"{key}.{method}" for key, path in rooms.items() for method in importlib.import_module(path).METHODS]
    if name not in known:
        raise RecipeError(f"unknown step `{name[:60]}`", where=place(), fix=nearest(name, known))
    return load_method(short, importlib.import_module(rooms[room]).METHODS, place())
