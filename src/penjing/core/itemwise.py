"""The contract of a task whose answers are lists of items, certified item by item."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

# Of a text at most so many items are decided without a person, whatever validation says.
MOST_ITEMS = 1_000


@dataclass(frozen=True)
class SaidItem:
    """An item of an answer: its kind, its calibrated probability, and the scope whose threshold applies to it."""

    kind: str
    p: float
    scope: str


@runtime_checkable
class ItemwiseTask(Protocol):
    """A task with one scope for the items of an answer, and one for an answer without any.

    most: of a text at most so many items are decided without a person, the surest ones.
    """

    @property
    def most(self) -> int: ...

    @property
    def item(self) -> str:
        """The scope of every item."""

    @property
    def empty(self) -> str:
        """The scope of an answer without items."""

    def items(self, facts: Mapping[str, Any]) -> tuple[SaidItem, ...]:
        """The items of an answer in their order; none of an empty answer."""

    def right(self, facts: Mapping[str, Any], gold: str) -> tuple[bool, ...]:
        """Of each item whether gold has it."""

    def meant(self, gold: str) -> tuple[str, ...]:
        """The kind of each item of gold."""
