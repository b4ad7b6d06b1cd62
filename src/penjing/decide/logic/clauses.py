"""Conditions of rules as clauses over yes-or-no variables, for a solver that takes more of them at any time.

A number has one variable for each bound: whether the value is at least that. A listed value has one variable each, a
field one for being absent, a text one for each word, list, start, value and pattern. What else is true of them (a text
with a long word has the shorter ones in it) is added by `penjing.decide.logic.theory` where a solution needs it.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import pairwise

from penjing.decide.condition import Among, Contains, Empty, Is, Matches, Starts, Test, Within
from penjing.decide.logic.rows import DAYS, TableRows, ranges

# What a variable says of a text: ("has" | "list" | "start" | "value" | "listed" | "pattern", what)
TextProperty = tuple[str, str]
TRUE = 1


@dataclass
class TextVariables:
    """The variables of one text by what each says of it. patterns: those of them that are patterns."""

    literals: dict[TextProperty, int] = field(default_factory=dict)
    patterns: list[str] = field(default_factory=list)


class RowVariables:
    """The variables that the conditions of some rows need; `add` takes each clause."""

    def __init__(self, rows: TableRows, add: Callable[[list[int]], None]) -> None:
        self._rows, self._add = rows, add
        self._last = TRUE
        self._of: dict[tuple[str, Test], int] = {}
        self.texts: dict[str, TextVariables] = {}
        self._around: dict[tuple[str, str], list[int]] = {}  # (text, word) -> the longer words that have it in them
        self._said: dict[int, tuple[str, TextProperty]] = {}  # literal -> the text, and what it says of it
        self.names: dict[str, dict[str, int]] = {}
        self.absent: dict[str, int] = {}
        self.cuts: dict[str, list[int]] = {}
        self._cut: dict[tuple[str, int], int] = {}
        add([TRUE])

    def new(self) -> int:
        """A variable that nothing is known of."""
        self._last += 1
        return self._last

    def literal(self, place: int) -> int:
        """The literal of a condition: true exactly where its test holds of a value that is there."""
        return self.of(*self._rows.tests[place])

    def of(self, fact: str, test: Test) -> int:
        """The literal of any test of a fact."""
        if (fact, test) not in self._of:
            self._of[fact, test] = self._literal(fact, test)
        return self._of[fact, test]

    def refused(self, place: int) -> int:
        """A literal from which it follows that a condition is false, not merely unknown."""
        fact, test = self._rows.tests[place]
        literal = self.literal(place)
        if isinstance(test, Empty) or self._rows.is_quoted(fact) or not self._rows.may_be_absent(fact):
            return -literal
        refused = self.new()
        self._add([-refused, -literal])
        self._add([-refused, -self.without(fact)])
        return refused

    def without(self, fact: str) -> int:
        """The literal that a fact is absent."""
        name = fact.removesuffix(DAYS)
        if name not in self.absent:
            literal = self.new()
            bounds = self._rows.schema.bounds
            self.absent |= dict.fromkeys(bounds.chain(name), literal)
            if (count := bounds.pieces.get(name)) is not None:
                some = self.at_least(count, 1)
                self._add([some, literal])
                if not self._rows.is_number(name):  # entities have words and a type, and perhaps no number
                    self._add([-some, -literal])
        return self.absent[name]

    def at_least(self, fact: str, cut: int) -> int:
        """The literal that a number is at least `cut`, in whole units; constant beyond the values that it can have."""
        least, most = self._rows.limits(fact)
        listed = self._rows.listed(fact)
        if listed and least < cut <= most:
            cut = min(value for value in listed if value >= cut)
        if cut <= least:
            return TRUE
        if cut > most:
            return -TRUE
        if (fact, cut) not in self._cut:
            group = self._rows.schema.bounds.chain(fact)
            for each in group:
                self._enter(each, cut)
            for lower, higher in pairwise(group):
                self._add([-self._cut[lower, cut], self._cut[higher, cut]])
        return self._cut[fact, cut]

    def cut(self, fact: str, cut: int) -> int:
        """The literal of a bound that is there."""
        return self._cut[fact, cut]

    def of_text(self, fact: str, kind: str, what: str) -> int:
        """The literal of one property of a text."""
        variables = self.texts.setdefault(fact, TextVariables())
        said = (kind, what)
        if (literal := variables.literals.get(said)) is None:
            literal = variables.literals[said] = self.new()
            self._said[literal] = fact, said
            if kind == "pattern":
                variables.patterns.append(what)
            elif kind == "has":
                self._nest(fact, what, literal)
        return literal

    def _nest(self, fact: str, word: str, literal: int) -> None:
        """Clauses that a text with a word has the words inside it, for those that have variables.

        Without them each solution would bring a few of these clauses, and thousands of words thousands of solutions.
        """
        literals = self.texts[fact].literals
        for longer in self._around.get((fact, word), ()):
            self._add([-longer, literal])
        for shorter in self._rows.words.nested(word):
            self._around.setdefault((fact, shorter), []).append(literal)
            if (known := literals.get(("has", shorter))) is not None:
                self._add([-literal, known])

    def said(self, model: Iterable[int]) -> dict[str, set[TextProperty]]:
        """Of each text what is true of it in a solution. model: the true variables."""
        found: dict[str, set[TextProperty]] = {fact: set() for fact in self.texts}
        for fact, said in filter(None, map(self._said.get, model)):
            found[fact].add(said)
        return found

    def _enter(self, fact: str, cut: int) -> None:
        if (fact, cut) in self._cut:
            return
        self._cut[fact, cut] = mine = self.new()
        cuts = self.cuts.setdefault(fact, [])
        place = bisect_left(cuts, cut)
        if place:
            self._add([-mine, self._cut[fact, cuts[place - 1]]])
        if place < len(cuts):
            self._add([-self._cut[fact, cuts[place]], mine])
        insort(cuts, cut)

    def _literal(self, fact: str, test: Test) -> int:
        if isinstance(test, Empty):
            absent = self.without(fact) if self._rows.may_be_absent(fact) or self._rows.is_text(fact) else -TRUE
            return -absent if test.negated else absent
        literal = self._of_value(fact, test)
        # Of a piece that is not there every test is false.
        return -self.any_of([-literal, self.without(fact)]) if self._rows.is_quoted(fact) else literal

    def _of_value(self, fact: str, test: Test) -> int:
        if self._rows.is_text(fact):
            literal = self._text(fact, test)
            return -literal if getattr(test, "negated", False) else literal
        if self._rows.is_number(fact):
            named = fact + DAYS if isinstance(test, Within) else fact
            return self.any_of([self._between(named, *each) for each in ranges(test)])
        return self._named(fact, test)

    def _between(self, fact: str, low: int | None, high: int | None) -> int:
        above = TRUE if low is None else self.at_least(fact, low)
        below = TRUE if high is None else -self.at_least(fact, high + 1)
        return -self.any_of([-above, -below])

    def _named(self, fact: str, test: Test) -> int:
        if fact not in self.names:
            values = self._rows.values(fact)
            self.names[fact] = {value: self.new() for value in values}
            self._add(list(self.names[fact].values()))
        known = self.names[fact]
        if isinstance(test, Is):
            return known[str(test.value).lower()]
        assert isinstance(test, Among)
        found = self.any_of([known[value] for value in test.values if value in known])
        return -found if test.negated else found

    def _text(self, fact: str, test: Test) -> int:
        if isinstance(test, Contains):
            words = [self.of_text(fact, "has", word) for word in test.words]
            if test.every:
                return -self.any_of([-word for word in words])
            return self.any_of([*words, *(self.of_text(fact, "list", name) for name in test.lists)])
        if isinstance(test, Starts):
            return self.any_of([self.of_text(fact, "start", word) for word in test.words])
        if isinstance(test, Matches):
            return self.of_text(fact, "pattern", test.pattern)
        assert isinstance(test, Among)
        values = [self.of_text(fact, "value", value) for value in test.values]
        return self.any_of([*values, *(self.of_text(fact, "listed", name) for name in test.lists)])

    def any_of(self, literals: list[int]) -> int:
        """A literal that is true exactly where one of these is."""
        rest = [each for each in dict.fromkeys(literals) if each != -TRUE]
        if TRUE in rest or any(-each in rest for each in rest):
            return TRUE
        if len(rest) < 2:
            return rest[0] if rest else -TRUE
        found = self.new()
        self._add([-found, *rest])
        for each in rest:
            self._add([found, -each])
        return found
