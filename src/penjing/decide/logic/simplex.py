"""Which label, probabilities and margin a model can give together: exact, in millionths, with the slack of rounding.

The probabilities x of L labels are rounded to whole millionths, so their sum is within L // 2 of a million. `label` is
the first label with the largest x, `p` is that x, `margin` is p less the largest x of the other labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penjing.decide.schema import MICRO

Span = tuple[int, int]


def probabilities(
    labels: int, top: int, p: Span, margin: Span, named: Mapping[int, Span], units: int = MICRO
) -> tuple[int, ...] | None:
    """Probabilities of so many labels, of which `top` is the answer, within inclusive bounds; None if there are none.

    named: the bounds of single labels, by their place.
    """
    low, high = named.get(top, (0, units))
    p = max(p[0], low, 0), min(p[1], high, units)
    if labels == 1:
        return (units,) if p[0] <= units <= p[1] and margin[0] <= units <= margin[1] else None
    bounds = {i: named.get(i, (0, units)) for i in range(labels) if i != top}
    others = {i: (max(0, low), min(units, high)) for i, (low, high) in bounds.items()}
    if p[0] > p[1] or any(low > high for low, high in others.values()):
        return None
    for tie in (False, True):
        between = (max(margin[0], 0), min(margin[1], 0)) if tie else (max(margin[0], 1), min(margin[1], units))
        if between[0] > between[1]:
            continue
        # Only a label behind the answer can have the same probability; unnamed labels are alike otherwise.
        seconds = [i for i in others if i > top] if tie else list(others)
        plain = [i for i in seconds if i not in named]
        for second in [*plain[:1], *(i for i in seconds if i in named)]:
            problem = _Problem(labels, top, second, p, between, others, tie, units)
            if (found := problem.solve()) is not None:
                return found
    return None


@dataclass(frozen=True)
class _Problem:
    """The question for one label as the second: p = x[top] and s = x[second] are to be chosen, then the others.

    For each s the largest p is best. The total that can be reached is concave in s and bends only at `_bends`, so that
    the best whole s is one of them.
    """

    labels: int
    top: int
    second: int
    p: Span
    margin: Span
    others: Mapping[int, Span]
    tie: bool
    units: int

    def solve(self) -> tuple[int, ...] | None:
        slack = self.labels // 2
        rest = {i: span for i, span in self.others.items() if i != self.second}
        below = {i: int(self.tie and i < self.top) for i in rest}  # must be less than the answer by so much
        least = sum(low for low, _ in rest.values())
        most = self.units + slack - least  # of p + s
        low, high = self.others[self.second]
        low = max([low, self.p[0] - self.margin[1], *(rest[i][0] + below[i] for i in rest)])
        high = min(high, most - self.p[0], self.p[1] - self.margin[0], (most - self.margin[0]) // 2)
        if low > high:
            return None
        for s in self._bends(low, high, most, {rest[i][1] + below[i] for i in rest}):
            p = min(self.p[1], s + self.margin[1], most - s)
            caps = {i: min(rest[i][1], s - below[i]) for i in rest}
            if p + s + sum(caps.values()) >= self.units - slack:
                return self._filled(p, s, {i: low for i, (low, _) in rest.items()}, caps)
        return None

    def _bends(self, low: int, high: int, most: int, caps: set[int]) -> Sequence[int]:
        half = (most - self.margin[1]) // 2
        bends = {low, high, self.p[1] - self.margin[1], most - self.p[1], half, half + 1, *caps}
        return sorted(each for each in bends if low <= each <= high)

    def _filled(self, p: int, s: int, found: dict[int, int], caps: Mapping[int, int]) -> tuple[int, ...]:
        missing = self.units - p - s - sum(found.values())
        for i in found:
            step = min(max(0, missing), caps[i] - found[i])
            found[i] += step
            missing -= step
        return tuple({**found, self.top: p, self.second: s}[i] for i in range(self.labels))
