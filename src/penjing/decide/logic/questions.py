"""Is there a case in which these rows hold and no row before them decides? Exact, or no answer after a bounded search.

A solver of satisfiability (Glucose 4, Audemard and Simon, 2009) proposes which conditions hold, `theory` turns that
into a case or refuses it with a clause, and `rows` decides every row of the table on the case. Only the rows that turn
up are given to the solver: those that hold, and those that took a case before. So a question about two rows of
thousands stays as small as these two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pysat.solvers import Glucose4

from penjing.decide.condition import Empty, Test
from penjing.decide.logic.clauses import TRUE, RowVariables
from penjing.decide.logic.rows import Held, MadeCase, TableRows
from penjing.decide.logic.theory import Theory

CONFLICTS = 20_000  # of one solution; beyond it the question is left undecided
ROUNDS = 2_000  # cases and refused solutions of one question
FEW_ROUNDS = 30  # the same, where a few words of each cell are tried alone
WORK = 400_000  # the same, of one table
_AT_ONCE = 3  # rows that are excluded after one case
_NAMED = 60  # rows that take every case together: so many are tried, whether fewer suffice
_SUPPOSED = 8  # cases in which patterns turn out otherwise than supposed


@dataclass(frozen=True)
class Witness:
    """A case. sure: False where it supposes of a pattern what no text was found for."""

    case: MadeCase
    sure: bool = True


@dataclass(frozen=True)
class Taken:
    """There is no case: these rows, by their places, take all there are (none of them: not even without them)."""

    by: tuple[int, ...] = ()


@dataclass(frozen=True)
class Undecided:
    """The search was ended before it had an answer."""


Answer = Witness | Taken | Undecided
# A set of cases: of each fact a test, and whether the cases without the fact are in it. A text has several tests.
BoxTests = Mapping[str, tuple[tuple[Test, ...], bool]]


class Logic:
    """Questions about the rows of a table, by their places. work: how much of the bound is left."""

    def __init__(self, rows: TableRows, work: int = WORK) -> None:
        self.rows, self.work = rows, work
        self.hints: Mapping[str, int | str] = rows.hints()

    def holding(self, *rows: int, before: int = 0, but: int | None = None) -> Answer:
        """A case in which these rows hold, no row before the place `before` stands, and the row `but` does not hold."""

        def accepted(held: Held) -> bool | np.bool_:
            return held.true[list(rows)].all() and (but is None or not held.true[but])

        # A case with one of a few words of each cell is nearly always there, and is found without the other words.
        for few in (True, False) if any(map(self.rows.rare_words, rows)) else (False,):
            query = Query(self)
            for row in rows:
                query.hold(row, few=few)
            if but is not None:
                query.fail(but)
            answer = query.first(before, accepted, FEW_ROUNDS if few else None)
            if isinstance(answer, Witness) and answer.sure:
                break
        return answer

    def standing(self, row: int, *, before: int = 0, but: int | None = None) -> Answer:
        """A case in which a row is not false, also for want of a field, none before stands, and `but` is false."""
        query = Query(self)
        query.stand(row)
        if but is not None:
            query.exclude(but, always=True)
        return query.first(before, lambda held: held.standing[row] and (but is None or not held.standing[but]))

    def open(self, known: Iterable[BoxTests] = ()) -> Answer:
        """A case that no row decides, outside of boxes that are known."""
        query = Query(self)
        for box in known:
            query.leave(box)
        return query.first(len(self.rows.of), lambda _: True)


class Query:
    """One question: a solver with the conditions of a few rows."""

    def __init__(self, logic: Logic) -> None:
        self._logic, self._rows = logic, logic.rows
        self._solver = Glucose4()
        self._variables = RowVariables(self._rows, self._solver.add_clause)
        self._theory = Theory(self._rows, self._variables, logic.hints)
        self._excluded: dict[int, int] = {}  # row -> the literal that it is false

    def __del__(self) -> None:
        self._solver.delete()

    def hold(self, row: int, *, few: bool = False) -> None:
        """The row holds. few: by one of the few words that each `contains` has in `rare_words`."""
        rare = self._rows.rare_words(row) if few else {}
        for place in self._rows.of[row]:
            fact, words = self._rows.tests[place][0], rare.get(place)
            if words is None:
                self._solver.add_clause([self._variables.literal(place)])
            else:
                self._solver.add_clause([self._variables.of_text(fact, "has", word) for word in words])
            if self._needs_value(place):
                self._solver.add_clause([-self._absent(place)])

    def stand(self, row: int) -> None:
        """The row is not false: each condition holds, or its fact is absent."""
        for place in self._rows.of[row]:
            unknown = self._needs_value(place) and not self._rows.is_quoted(self._rows.tests[place][0])
            self._solver.add_clause([self._variables.literal(place), *([self._absent(place)] if unknown else [])])

    def fail(self, row: int) -> None:
        """The row does not hold: a condition is false, or its fact is absent."""
        places = self._rows.of[row]
        absent = [self._absent(place) for place in places if self._needs_value(place)]
        self._solver.add_clause([*(-self._variables.literal(place) for place in places), *absent] or [-TRUE])

    def exclude(self, row: int, *, always: bool = False) -> None:
        """The row is false. always: also where the question is which rows take every case."""
        clause = [self._variables.refused(place) for place in self._rows.of[row]]
        if always:
            self._solver.add_clause(clause or [-TRUE])
        else:
            self._excluded[row] = self._variables.new()
            self._solver.add_clause([-self._excluded[row], *clause])

    def leave(self, box: BoxTests) -> None:
        """The case is outside of a box."""
        clause = []
        for fact, (tests, absent) in box.items():
            for test in tests:
                literal = -self._variables.of(fact, test)
                if self._rows.may_be_absent(fact):
                    literal = self._both(literal, -self._variables.without(fact))
                    literal = literal if absent else self._variables.any_of([literal, self._variables.without(fact)])
                clause.append(literal)
        self._solver.add_clause(clause or [-TRUE])

    def first(self, before: int, accepted: Callable[[Held], bool | np.bool_], rounds: int | None = None) -> Answer:
        """A case in which no row before a place stands. accepted: whether what is asked for is so in a case."""
        unsure: MadeCase | None = None
        supposed = 0
        for _ in range(ROUNDS if rounds is None else rounds):
            case = self._solve(list(self._excluded.values()))
            if not isinstance(case, MadeCase):
                return Witness(unsure, sure=False) if unsure else Undecided() if case is None else self._taken(case)
            held = self._rows.held(case)
            taking = np.flatnonzero(held.standing[:before]).tolist()
            # A row of few conditions leaves the least to others.
            for row in sorted(taking, key=lambda row: len(self._rows.of[row]))[:_AT_ONCE]:
                self.exclude(row)
            if taking:
                continue
            if self._rows.confirmed(case):
                return Witness(case)
            real = self._rows.looked_up(case)
            held = self._rows.held(real)
            if accepted(held) and not held.standing[:before].any():
                return Witness(real)
            unsure, supposed = unsure or case, supposed + 1
            if supposed > _SUPPOSED:
                return Witness(unsure, sure=False)
            self._solver.add_clause(self._suppose_otherwise(case))
        return Witness(unsure, sure=False) if unsure else Undecided()

    def _solve(self, literals: Sequence[int]) -> MadeCase | frozenset[int] | None:
        """A case, or the literals that leave none, or None where the search was ended."""
        while self._logic.work > 0:
            self._logic.work -= 1
            self._solver.conf_budget(CONFLICTS)
            solved = self._solver.solve_limited(assumptions=literals)
            if solved is None:
                return None
            if not solved:
                return frozenset(self._solver.get_core() or ())
            found = self._theory.solve({each for each in self._solver.get_model() if each > 0})
            if isinstance(found, MadeCase):
                return found
            for clause in found:
                self._solver.add_clause(clause)
        return None

    def _taken(self, core: frozenset[int]) -> Answer:
        """The rows of the core, without those that are not needed; the first ones are kept."""
        needed = [row for row, literal in self._excluded.items() if literal in core]
        needed.sort()
        for row in reversed(needed[-_NAMED:]):
            fewer = [self._excluded[each] for each in needed if each != row]
            if isinstance(self._solve(fewer), frozenset):
                needed.remove(row)
        return Taken(tuple(needed))

    def _suppose_otherwise(self, case: MadeCase) -> list[int]:
        """A clause that some pattern is found where it was supposed not to be, or the other way round."""
        return [
            -literal if found else literal
            for fact, written in case.texts.items()
            for pattern, found in written.supposed.items()
            for literal in [self._variables.of_text(fact, "pattern", pattern)]
        ]

    def _needs_value(self, place: int) -> bool:
        fact, test = self._rows.tests[place]
        return not isinstance(test, Empty) and self._rows.may_be_absent(fact)

    def _absent(self, place: int) -> int:
        return self._variables.without(self._rows.tests[place][0])

    def _both(self, one: int, other: int) -> int:
        return -self._variables.any_of([-one, -other])
