"""How long a whole `make` is expected to take, for `penjing init` where the tuning itself takes seconds.

the stages of `overall.py` with the expected time of the first step, and every fold of a choice out of fold
"""

from __future__ import annotations

from collections.abc import Sequence

from penjing.core.methods import Step
from penjing.core.recipe import RecipeFile
from penjing.data.prepare import Prepared
from penjing.make.choose_rows import fold_seconds, rows_of_choice, tuning_seconds
from penjing.make.overall import stages


def make_seconds(file: RecipeFile, data: Prepared, steps: Sequence[Step]) -> float | None:
    """Expected seconds of `make` on two server cores; None where nothing is known about the first step or the base."""
    tuning, fold = tuning_seconds(file, data, steps), fold_seconds(file, data, steps)
    if tuning is None or fold is None:
        return None
    choice = rows_of_choice(file, data, None)
    found = stages([step.name for step in steps], len(data.train), search=False) | {steps[0].name: tuning}
    return sum(found.values()) + (0 if choice is None else choice.folds) * fold
