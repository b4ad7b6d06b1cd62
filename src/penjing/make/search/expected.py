"""How long a search over options is expected to take, for `penjing check`."""

from __future__ import annotations

from penjing.core.methods import Step
from penjing.core.pace import time_in_words
from penjing.core.recipe import Recipe, RecipeFile
from penjing.data.audit import Audit
from penjing.make.choose_base import COSTS, tuning_minutes, wanted_of
from penjing.make.overall import stages

_REFERENCE = "tune.linear"


def trial_seconds(file: RecipeFile, audit: Audit, step: Step) -> float | None:
    """Expected seconds of one trial on two server cores; None where nothing is known about the step or the base."""
    if step.name == _REFERENCE:
        return stages([_REFERENCE], audit.splits.get("train", 0), search=False)[_REFERENCE]
    cost = next((one for one in COSTS if one.name == file.recipe.base), None)
    if step.name != "tune.full" or cost is None:
        return None
    return 60 * tuning_minutes(cost, wanted_of(file, audit, [step]))


def expected_line(recipe: Recipe, step: Step, options: list[str], each: float | None) -> str:
    """What a search will do, and how long it is expected to take."""
    names = ", ".join(options)
    if recipe.trials and not recipe.minutes:
        said = f"search over {names}: {recipe.trials} trials of {step.name}"
    elif recipe.trials:
        said = f"search over {names}: at most {recipe.trials} trials of {step.name}, none after {recipe.minutes:g} min"
    else:
        said = f"search over {names}: trials of {step.name}, none after {recipe.minutes:g} min"
    if each is None:
        return said
    whole = each * recipe.trials if recipe.trials else 60 * recipe.minutes
    whole = min(whole, 60 * recipe.minutes) if recipe.minutes else whole
    return f"{said}; about {time_in_words(whole)} on two server cores, {time_in_words(each)} each"
