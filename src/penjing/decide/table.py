"""A rules file in memory: its rows in order of decision, the facts that they may name, and its word lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from penjing.decide.condition import Rule, WordList
from penjing.decide.schema import FactSchema


@dataclass(frozen=True)
class RuleTable:
    """All rows over the facts of one release; the first that is not false decides.

    rules: larger priorities first, rows of the same priority in the order of the file.
    lists: every word list that a row names, by name.
    raw: the bytes of the file as it was read. These are sealed, because the file may be edited during training.
    columns: the columns of the file in its order, as `keywords.column_of` names them.
    """

    path: str
    schema: FactSchema
    rules: tuple[Rule, ...]
    lists: Mapping[str, WordList] = field(default_factory=dict)
    raw: bytes = field(default=b"", compare=False, repr=False)
    columns: tuple[str, ...] = field(default=(), compare=False)


def in_order(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Rows in order of decision."""
    return tuple(sorted(rules, key=lambda rule: (-rule.priority, rule.row)))
