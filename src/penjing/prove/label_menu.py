"""The menu of limits by label: which share of the labels would be settled if every given label may be wrong so often.

Shares are forecasts from validation rows, as in `menu.py`: of all pairs of a text and a label those that are settled
where all limits together pass as likely as not, with so many calibration rows. The limits on misses stay those of the
promise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from penjing.decide.policy import Policy
from penjing.prove.by_label import label_cases, limits_for, promised_labels
from penjing.prove.certify import Labelled
from penjing.prove.label_path import LabelLimit, likely
from penjing.prove.menu import TIMES, Offer
from penjing.prove.misses import Promised

LIMITS = (0.02, 0.05, 0.10, 0.20)


def label_menu(policy: Policy, validation: Labelled, rows: int, promised: Promised) -> tuple[Offer, ...]:
    """The offers of each limit on errors, rising, with that of the promise. rows: calibration rows."""
    own = promised.max_error
    given = {own} if not isinstance(own, dict) else set(own.values())
    return tuple(
        Offer(limit, *_shares(policy, validation, rows, replace(promised, max_error=limit)))
        for limit in sorted({*LIMITS, *given})
    )


def _shares(policy: Policy, validation: Labelled, rows: int, promised: Promised) -> list[float]:
    """The share that is settled with so many rows, with four times as many, and with any number."""
    found: list[float] = []
    for count in (rows, TIMES * rows, None):
        fixed = promised_labels(policy, validation, TIMES * rows if count is None else count, promised)
        kept = list(fixed.max_miss)
        limits: Sequence[LabelLimit] = limits_for(kept, fixed)
        settled = likely(label_cases(policy, validation, kept), limits, count, promised.delta) if kept else 0
        pairs = len(validation) * (len(kept) + len(fixed.reviewed))
        # A vector for more rows may begin with more limits; fewer would do as well.
        found.append(max([settled / max(1, pairs), *found]))
    return found
