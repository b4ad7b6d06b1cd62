"""Whether the model decides by itself: an answer against the threshold of its scope, of several parts all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from penjing.core.itemwise import ItemwiseTask
from penjing.core.task import ApartTask, Task
from penjing.decide.schema import MICRO

# The reasons of decisions that thresholds make.
BY_THRESHOLD = ("above_threshold", "below_threshold", "within_tolerance", "not_certified", "too_many", "audit")
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
        """Of an answer with parts (several tasks, or labels) the scopes that the model would not decide, and why.

        Of an answer with items their numbers, counted from 0.
        """
        found = self._each(facts, thresholds) if self._is_apart else {}
        return {scope: reason for scope, (route, reason) in found.items() if route == "review"}

    @cached_property
    def _is_apart(self) -> bool:
        return isinstance(self.task, ApartTask | ItemwiseTask)

    def _each(self, facts: Mapping[str, Any], thresholds: Mapping[str, float | None]) -> dict[str, ByModel]:
        if isinstance(self.task, ItemwiseTask):
            return self._items(self.task, facts, thresholds)
        apart = self.task.apart(facts) if isinstance(self.task, ApartTask) else {}
        return {name: self._one(task, own, thresholds.get(name)) for name, (task, own) in apart.items()}

    def _items(
        self, task: ItemwiseTask, facts: Mapping[str, Any], thresholds: Mapping[str, float | None]
    ) -> dict[str, ByModel]:
        """Each item by its number, of more than `most` the surest ones alone; without items the name of their scope."""
        items = task.items(facts)
        if not items:
            return {task.empty: self._one(self.task, facts, thresholds.get(task.empty))}
        found = {str(i): self._one(self.task, {"p": one.p}, thresholds.get(one.scope)) for i, one in enumerate(items)}
        for place in sorted(range(len(items)), key=lambda i: -_micro(items[i].p))[task.most :]:
            if found[str(place)][0] == "automatic":
                found[str(place)] = "review", "too_many"
        return found

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
