"""A table of the first edition in memory: ordered rules, each with typed conditions and an outcome."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from penjing.data.fold import open_folding
from penjing.decide.first.cells import Contains, Test
from penjing.decide.first.match import Matcher
from penjing.decide.schema import FactSchema


@dataclass(frozen=True)
class Condition:
    """One filled cell: the fact and its condition."""

    fact: str
    test: Test


@dataclass(frozen=True)
class Rule:
    """One row: `outcome` is what is forced, or None for review."""

    name: str
    conditions: tuple[Condition, ...]
    outcome: str | None
    why: str = ""


@dataclass(frozen=True)
class RuleTable:
    """All rows of a rules file over the facts of one release; the first that matches decides."""

    schema: FactSchema
    rules: tuple[Rule, ...]

    @cached_property
    def phrases(self) -> tuple[str, ...]:
        """Every phrase of the rules, in the form for comparison."""
        tests = [condition.test for rule in self.rules for condition in rule.conditions]
        return tuple(sorted({phrase for test in tests if isinstance(test, Contains) for phrase in test.phrases}))

    @cached_property
    def matcher(self) -> Matcher:
        """The compiled table."""
        kinds = self.schema.kinds()
        rows = [[(each.fact, kinds[each.fact], each.test) for each in rule.conditions] for rule in self.rules]
        return Matcher(rows, self.schema.own)

    def contained(self, masked: str) -> dict[str, bool]:
        """For each phrase of the table: whether the masked text contains it."""
        folded = open_folding(self.schema.folding)(masked)
        return {phrase: phrase in folded for phrase in self.phrases}

    def first(self, facts: Mapping[str, Any]) -> tuple[Rule, tuple[str, ...]] | None:
        """The first rule that holds, with the fields that it needs and that were not given. None: no rule holds.

        A field that was not given may have any value, so its condition counts as true.
        """
        if not self.rules:
            return None
        index = self.matcher.first(facts)
        if index is None:
            return None
        rule = self.rules[index]
        absent = (each.fact for each in rule.conditions if each.fact in self.schema.fields)
        return rule, tuple(sorted({name for name in absent if facts["fields"].get(name) is None}))
