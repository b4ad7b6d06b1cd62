"""Whether the model decides by itself: an answer against the threshold of its scope, of several parts all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from penjing.core.task import ApartTask, Task
from penjing.decide.schema import MICRO

# The route of a case by its thresholds alone, and the reason.
ByModel = tuple[Literal["automatic", "review"], str]


@dataclass(frozen=True)
class Thresholds:
    """The thresholds of one task, compared in whole millionths. tolerance: how far another machine's score may be."""

    task: Task
    tolerance: float

    def decide(self, facts: Mapping[str, Any], thresholds: Mapping[str, float | None]) -> ByModel:
        """Of an answer with several parts the first that the model would not decide gives the reason."""
        if not self._is_apart:
            return self._one(self.task, facts, thresholds.get(self.task.scope(facts)))
        for course in self._each(facts, thresholds).values():
            if course[0] == "review":
                return course
        return "automatic", "above_threshold"

    def doubts(self, facts: Mapping[str, Any], thresholds: Mapping[str, float | None]) -> dict[str, str]:
        """Of an answer with parts (several tasks, or labels) the scopes that the model would not decide, and why."""
        found = self._each(facts, thresholds) if self._is_apart else {}
        return {scope: reason for scope, (route, reason) in found.items() if route == "review"}

    @cached_property
    def _is_apart(self) -> bool:
        return isinstance(self.task, ApartTask)

    def _each(self, facts: Mapping[str, Any], thresholds: Mapping[str, float | None]) -> dict[str, ByModel]:
        apart = self.task.apart(facts) if isinstance(self.task, ApartTask) else {}
        return {name: self._one(task, own, thresholds.get(name)) for name, (task, own) in apart.items()}

    def _one(self, task: Task, facts: Mapping[str, Any], threshold: float | None) -> ByModel:
        if threshold is None:
            return "review", "not_certified"
        p, least, band = _micro(facts["p"]), _micro(threshold), tolerance_units(self.tolerance)
        if p < least - band:
            return "review", "below_threshold"
        if p < least + band or task.unsettled(facts, band):
            return "review", "within_tolerance"
        return "automatic", "above_threshold"


def tolerance_units(tolerance: float) -> int:
    """A tolerance in whole millionths, rounded up: scores are kept in millionths."""
    return math.ceil(round(tolerance * MICRO, 6))


def _micro(value: float) -> int:
    return round(value * MICRO)
