"""Tests and bounds of an error rate on rows that were drawn with different, known probabilities; by betting.

Of a stream of cases, case i is labelled with probability q_i, which was fixed before its label was known (an audit
draws one in a hundred, a doubtful case is always reviewed). With w_i = 1 / q_i for a labelled case and 0 for another,

    X_i = w_i (a - wrong_i)

has a mean of at most 0 over the stream where the error rate is a or more. So for every bet 0 <= b < 1 / (W (1 - a)),
W the largest possible weight, the product of 1 + b X_i is a supermartingale, and so is the mean of the products over
several bets. By Ville's inequality the reciprocal of its largest value is a p-value that may be looked at after every
row (Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting", JRSS B 2024; with probabilities
of selection: Waudby-Smith et al., "Anytime-valid off-policy inference for contextual bandits", 2024). Rows that were
not drawn have a factor of 1.

Prefer the exact binomial test where all rows have one probability and are looked at once: it needs fewer rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Floats = np.ndarray[Any, np.dtype[np.float64]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
# Shares of the largest bet that are mixed, with equal weight. Few errors are best shown by a large bet.
SHARES = np.array([0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.96, 0.99])
_HALVINGS = 40


def betting_p_value(wrong: Bools, drawn: Floats, risk: float, least: float) -> float:
    """The p-value of "the error rate is `risk` or more", valid after any number of rows; 1 for no rows.

    wrong, drawn: for each labelled row in the order of the cases, whether it is wrong and its probability of being
    drawn. least: the least probability that any case had, those included that were not drawn: larger bets than it
    allows would prove what nobody looked at. Raises ValueError for a probability outside (0, 1] or below `least`.
    """
    weights = _weights(drawn, least)
    return mixture_p_value(weights * np.where(wrong, risk - 1.0, risk), least / (1.0 - risk))


def mixture_p_value(gains: Floats, largest: float) -> float:
    """The p-value of "the mean of the gains is 0 or less", valid after any number of rows; 1 for no rows.

    It is one over the largest value of the mixture of bets. largest: the bet at which the worst gain would leave
    nothing.
    """
    if not len(gains):
        return 1.0
    logs = np.cumsum(np.log1p(np.outer(SHARES * largest, gains)), axis=1)
    top = logs.max(axis=0)
    mixed = top + np.log(np.exp(logs - top).mean(axis=0))
    return float(min(1.0, np.exp(-mixed.max())))


def betting_bounds(
    wrong: Floats | Bools, drawn: Floats, least: float, delta: float, cases: Floats | float = 1.0, most: int = 1
) -> tuple[float, float]:
    """The error rates that are not rejected at level delta, from below and from above; (0, 1) for no rows.

    Both hold at every look; each side errs with probability delta at most. wrong, cases: of each row how many of its
    cases are wrong, and how many it has, `most` at most: X_i = w_i (a cases_i - wrong_i), whose worst value is
    -w_i (1 - a) most. Other arguments as of `betting_p_value`, where each row is one case.
    """
    weights = _weights(drawn, least)

    def too_high(risk: float) -> bool:
        return mixture_p_value(weights * (risk * cases - wrong), least / ((1.0 - risk) * most)) <= delta

    def too_low(risk: float) -> bool:
        return mixture_p_value(weights * (wrong - risk * cases), least / (risk * most)) <= delta

    # Rejected rates of either side are an interval that ends at 1 or begins at 0.
    return _edge(lambda risk: not too_low(risk)), _edge(too_high)


def estimate_error(
    wrong: Sequence[bool], drawn: Sequence[float], least: float, delta: float
) -> tuple[float, float, float]:
    """The share of errors, each row weighted by how many cases it stands for, and both bounds at level delta each.

    wrong, drawn, least: as of `betting_p_value`. Raises ValueError as that, and for no rows.
    """
    return estimate_share([int(each) for each in wrong], [1] * len(wrong), drawn, (least, delta), 1)


def estimate_share(
    wrong: Sequence[int], cases: Sequence[int], drawn: Sequence[float], about: tuple[float, float], most: int
) -> tuple[float, float, float]:
    """As `estimate_error`, of rows with several cases each, such as the items of a text; at most `most` in any row.

    about: `least` and delta of `estimate_error`. Raises ValueError for no rows, and for a row with other numbers.
    """
    mistakes, sizes = np.array(wrong, dtype=np.float64), np.array(cases, dtype=np.float64)
    shares = np.array(drawn, dtype=np.float64)
    if not len(mistakes):
        raise ValueError("no rows")
    if not bool(((sizes >= 1) & (sizes <= most) & (mistakes >= 0) & (mistakes <= sizes)).all()):
        raise ValueError(f"a row has 1 to {most} cases, and at most as many wrong ones")
    least, delta = about
    low, high = betting_bounds(mistakes, shares, least, delta, sizes, most)
    weights = 1 / shares
    return float((weights * mistakes).sum() / (weights * sizes).sum()), low, high


def _edge(holds: Callable[[float], bool]) -> float:
    """The rate from which on a statement holds, by halving; 0 where it always does, 1 where it never does."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return 0.0 if high < 1e-9 else 1.0 if low > 1 - 1e-9 else (low + high) / 2


def _weights(drawn: Floats, least: float) -> Floats:
    values = np.asarray(drawn, dtype=np.float64)
    if not 0 < least <= 1 or not bool(((values >= least) & (values <= 1)).all()):
        raise ValueError(f"every probability of being drawn lies in [{least}, 1], and is more than 0")
    return np.asarray(1.0 / values)
