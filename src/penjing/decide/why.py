"""Why a row decides a case, and why each row above it does not: every condition asked of the engine alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from penjing.decide.condition import Condition, Rule
from penjing.decide.match import Matcher
from penjing.decide.rule_cases import RuleCase, Ruled, RuleRunner

TruthValue = Literal["true", "false", "unknown"]


@dataclass(frozen=True)
class RowAnswer:
    """One row of a table for a case: whether it stands at the clock, and the answer of each condition."""

    rule: Rule
    stands: bool
    answers: tuple[tuple[Condition, TruthValue], ...]

    @property
    def false(self) -> tuple[Condition, ...]:
        """The conditions that do not hold."""
        return tuple(condition for condition, answer in self.answers if answer == "false")


class Why:
    """Asks one condition after another, by the same engine that decides."""

    def __init__(self, runner: RuleRunner) -> None:
        self.runner = runner
        self._asked: dict[tuple[str, Any], Matcher] = {}

    def rows(self, case: RuleCase, ruled: Ruled) -> Iterator[RowAnswer]:
        """The rows in order of decision, to the one that decides."""
        for rule in self.runner.table.rules:
            yield self.row(rule, case)
            if ruled.rule is not None and rule.row == ruled.rule.row:
                return

    def row(self, rule: Rule, case: RuleCase) -> RowAnswer:
        """One row for a case."""
        answers = tuple((each, self._answer(each, case.facts)) for each in rule.conditions)
        dated = rule.valid_from is not None or rule.valid_to is not None
        stands = not dated or self._matcher(replace(rule, conditions=())).first(case.facts) is not None
        return RowAnswer(rule, stands, answers)

    def _answer(self, condition: Condition, facts: Mapping[str, Any]) -> TruthValue:
        key = (condition.fact, condition.test)
        if key not in self._asked:
            rule = Rule("", 0, (condition,), self.runner.table.rules[0].then)
            self._asked[key] = self._matcher(rule)
        found = self._asked[key].first(facts)
        return "false" if found is None else "unknown" if found.absent else "true"

    def _matcher(self, rule: Rule) -> Matcher:
        return Matcher((rule,), self.runner.table.schema, self.runner.table.lists)


def shown(fact: str, facts: Mapping[str, Any]) -> str:
    """The value of a fact in a case, in words; of a text, what the rules find in it."""
    if fact == "text":
        seen = facts["text"]
        words = [*seen.get("contains", ()), *seen.get("matches", ())]
        words += [word for found in seen.get("lists", {}).values() for word in found]
        return ", ".join(dict.fromkeys(words))
    if fact in facts["fields"]:
        value = facts["fields"][fact]
    elif fact in facts:
        value = facts[fact]
    else:
        group, _, name = fact.partition(".")
        value = facts["probabilities" if group == "p" else group].get(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):  # of a piece of the text what the rules ask of it (`Matcher.quoted`)
        signs = {"from": ">=", "below": "<", "is": ""}
        words = [f"{signs[test]}{each}" if test in signs else ", ".join(each) for test, each in value.items()]
        return ", ".join(dict.fromkeys(words))
    return "" if value is None else str(value)
