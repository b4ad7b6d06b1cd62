"""Whether losses and switches of a recipe fit its task; a loss of the team's own is called on a few rows."""

from __future__ import annotations

from collections.abc import Sequence

from penjing.core.errors import PenjingError, RecipeError, UsageError
from penjing.core.methods import Step
from penjing.core.recipe import RecipeFile
from penjing.core.task import Task
from penjing.make.named import Named
from penjing.tune.fits import check_fits
from penjing.tune.options import TrainingOptions


def training_faults(file: RecipeFile, steps: Sequence[Step], named: Sequence[Named], task: Task) -> list[PenjingError]:
    """A fault, with its line, for each step whose options do not fit the task. named: what each step names itself."""
    faults: list[PenjingError] = []
    for index, (step, own) in enumerate(zip(steps, named, strict=True)):
        if not isinstance(step.options, TrainingOptions):
            continue
        try:
            check_fits(step.options, task)
            if own.code is not None:
                from penjing.train.own_loss import OwnLoss

                OwnLoss(own.code).try_on(list(task.heads.values()))
        except UsageError as error:
            option = error.where if error.where in type(step.options).model_fields else "loss"
            what = error.what if error.where == option else f"{error.where}: {error.what}"
            where = file.where("steps", index, step.name, option)
            faults.append(RecipeError(what, where=where, fix=error.fix))
    return faults
