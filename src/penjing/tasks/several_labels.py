"""The task `several` certified label by label: given labels that are not true, and true ones that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from penjing.core.answers import Answer, Flags, as_kind
from penjing.core.task import Task, Unit
from penjing.tasks.several import Several

_GIVEN, _LEFT, _HALF = "yes.", "no.", 0.5


def by_label(task: Task) -> Task:
    """The same task with two scopes for each label. Raises TypeError for another task."""
    if not isinstance(task, Several):
        raise TypeError(f"the task {task.name!r} has no sets of labels")
    return SeveralByLabel(task.separator, task.none, task.labels, task.small)


@dataclass(frozen=True)
class SeveralByLabel(Several):
    """The same answers with two scopes for each label: `yes.LABEL` where it is given, `no.LABEL` where it is not.

    A label is given where it is more probable than not: the thresholds of the best F1 are lower, and a label that is
    given with a small probability would always be in doubt. The confidence in a label is p where it is given, else
    1 - p.
    """

    def facts(self, answer: Answer) -> dict[str, Any]:
        """As of `Several`, of the labels from 0.5 on; p: the confidence in the label that is the least sure."""
        flags = as_kind(answer, Flags)
        given = tuple(p >= _HALF for p in flags.probabilities)
        margin = round(min(abs(p - _HALF) for p in flags.probabilities), 6)
        return super().facts(replace(flags, given=given, margin=margin, p=round(_HALF + margin, 6)))

    @cached_property
    def scopes(self) -> tuple[str, ...]:
        return (*(scope for label in self.labels for scope in self.sides(label)), self.empty)

    @property
    def empty(self) -> str:
        """The scope of an answer without any label."""
        return "empty"

    def sides(self, label: str) -> tuple[str, str]:
        """The scopes of a label: given, not given."""
        return f"{_GIVEN}{label}", f"{_LEFT}{label}"

    def part_of(self, scope: str) -> str:
        """The label of a scope, the word for no label of an empty answer."""
        if scope == self.empty:
            return self.none
        return scope.removeprefix(_GIVEN) if scope.startswith(_GIVEN) else scope.removeprefix(_LEFT)

    def apart(self, facts: Mapping[str, Any]) -> dict[str, tuple[Several, dict[str, Any]]]:
        """Each label in the scope of what is said of it, with the confidence in that as `p`; and an empty answer."""
        found: dict[str, tuple[Several, dict[str, Any]]] = {}
        for label in self.labels:
            p, given = facts[f"p.{label}"], facts[f"has.{label}"]
            scope = self.sides(label)[0 if given else 1]
            found[scope] = (self, {"p": p if given else round(1 - p, 6), "margin": facts["margin"]})
        if not facts["count"]:
            found[self.empty] = (self, {"p": facts["p"], "margin": facts["margin"]})
        return found

    def scope(self, facts: Mapping[str, Any]) -> str:
        """That of the label of which the answer is the least sure."""
        each = self.apart(facts)
        return min(each, key=lambda scope: each[scope][1]["p"])

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One for each label."""
        true, found = set(self.members(gold)), []
        for scope, (_, own) in self.apart(facts).items():
            if scope == self.empty:
                continue
            given = scope == self.sides(self.part_of(scope))[0]
            wrong = given != (self.part_of(scope) in true)
            found.append(Unit(scope, own["p"], "yes" if given else "no", wrong))
        return tuple(found)
