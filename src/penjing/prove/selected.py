"""Labelled rows out of operation: which were drawn with which probability, and what a certificate may say of them.

Cases that a release sent to a person were selected because they are doubtful; those of an audit were drawn by chance.
`penjing export decisions` writes the probability of each in its column `drawn`: 1 for a case that always goes to a
person, the share of the audit for an automatic one, whether or not it was drawn.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from penjing.core.certificate import Certificate
from penjing.decide.policy import Policy
from penjing.prove.certify import Labelled, with_thresholds
from penjing.prove.weighted import estimate_error

COLUMN = "drawn"
ADVICE = "give rows that were drawn by chance, or decisions as `penjing export decisions` writes them, with `drawn`"
# The columns of an export with a Chinese heading that `amend` reads.
IN_CHINESE = {
    COLUMN: "抽中概率",
    "route": "去向",
    "text": "文本",
    "other": "另一文本",
    "fields": "字段",
    "verdict": "结论",
    "time": "时间",
}
# Columns that the files of a review or of an export have.
_OF_REVIEWS = (("outcome", "reason", "verdict"), ("结果", "原因", "结论"))


@dataclass
class DrawnCases:
    """The cases that a labelled file stands for, while it is read.

    shares: the probabilities of all of them, those included that were not drawn. unjudged: drawn and without a label.
    unknown: without a probability.
    """

    shares: set[float] = field(default_factory=set)
    unjudged: int = 0
    unknown: int = 0

    @property
    def least(self) -> float:
        """The least probability of any case."""
        return min(self.shares, default=1.0)

    @property
    def differs(self) -> bool:
        """Whether cases were drawn with different probabilities, so that they must be weighted."""
        return len(self.shares) > 1


def read_probability(written: str) -> float | None:
    """A probability in [0, 1] as it is written in a file; None for anything else."""
    try:
        value = float(written)
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None


def was_drawn(cells: Mapping[str, str]) -> bool:
    """Whether a person was to look at a case of an export, by its route; of another file, always."""
    return cells.get("route", "").strip() != "automatic"


def by_english_names(cells: Mapping[str, str]) -> Mapping[str, str]:
    """The cells of a row of an export, with its declared fields as cells of their own; other cells as they are.

    Those of an export with a Chinese heading are there by the English names too.
    """
    if COLUMN not in cells and IN_CHINESE[COLUMN] not in cells:
        return cells
    named = {name: cells[written] for name, written in IN_CHINESE.items() if written in cells} | dict(cells)
    return _fields(named.get("fields", "")) | named


def _fields(written: str) -> dict[str, str]:
    """The declared fields of an exported decision, which are one cell of JSON; none of another cell."""
    try:
        found = json.loads(written)
    except ValueError:
        return {}
    values = found.items() if isinstance(found, dict) else ()
    return {
        name: "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in values
    }


def are_selected(header: Sequence[str]) -> bool:
    """Whether the columns are those of reviewed cases, without the probability with which each was drawn."""
    names = {name.strip().lower() for name in header}
    return names.isdisjoint((COLUMN, IN_CHINESE[COLUMN])) and any(names.issuperset(columns) for columns in _OF_REVIEWS)


def weighted(policy: Policy, certificate: Certificate, labelled: Labelled) -> Certificate:
    """A certificate on rows drawn with different probabilities: each row stands for 1 / probability cases.

    automation and error are estimates for all cases, high is a bound by betting (`weighted.py`). The thresholds were
    tested with the same weights (`sequence.py`).
    """
    drawn = np.array(labelled.drawn, dtype=np.float64)
    final, task = with_thresholds(policy, certificate.thresholds), policy.task
    decided = [final.decide("", facts) for facts in labelled.facts]
    automatic = np.array([one.route == "automatic" and one.decided_by == "model" for one in decided], dtype=bool)
    wrong = np.array([task.wrong(one.outcome, gold) for one, gold in zip(decided, labelled.truth, strict=True)])
    weights, delta = 1 / drawn, 1 - certificate.confidence
    share, high = None, None
    if automatic.any():
        share, _, high = estimate_error(wrong[automatic].tolist(), drawn[automatic].tolist(), labelled.least, delta)
    automation = float(weights[automatic].sum() / weights.sum())
    return certificate.model_copy(update={"automation": automation, "error": share, "high": high, "weighted": True})
