"""Teachers for the logits of the train rows: the recipe's tuning again, each time without one fold of the rows.

    cost of k folds  =  (k - 1) times a tuning at one rate

Each is a step of its own in the cache, so a killed run goes on with the fold that it was working on, and later runs
take them from there. A fold's teacher has the options of the tuned model, with the rate and the number of layers that
were chosen for it: nothing is chosen again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from penjing.compress.parts.folds import fold_numbers, fold_teacher, without_fold
from penjing.core.errors import UsageError
from penjing.core.methods import Step
from penjing.core.nouns import Artifact, Inputs
from penjing.make.cache import Cache


def tune_folds(tuning: Step, inputs: Inputs, tuned: Artifact, folds: int, cache: Cache) -> dict[str, Artifact]:
    """The teacher of each fold by its name; inputs: those with which `tuned` was made.

    Raises UsageError where all rows are in one fold, and what the tuning raises.
    """
    numbers = fold_numbers(inputs.train, folds)
    step, found = replace(tuning, options=_settled(tuning, tuned)), {}
    for fold in range(folds):
        if not (numbers == fold).any():
            continue
        rest = without_fold(inputs.train, folds, fold)
        if not len(rest):
            raise UsageError(
                "`out_of_fold` leaves a teacher no train rows: all of them are in one group",
                fix="leave `out_of_fold` out",
            )
        done = cache.run(step, replace(inputs, train=rest))
        if done.cached:
            cache.progress.say(f"{step.name} without fold {fold + 1} of {folds}: from the cache")
        else:
            cache.progress.say(f"{step.name} without fold {fold + 1} of {folds}: {done.seconds:.1f} s")
        found[fold_teacher(fold)] = done.artifact
    return found


def _settled(tuning: Step, tuned: Artifact) -> Any:
    """The options of the tuning with what was chosen for the tuned model."""
    notes = tuned.card.notes
    return tuning.options.model_copy(update={"learning_rate": (notes["learning_rate"],), "layers": notes["layers"]})
