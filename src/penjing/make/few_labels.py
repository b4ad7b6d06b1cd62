"""Which step `penjing init` proposes where labels are few: a rule over the rows a label, from measured figures.

    with at most 64 usable rows of the label in the middle:  one step, if its method serves the task

The figures are a first look at two sets in docs/fitting.md: as good as training the encoder within what two draws can
tell, without training it. `bench/few.py` is the protocol that compares the methods on more sets and draws.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from penjing.core.errors import UsageError
from penjing.core.methods import check_catalogue, check_heads, check_joint, check_pairs, load_method
from penjing.core.task import Task
from penjing.tune import METHODS

# With more rows a label than these nothing else is proposed than where there are thousands.
MOST = 64
STEP = "tune.prototype"


@dataclass(frozen=True)
class FewLabels:
    """The step that is proposed. rows: usable rows of the label in the middle."""

    step: str
    rows: int

    @property
    def comment(self) -> str:
        """Why, for the comment in the recipe."""
        return (
            f"few labels ({self.rows} rows each): the label whose rows are nearest in the mean; or tune.full, slower; "
            "see docs/fitting.md"
        )


def propose_step(rows: Mapping[str, int], task: Task) -> FewLabels | None:
    """The step for so many usable rows of each label; None where they are not few, or the step is not for the task."""
    middle = int(median(rows.values())) if rows else 0
    if not task.golds_are_names or not 0 < middle <= MOST or importlib.util.find_spec("torch") is None:
        return None
    method = load_method(STEP.partition(".")[2], METHODS, "init")
    try:
        check_heads(STEP, method.heads, method.losses, task)
        check_pairs(method, task)
        check_joint(method, task)
        check_catalogue(method, task)
    except UsageError:
        return None
    return FewLabels(STEP, middle)
