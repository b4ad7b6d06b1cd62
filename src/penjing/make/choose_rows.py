"""By which rows `make` chooses between encoder and word model: validation rows, or train and validation out of fold.

    a difference is proven on n rows if it is above about 1.645 sqrt(d / n), for models of which one alone is right on a
    share d of the rows

With d = 0.2 that is 7.4 points on 100 rows and 16 points on 20. `choose: auto` therefore compares out of fold where
there are fewer than 100 validation rows, unless so many rows train that the folds would take long. The bound is that of
a normal distribution; `make` computes its own from the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from penjing.core.errors import RecipeError
from penjing.core.methods import Step
from penjing.core.nouns import Artifact
from penjing.core.pace import time_in_words
from penjing.core.recipe import RecipeFile
from penjing.data.prepare import Prepared
from penjing.make.choose_base import COSTS, FORWARD, tuning_minutes, wanted_of
from penjing.make.overall import BASELINE, FOLD_SHARE, SMALL_STEP, TRAINS
from penjing.report.contract import Note
from penjing.report.verdict import note_of
from penjing.tune.options import TrainingOptions

# With fewer validation rows the choice is out of fold; with more train and validation rows it never is by itself.
FEWEST_VALIDATION, MOST_ROWS = 100, 2000
FOLDS = 5
_HEAD = "head.safetensors"  # of a base that was tuned for a task
_INFO = "release.json"
# Steps whose training is as long as their epochs say.
_PLAIN = frozenset(("tune.full", "tune.prototype", "tune.fewshot"))


@dataclass(frozen=True)
class RowsOfChoice:
    """folds: 0 where validation rows choose. rows: those that choose. validation: how many rows that part has."""

    folds: int
    rows: int
    validation: int
    asked: bool = False


def rows_of_choice(file: RecipeFile, data: Prepared, base: Artifact | None) -> RowsOfChoice | None:
    """By which rows `make` chooses; None where there is nothing to choose, because the recipe tunes no encoder."""
    recipe, validation = file.recipe, len(data.validation)
    if recipe.step_list()[0][0] == "tune.linear":
        return None
    own = _own(data)
    folds = min(FOLDS, own)
    few = validation < FEWEST_VALIDATION and own <= MOST_ROWS
    asked = recipe.choose == "folds"
    if not (asked or (recipe.choose == "auto" and few)) or _against(file, base) is not None or folds < 2:
        return RowsOfChoice(0, validation, validation)
    return RowsOfChoice(folds, own, validation, asked)


def _own(data: Prepared) -> int:
    """Train and validation rows that folds can answer: those of `add:` only train."""
    return len(data.train) - len(data.added) + len(data.validation)


def more_rows(file: RecipeFile, data: Prepared, base: Artifact | None, folds: int) -> Note | None:
    """The note that more rows than those of validation can choose; None where they cannot.

    folds: of this choice; 0 where validation rows chose.
    """
    own = _own(data)
    if folds or own < FOLDS or _against(file, base) is not None:
        return None
    return note_of("why_more_rows", rows=f"{len(data.validation):,}", all=f"{own:,}", folds=f"{FOLDS}")


def choice_faults(file: RecipeFile, base: Artifact | None) -> list[RecipeError]:
    """The fault of `choose: folds` where that cannot be done."""
    if file.recipe.choose != "folds":
        return []
    if file.recipe.step_list()[0][0] == "tune.linear":
        what, fix = "`choose` is between an encoder and `tune.linear`, and this recipe tunes no encoder", "take it out"
        return [RecipeError(what, where=file.where("choose"), fix=fix)]
    why = _against(file, base)
    if why is None:
        return []
    return [RecipeError(why, where=file.where("choose"), fix="write `choose: validation`")]


def _against(file: RecipeFile, base: Artifact | None) -> str | None:
    """Why rows of train and validation cannot be answered out of fold; None where they can."""
    recipe = file.recipe
    if recipe.search is not None or recipe.trials or recipe.minutes:
        return (
            "`choose: folds` compares one recipe with word counts, and a search has chosen among many by the same rows"
        )
    beside = base is not None and ((base.folder / _HEAD).is_file() or (base.folder / _INFO).is_file())
    if recipe.continues is not None or beside or (file.resolve(recipe.base) / _INFO).is_file():
        return (
            "`choose: folds` needs models that have not seen the rows, and the base of this recipe may have learned "
            "from them"
        )
    return None


def fold_seconds(file: RecipeFile, data: Prepared, steps: Sequence[Step]) -> float | None:
    """Expected seconds of one fold on two server cores; None where nothing is known about the step or the base."""
    if (tuning := tuning_seconds(file, data, steps)) is None:
        return None
    rest = sum(100.0 if step.name in TRAINS else SMALL_STEP for step in steps[1:])
    return FOLD_SHARE * (tuning + BASELINE) + rest


def tuning_seconds(file: RecipeFile, data: Prepared, steps: Sequence[Step]) -> float | None:
    """Expected seconds of the first step on two server cores; None where nothing is known about it or the base."""
    cost = next((one for one in COSTS if one.name == file.recipe.base), None)
    if cost is None or not steps or steps[0].name not in _PLAIN:
        return None
    wanted, options = wanted_of(file, data.audit, steps), steps[0].options
    if isinstance(options, TrainingOptions) and not options.epochs:
        tokens = wanted.rows * min(wanted.tokens[0], wanted.longest)
        return tokens / 1000 * cost.token_seconds * cost.layers * FORWARD
    return 60 * tuning_minutes(cost, wanted)


def choice_line(file: RecipeFile, data: Prepared, steps: Sequence[Step], choice: RowsOfChoice) -> str:
    """What `make` will do, and about how long it takes."""
    if not choice.folds:
        return f"encoder or word counts: chosen on {choice.rows:,} validation rows"
    each, rows = fold_seconds(file, data, steps), f"{choice.rows:,}"
    why = "as the recipe asks" if choice.asked else f"{choice.validation:,} validation rows prove too little"
    if each is None:
        return (
            f"encoder or word counts: chosen out of fold over {rows} train and validation rows ({why}), "
            f"{choice.folds} folds"
        )
    return (
        f"encoder or word counts: chosen out of fold over {rows} train and validation rows ({why}), "
        f"{choice.folds} folds; about {time_in_words(each * choice.folds)} on two server cores"
    )
