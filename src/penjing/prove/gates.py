"""Promises tested with a bound: held, broken (the bound misses the promise), or unproven (and how many rows decide)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from penjing.core.certificate import Gate, State

# Promises that depend on the machine: their measured values are not part of a release's content.
TIMES = ("p50_ms", "p99_ms", "mean_ms", "times_faster")


def at_least(name: str, promised: float, value: float, low: float, high: float, rows: int, note: str = "") -> Gate:
    """A promise that a score is at least `promised`; `low` and `high` are one-sided 95 % bounds on `rows` rows."""
    if low >= promised:
        return Gate(name=name, promised=promised, measured=value, bound=low, state="held", note=note)
    if high < promised:
        return Gate(name=name, promised=promised, measured=value, bound=high, state="broken", note=note)
    return Gate(
        name=name,
        promised=promised,
        measured=value,
        bound=low,
        state="unproven",
        rows_needed=_rows_to_settle(promised, value, low, high, rows),
        note=note,
    )


def at_most_windows(name: str, promised: float, windows: Sequence[float], note: str = "") -> Gate:
    """A promise on a figure measured in several windows of the same texts; the median window is reported.

    Source of the bound: the largest of n independent windows is below the true median with probability 2^-n. With five
    windows the largest is a one-sided 97 % upper bound, and the smallest is a one-sided 97 % lower bound.
    """
    ordered = sorted(windows)
    median = ordered[len(ordered) // 2]
    if ordered[-1] <= promised:
        state: State = "held"
        bound = ordered[-1]
    elif ordered[0] > promised:
        state, bound = "broken", ordered[0]
    else:
        state, bound = "unproven", ordered[-1]
    return Gate(name=name, promised=promised, measured=median, bound=bound, state=state, note=note)


def at_least_windows(name: str, promised: float, windows: Sequence[float], note: str = "") -> Gate:
    """As `at_most_windows`, for a promise that a figure is at least `promised`."""
    ordered = sorted(windows)
    median = ordered[len(ordered) // 2]
    if ordered[0] >= promised:
        state: State = "held"
        bound = ordered[0]
    elif ordered[-1] < promised:
        state, bound = "broken", ordered[-1]
    else:
        state, bound = "unproven", ordered[0]
    return Gate(name=name, promised=promised, measured=median, bound=bound, state=state, note=note)


def at_most_exact(name: str, promised: float, value: float, note: str = "") -> Gate:
    """A promise on a figure without measurement noise."""
    state: State = "held" if value <= promised else "broken"
    return Gate(name=name, promised=promised, measured=value, bound=value, state=state, note=note)


def refuses(gates: Sequence[Gate], unproven: Literal["refuse", "allow"]) -> list[Gate]:
    """The gates that prevent sealing: always the broken ones, and the unproven ones unless they are allowed."""
    return [gate for gate in gates if gate.state == "broken" or (gate.state == "unproven" and unproven == "refuse")]


def in_words(gate: Gate, labelled: Callable[[int], int] | None = None) -> str:
    """One line for a person, e.g. `size_mb: promised 40, measured 61.2 -> broken`.

    labelled: the number of labelled rows that give so many test rows.
    """
    more = f"; about {gate.rows_needed:,} test rows are needed to decide" if gate.rows_needed else ""
    if gate.rows_needed and labelled is not None and (total := labelled(gate.rows_needed)) > gate.rows_needed:
        more += f", of about {total:,} labelled rows in all"
    note = f" ({gate.note})" if gate.note else ""
    return (
        f"{gate.name}: promised {gate.promised:g}, measured {gate.measured:.4g}, "
        f"bound {gate.bound:.4g} -> {gate.state}{more}{note}"
    )


def _rows_to_settle(promised: float, value: float, low: float, high: float, rows: int) -> int | None:
    # The half-width of a bound is proportional to 1 / sqrt(rows).
    distance = abs(value - promised)
    half = value - low if value >= promised else high - value
    if distance < 1e-9 or half <= 0:
        return None
    return math.ceil(rows * (half / distance) ** 2)
