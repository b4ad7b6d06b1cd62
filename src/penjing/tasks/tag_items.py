"""The task `tag` certified item by item: entities that are told and are not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penjing.core.answers import Answer, Spans, as_kind
from penjing.core.itemwise import MOST_ITEMS, SaidItem
from penjing.core.task import Task, Unit
from penjing.tasks.tag import Tag
from penjing.tasks.tag_spans import read_entities

_ITEM, _EMPTY = "entity", "empty"


def by_item(task: Task, most: int) -> Task:
    """The same task with a scope for its entities. Raises TypeError for another task."""
    if not isinstance(task, Tag):
        raise TypeError(f"the task {task.name!r} has no entities")
    return TagByItem(task.types, task.following, most or MOST_ITEMS)


@dataclass(frozen=True)
class TagByItem(Tag):
    """The same answers with the threshold `entity` for every entity, and `empty` for an answer without any.

    most: of a text at most so many entities are decided without a person. The facts have the p of each entity too.
    """

    most: int = MOST_ITEMS

    def facts(self, answer: Answer) -> dict[str, Any]:
        """As of `Tag`, and `span_p`: the probability of each of the `spans`."""
        return super().facts(answer) | {"span_p": [span.p for span in as_kind(answer, Spans).spans]}

    @property
    def scopes(self) -> tuple[str, ...]:
        return _ITEM, _EMPTY

    @property
    def item(self) -> str:
        """The scope of every entity."""
        return _ITEM

    @property
    def empty(self) -> str:
        """The scope of an answer without entities."""
        return _EMPTY

    def scope(self, facts: Mapping[str, Any]) -> str:
        """That of its entities, where it has any."""
        return _ITEM if facts["spans"] else _EMPTY

    def items(self, facts: Mapping[str, Any]) -> tuple[SaidItem, ...]:
        """The entities in the order of the text."""
        pairs = zip(facts["spans"], facts["span_p"], strict=True)
        return tuple(SaidItem(kind, p, _ITEM) for (_, _, kind), p in pairs)

    def right(self, facts: Mapping[str, Any], gold: str) -> tuple[bool, ...]:
        """Of each entity whether gold has it with the same place and type."""
        meant = set(read_entities(gold))
        return tuple((start, end, kind) in meant for start, end, kind in facts["spans"])

    def meant(self, gold: str) -> tuple[str, ...]:
        """The type of each entity of gold."""
        return tuple(kind for _, _, kind in read_entities(gold))

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One for each entity; of an answer without entities one, wrong where gold has some."""
        if not facts["spans"]:
            return (Unit(_EMPTY, facts["p"], self.outcome(facts), bool(self.meant(gold))),)
        pairs = zip(self.items(facts), self.right(facts, gold), strict=True)
        return tuple(Unit(_ITEM, one.p, one.kind, not right) for one, right in pairs)
