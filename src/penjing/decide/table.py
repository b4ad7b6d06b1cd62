"""A rules file in memory: its rows in order of decision, the facts that they may name, and its word lists."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from penjing.decide.condition import Rule, WordList
from penjing.decide.match import Matcher
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

    @cached_property
    def matcher(self) -> Matcher:
        """The compiled table."""
        return Matcher(self.rules, self.schema, self.lists)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the bytes of the file and of every word list, in hex."""
        parts = [self.raw, *(part for name in sorted(self.lists) for part in (name.encode(), self.lists[name].raw))]
        return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()

    def seen(self, masked: str) -> dict[str, Any]:
        """What the rules find in a masked text, as it is recorded: see `Matcher.seen`."""
        return self.matcher.seen(masked) if self.rules else {}

    def quoted(self, values: Mapping[str, str | float | None]) -> dict[str, Any]:
        """What the rules ask of the words and numbers of pieces, as it is recorded: see `Matcher.quoted`."""
        return self.matcher.quoted(values) if self.rules else {}

    def first(self, facts: Mapping[str, Any]) -> tuple[Rule, tuple[str, ...]] | None:
        """The first rule that is not false, with the fields that it tests and that have no value.

        None: every rule is false.
        """
        found = self.matcher.first(facts) if self.rules else None
        return None if found is None else (self.rules[found.place], found.absent)


def in_order(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Rows in order of decision."""
    return tuple(sorted(rules, key=lambda rule: (-rule.priority, rule.row)))
