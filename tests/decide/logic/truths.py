"""Which variables of a query are true of a real case, by plain comparison: `clauses` and `theory` must respect them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pysat.solvers import Glucose4
from tests.decide.brute import DAY
from tests.decide.test_check import LISTS

from penjing.decide.condition import Condition, Rule, Test, Then
from penjing.decide.logic.clauses import TRUE, RowVariables, TextProperty
from penjing.decide.logic.rows import CLOCK, DAYS, TableRows
from penjing.decide.schema import FactSchema
from penjing.decide.table import RuleTable


class Query:
    """The variables of one row with these conditions, and the clauses that they added."""

    def __init__(self, made: RuleTable) -> None:
        self.clauses: list[list[int]] = []
        self.rows = TableRows(made)
        self.variables = RowVariables(self.rows, self.clauses.append)
        self.literals = [self.variables.literal(place) for place in range(len(self.rows.tests))]

    def of_the_case(self) -> set[int]:
        """The variables that speak of the case itself."""
        variables = self.variables
        cuts = {variables.cut(fact, cut) for fact, known in variables.cuts.items() for cut in known}
        texts = [each.literals for each in variables.texts.values()]
        named = {each for of in (*variables.names.values(), *texts) for each in of.values()}
        return cuts | named | set(variables.absent.values())

    def true(self, case: Mapping[str, Any]) -> set[int]:
        """The variables that are true of a case; None: the fact is absent. The clock is `CLOCK`."""
        variables, found = self.variables, {TRUE}
        for fact, cuts in variables.cuts.items():
            number = _number(fact, case)
            found |= {variables.cut(fact, cut) for cut in cuts if number is not None and number >= cut}
        for fact, names in variables.names.items():
            given = next(iter(names)) if case[fact] is None else str(case[fact])
            found |= {each for value, each in names.items() if value.casefold() == given.casefold()}
        for fact, texts in variables.texts.items():
            found |= {each for atom, each in texts.literals.items() if of_text(atom, case[fact] or "")}
        return found | {each for fact, each in variables.absent.items() if case[fact] in (None, "")}

    def solved(self, literals: Iterable[int]) -> bool:
        """Whether the clauses have a solution with these literals."""
        with Glucose4(bootstrap_with=self.clauses) as solver:
            return bool(solver.solve(assumptions=list(literals)))

    def solution(self, wanted: Iterable[int]) -> set[int]:
        """The true variables of a solution with these literals, of those that are possible together, first come."""
        with Glucose4(bootstrap_with=self.clauses) as solver:
            for literal in wanted:
                if solver.solve(assumptions=[literal]):
                    solver.add_clause([literal])
            assert solver.solve()
            return {each for each in solver.get_model() if each > 0}

    def forced(self, literal: int, true: set[int]) -> bool:
        """The value that the clauses give to a literal where just these variables are true."""
        known = [each if each in true else -each for each in self.of_the_case()]
        both = self.solved([*known, literal]), self.solved([*known, -literal])
        assert both[0] != both[1], "the case is excluded" if not both[0] else "the literal is open"
        return both[0]


def one_row(schema: FactSchema, tests: Sequence[tuple[str, Test]]) -> RuleTable:
    """A table of one row over other facts than those of `test_check`."""
    rule = Rule("r", 2, tuple(Condition(fact, test, "") for fact, test in tests), Then("review"))
    return RuleTable("r.csv", schema, (rule,))


def holds(clause: Sequence[int], true: set[int]) -> bool:
    """Whether a clause holds where these variables are true, and no others."""
    return any((each > 0) == (abs(each) in true) for each in clause)


def of_text(said: TextProperty, text: str) -> bool:
    """Whether a property is true of a text."""
    kind, what = said
    if kind == "pattern":
        return re.search(what, text) is not None
    return {
        "has": what in text,
        "list": any(word in text for word in LISTS.get(what, ())),
        "start": text.startswith(what),
        "value": text == what,
        "listed": text in LISTS.get(what, ()),
    }[kind]


def _number(fact: str, case: Mapping[str, Any]) -> int | None:
    value = case[fact.removesuffix(DAYS)]
    if value is None or not fact.endswith(DAYS):
        return value
    return int(value // DAY - case[CLOCK] // DAY)
