"""From one case that no row decides to the largest box of such cases: of each fact all values that change nothing.

A row is kept out of a box by a fact where the row's test holds of no value of the box. A fact is widened to all values
but those of the rows that nothing else keeps out. Every case of the box is then one that no row decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from penjing.decide.condition import Among, Between, Contains, Empty, Is, Matches, Starts, Test, Within
from penjing.decide.logic.rows import CLOCK, DAY, DAYS, MadeCase, TableRows, ranges
from penjing.decide.logic.spans import Spans, bounded, common, joined, without

Values = Spans | frozenset[str]
_NEVER = Starts(())
TextTest = Contains | Starts | Matches | Among


@dataclass(frozen=True)
class Side:
    """The part of one fact in a box, or in a row: values of a number or a listed fact; of a text the tests that fail.

    present, absent: whether cases with a text, and cases without a value, are in it.
    """

    values: Values = ()
    failing: frozenset[TextTest] = frozenset()
    present: bool = True
    absent: bool = False


Box = Mapping[str, Side]


class Boxes:
    """The rows of a table as one `Side` a fact: what a row does not refuse."""

    def __init__(self, rows: TableRows) -> None:
        self._rows = rows
        self._sides = [self._row(places) for places in rows.of]
        named = {fact for sides in self._sides for fact in sides}
        texts = [fact for fact in rows.facts if rows.is_text(fact)]
        # The facts that are widened first are left out of the description where that can be. The text is the last one:
        # where it has none of the words, it keeps out the most rows.
        others = [fact for fact in rows.kinds if fact in named and fact not in texts]
        self._order = sorted([*texts, *reversed(others)], key=lambda fact: fact == "text")

    @property
    def facts(self) -> list[str]:
        """The numbers and listed facts that rows test, among them the days between a date and the clock."""
        return [fact for fact in self._order if not self._rows.is_text(fact)]

    def column(self, fact: str) -> list[Side | None]:
        """Of each row what it does not refuse of a fact; None for everything."""
        return [sides.get(fact) for sides in self._sides]

    def full(self, fact: str) -> Side:
        """All values of a fact."""
        absent = self._rows.may_be_absent(fact)
        if self._rows.is_text(fact):
            return Side(absent=absent)
        if self._rows.is_number(fact):
            return Side(bounded(((None, None),), self._rows.limits(fact)), absent=absent)
        return Side(frozenset(self._rows.values(fact)), absent=absent)

    def around(self, case: MadeCase) -> Box:
        """A box around a case that no row decides, as wide as can be; facts that may be anything are left out."""
        box = {fact: self._at(fact, case) for fact in self._order}
        keeps = [{fact for fact, side in sides.items() if self._keeps(fact, box[fact], side)} for sides in self._sides]
        for fact in self._order if all(keeps) else ():
            alone = [row for row, facts in enumerate(keeps) if facts == {fact}]
            box[fact] = self._widened(fact, box[fact], [self._sides[row][fact] for row in alone])
            for row, sides in enumerate(self._sides):
                if fact in keeps[row] and not self._keeps(fact, box[fact], sides[fact]):
                    keeps[row].discard(fact)
        return {fact: side for fact, side in box.items() if side != self.full(fact)}

    def tests(self, box: Box) -> dict[str, tuple[tuple[Test, ...], bool]]:
        """A box as tests of each fact, for the solver."""
        found: dict[str, tuple[tuple[Test, ...], bool]] = {}
        for fact, side in box.items():
            tests: tuple[Test, ...]
            if self._rows.is_text(fact):
                # In one order: a set of texts has another order in every process, and so had what the search finds.
                failing = tuple(replace(test, negated=not test.negated) for test in sorted(side.failing, key=repr))
                tests = (*failing, Starts((), negated=True)) if side.present else (_NEVER,)
            elif self._rows.kinds[fact] == "bool":
                tests = tuple(Is(value="true" in side.values) for _ in side.values) or (Empty(),)
                tests = (Empty(negated=True),) if len(tests) > 1 else tests
            elif isinstance(side.values, frozenset):
                tests = (Among(tuple(sorted(side.values))),)
            else:
                tests = (Between(side.values),)
            found[fact] = tests, side.absent
        return found

    def _row(self, places: Sequence[int]) -> dict[str, Side]:
        tests: dict[str, list[Test]] = {}
        for place in places:
            fact, test = self._rows.tests[place]
            tests.setdefault(fact + DAYS if isinstance(test, Within) else fact, []).append(test)
        return {fact: self._side(fact, each) for fact, each in tests.items()}

    def _side(self, fact: str, tests: Sequence[Test]) -> Side:
        side = self.full(fact)
        for test in tests:
            if isinstance(test, Empty):
                nothing = replace(side, values=type(side.values)(), present=False)
                side = replace(side, absent=False) if test.negated else nothing
                continue
            if self._rows.is_quoted(fact):
                side = replace(side, absent=False)
            if isinstance(test, (Between, Within)):
                spans = bounded(ranges(test), self._rows.limits(fact))
                side = replace(side, values=common(spans_of(side.values), spans))
            elif self._rows.is_text(fact):
                assert isinstance(test, (Contains, Starts, Matches, Among))
                side = replace(side, failing=side.failing | {test})
            else:
                side = replace(side, values=_names(side.values) & self._allowed(fact, test))
        return side

    def _allowed(self, fact: str, test: Test) -> frozenset[str]:
        values = frozenset(self._rows.values(fact))
        if isinstance(test, Is):
            return values & {str(test.value).lower()}
        assert isinstance(test, Among)
        return values - set(test.values) if test.negated else values & set(test.values)

    def _at(self, fact: str, case: MadeCase) -> Side:
        absent = fact.removesuffix(DAYS) in case.absent and self._rows.may_be_absent(fact)
        if self._rows.is_text(fact):
            failing = frozenset() if absent else self._failing(fact, case)
            return Side(failing=failing, present=not absent, absent=absent)
        if absent:
            return replace(self.full(fact), values=type(self.full(fact).values)(), absent=True)
        if fact.endswith(DAYS):
            days = case.numbers[fact.removesuffix(DAYS)] // DAY - case.numbers[CLOCK] // DAY
            return Side(((days, days),))
        if self._rows.is_number(fact):
            return Side(((case.numbers[fact], case.numbers[fact]),))
        return Side(frozenset((case.names[fact],)))

    def _failing(self, fact: str, case: MadeCase) -> frozenset[TextTest]:
        held = self._rows.held(case).conditions
        return frozenset(
            test
            for place, (named, test) in enumerate(self._rows.tests)
            if named == fact and isinstance(test, (Contains, Starts, Matches, Among)) and not held[place]
        )

    def _keeps(self, fact: str, box: Side, row: Side) -> bool:
        """Whether a row is false in all cases of the box, for this fact alone."""
        if box.absent and row.absent:
            return False
        if self._rows.is_text(fact):
            return not (box.present and row.present) or bool(box.failing & row.failing)
        if isinstance(box.values, frozenset):
            return not (box.values & _names(row.values))
        return not common(box.values, spans_of(row.values))

    def _widened(self, fact: str, box: Side, rows: Sequence[Side]) -> Side:
        """All values but those of these rows."""
        full = self.full(fact)
        absent = full.absent and not any(row.absent for row in rows)
        if self._rows.is_text(fact):
            kept: set[TextTest] = set()
            for row in rows if box.present else ():
                if row.present and not kept & row.failing:
                    kept.add(min(box.failing & row.failing, key=repr))
            if fact == "text" and kept and not any(test.negated for test in kept):
                kept = {test for test in box.failing if not test.negated}
            return Side(failing=frozenset(kept), present=box.present or not rows, absent=absent)
        if isinstance(full.values, frozenset):
            return Side(full.values.difference(*(_names(row.values) for row in rows)), absent=absent)
        taken = joined(span for row in rows for span in spans_of(row.values))
        return Side(without(spans_of(full.values), taken), absent=absent)


def spans_of(values: Values) -> Spans:
    """The values of a number."""
    assert not isinstance(values, frozenset)
    return values


def _names(values: Values) -> frozenset[str]:
    assert isinstance(values, frozenset)
    return values
