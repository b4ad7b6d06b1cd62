"""All rows of a table against one case, at once, by arrays: which hold, and which are not false.

The static check asks it of cases that it makes up. Each different condition is decided once, however many rows have it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from penjing.data.fields import FLOAT_LIMIT, INT_LIMIT
from penjing.decide.condition import Among, Between, Contains, Empty, Is, Matches, Ranges, Rule, Test, Within
from penjing.decide.logic.pattern_texts import PatternTexts
from penjing.decide.logic.texts import Bools, MadeText, TextTests
from penjing.decide.logic.words import WordIndex
from penjing.decide.schema import MICRO, Kind, scale
from penjing.decide.table import RuleTable

DAY = 86_400
DAYS = "@days"  # behind the name of a date: the days between, as a number of its own
CLOCK = " clock"  # of the request, in seconds since 1970; no name of a field begins with a space
# The seconds of the years that a date can have, 1 to 9999.
DATES = (-62_135_596_800, 253_402_300_799)
_NUMBERS = ("unit", "count", "int", "float", "date")
_Places = npt.NDArray[np.intp]
_TODAY = 1_767_225_600  # 2026-01-01: the clock, and a date, where nothing is asked of them
_FAR = 2**62
FEW = 8  # words of a condition that are tried alone
_EDGES = 200  # tests of a number whose edges are tried as the value to take where nothing is asked


@dataclass(frozen=True)
class MadeCase:
    """A case that the check made up: a value of every fact that the table tests.

    numbers: in whole units (dates and the clock in seconds); names: values of labels, enumerations and bool
    (`true`, `false`); absent: fields without a value; texts: the text, and fields of type `str`.
    """

    numbers: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    texts: Mapping[str, MadeText] = field(default_factory=dict)


@dataclass(frozen=True)
class Held:
    """The conditions that hold, and those that are not false, (conditions + 1,); and what that means for the rows."""

    conditions: Bools
    _standing: Bools
    _slots: npt.NDArray[np.intp]

    @cached_property
    def true(self) -> Bools:
        """The rows that hold, (rows,)."""
        return _all(self.conditions, self._slots)

    @cached_property
    def standing(self) -> Bools:
        """The rows that are not false, (rows,); the first of them decides."""
        return _all(self._standing, self._slots)


class TableRows:
    """The conditions of a table: `tests` are the different pairs of fact and test, `of` the places of each row's.

    A row's validity is one more condition, on the clock.
    """

    def __init__(self, table: RuleTable) -> None:
        """Raises ValueError for a pattern that RE2 does not take."""
        self.table, self.schema, self.rules = table, table.schema, table.rules
        kinds = table.schema.kinds()
        dates: dict[str, Kind] = {fact + DAYS: "int" for fact, kind in kinds.items() if kind == "date"}
        self.kinds: dict[str, Kind] = {**kinds, **dates, CLOCK: "date"}
        self._places: dict[tuple[str, Test], int] = {}
        self.of = [tuple(dict.fromkeys(self._place(*each) for each in _tests(rule))) for rule in table.rules]
        self.tests = list(self._places)
        text = [test for fact, test in self.tests if self.is_text(fact)]
        self.words = WordIndex(_named(text), {name: each.words for name, each in table.lists.items()})
        patterns = {test.pattern for _, test in self.tests if isinstance(test, Matches)}
        self.patterns = PatternTexts(sorted(patterns)) if patterns else None
        self._groups = self._grouped()
        self._rare: dict[int, dict[int, tuple[str, ...]]] = {}
        width = max(map(len, self.of), default=0)
        self._slots = np.full((max(1, width), len(self.of)), len(self.tests), dtype=np.intp)
        for row, places in enumerate(self.of):
            self._slots[: len(places), row] = places

    @cached_property
    def facts(self) -> tuple[str, ...]:
        """The facts that are tested, in the order of the schema; the clock last."""
        named = {fact for fact, _ in self.tests}
        return tuple(fact for fact in self.kinds if fact in named)

    def may_be_absent(self, fact: str) -> bool:
        """Whether a case can be without the fact: tests of a field are then neither true nor false."""
        return fact.removesuffix(DAYS) in self.schema.fields or self.is_quoted(fact)

    def is_quoted(self, fact: str) -> bool:
        """Whether the fact is about a piece of the text: without one all its tests but `empty` are false."""
        return fact in self.schema.pieces

    def is_text(self, fact: str) -> bool:
        """Whether the fact is a text, or a field of type `str`."""
        return self.kinds[fact] in ("text", "str")

    def is_number(self, fact: str) -> bool:
        """Whether the fact is a number or a date."""
        return self.kinds[fact] in _NUMBERS

    def values(self, fact: str) -> tuple[str, ...]:
        """All values of a label, an enumeration or a bool."""
        return ("true", "false") if self.kinds[fact] == "bool" else self.schema.values(fact)

    def listed(self, fact: str) -> tuple[int, ...]:
        """All values of a number that has few, in whole units, sorted; none for any other number."""
        known = self.schema.bounds.listed.get(fact)
        return tuple(sorted(round(each * scale(self.kinds[fact])) for each in known)) if known else ()

    def limits(self, fact: str) -> tuple[int, int]:
        """The least and the largest value of a number, in whole units."""
        kind = self.kinds[fact]
        if listed := self.listed(fact):
            return listed[0], listed[-1]
        if kind == "unit":
            return 0, MICRO
        if fact.endswith(DAYS):
            return DATES[0] // DAY - DATES[1] // DAY, DATES[1] // DAY - DATES[0] // DAY
        if kind == "date":
            return DATES
        most = int(FLOAT_LIMIT) * MICRO if kind == "float" else INT_LIMIT
        return (0 if kind == "count" else -most), most

    def hints(self) -> dict[str, int | str]:
        """Of each fact a value of which few tests hold, so that a case that is made up meets few rows by chance."""
        found: dict[str, int | str] = {CLOCK: _TODAY}
        for fact in self.facts:
            _, _, decided = self._groups[fact]
            if self.is_number(fact):
                at = [MadeCase({CLOCK: _TODAY, fact: each}) for each in self._edges(fact)]
                found[fact] = min(at, key=lambda case: int(decided(case).sum())).numbers[fact]
            elif not self.is_text(fact):
                named = [MadeCase(names={fact: value}) for value in self.values(fact)]
                found[fact] = min(named, key=lambda case: int(decided(case).sum())).names[fact]
        return found

    def held(self, case: MadeCase) -> Held:
        """The rows that hold of a case, and those that are not false."""
        true = np.ones(len(self.tests) + 1, dtype=np.bool_)
        standing = np.ones(len(self.tests) + 1, dtype=np.bool_)
        for fact, (places, empty, decided) in self._groups.items():
            absent = fact in case.absent
            for each in (true, standing) if len(empty[0]) or len(empty[1]) else ():
                each[empty[0]], each[empty[1]] = absent, not absent
            if absent and self.may_be_absent(fact):
                true[places] = False
                if self.is_quoted(fact):
                    standing[places] = False
            elif len(places):
                true[places] = standing[places] = decided(case)
        return Held(true, standing, self._slots)

    def rare_words(self, row: int) -> Mapping[int, tuple[str, ...]]:
        """Of the conditions of a row with more than `FEW` words of which one is enough: `FEW` that meet few others."""
        if (known := self._rare.get(row)) is None:
            tests = {place: self.tests[place][1] for place in self.of[row]}
            known = self._rare[row] = {
                place: tuple(heapq.nsmallest(FEW, test.words, key=self._uses))
                for place, test in tests.items()
                if isinstance(test, Contains) and not (test.negated or test.every) and len(test.words) > FEW
            }
        return known

    def _uses(self, word: str) -> int:
        """How many conditions a word meets, and lists."""
        inside = self.words.inside(word)
        return sum(self._named_by[each] for each in inside.words) + len(inside.lists)

    @cached_property
    def _named_by(self) -> Counter[str]:
        return Counter(word for _, test in self.tests for word in getattr(test, "words", ()))

    def confirmed(self, case: MadeCase) -> bool:
        """Whether every pattern is found where the case supposes it, and nowhere else."""
        return self.patterns is None or all(
            (pattern in self.patterns.found(written.text(self.words.separator))) == found
            for fact, written in case.texts.items()
            if fact not in case.absent
            for pattern, found in written.supposed.items()
        )

    def looked_up(self, case: MadeCase) -> MadeCase:
        """The same case with nothing supposed."""
        return replace(case, texts={fact: replace(each, supposed={}) for fact, each in case.texts.items()})

    def _edges(self, fact: str) -> list[int]:
        """Some values of a number, at the edges of its tests."""
        low, high = self.limits(fact)
        tests = [test for named, test in self.tests if named == fact and not isinstance(test, Empty)]
        ends = [(one, other) for test in tests[:_EDGES] for one, other in ranges(test)]
        found = {
            0,
            *(one - 1 for one, _ in ends if one is not None),
            *(other + 1 for _, other in ends if other is not None),
        }
        return sorted(min(max(each, low), high) for each in found)

    def _place(self, fact: str, test: Test) -> int:
        return self._places.setdefault((fact, test), len(self._places))

    def _grouped(self) -> dict[str, tuple[_Places, tuple[_Places, _Places], Callable[[MadeCase], Bools]]]:
        """Of each fact the places of its tests, those of `empty` and `not empty`, and a function that decides it."""
        found = {}
        tested: dict[str, list[tuple[int, Test]]] = {}
        for place, (fact, test) in enumerate(self.tests):
            tested.setdefault(fact, []).append((place, test))
        for fact, mine in tested.items():
            empty: tuple[list[int], list[int]] = ([], [])
            for place, test in mine:
                if isinstance(test, Empty):
                    empty[test.negated].append(place)
            rest = [(place, test) for place, test in mine if not isinstance(test, Empty)]
            tests = [test for _, test in rest]
            decided = self._numbers(fact, tests) if self.is_number(fact) else self._others(fact, tests)
            places = np.array([place for place, _ in rest], dtype=np.intp)
            found[fact] = places, (np.array(empty[0], dtype=np.intp), np.array(empty[1], dtype=np.intp)), decided
        return found

    def _others(self, fact: str, tests: Sequence[Test]) -> Callable[[MadeCase], Bools]:
        if self.is_text(fact):
            texts = TextTests(tests, self.words, self.patterns.found if self.patterns else None)
            nothing = MadeText(exact=True)
            return lambda case: texts.held(nothing if fact in case.absent else case.texts[fact])
        known = {
            value: np.array([_holds(test, value) for test in tests], dtype=np.bool_) for value in self.values(fact)
        }
        return lambda case: known[case.names[fact]]

    def _numbers(self, fact: str, tests: Sequence[Test]) -> Callable[[MadeCase], Bools]:
        """Tests of a number: those of a date against the clock are ranges of whole days."""
        spans = [
            (place, bool(isinstance(test, Within)), *each) for place, test in enumerate(tests) for each in ranges(test)
        ]
        relative = np.array([each[1] for each in spans], dtype=np.bool_)
        low = np.array([-_FAR if each[2] is None else each[2] for each in spans], dtype=np.int64)
        high = np.array([_FAR if each[3] is None else each[3] for each in spans], dtype=np.int64)
        owner = np.array([each[0] for each in spans], dtype=np.int64)

        def decide(case: MadeCase) -> Bools:
            value = case.numbers[fact]
            days = value // DAY - case.numbers[CLOCK] // DAY if relative.any() else 0
            number: npt.NDArray[np.int64] = np.where(relative, days, value)
            found = np.zeros(len(tests), dtype=np.bool_)
            found[owner[(low <= number) & (number <= high)]] = True
            return found

        return decide


def _all(conditions: Bools, slots: npt.NDArray[np.intp]) -> Bools:
    """Of each row whether all of its conditions are true. slots: (most conditions of a row, rows)."""
    found: Bools = conditions[slots[0]]
    for slot in slots[1:]:
        found &= conditions[slot]
    return found


def _tests(rule: Rule) -> list[tuple[str, Test]]:
    """The facts and tests of a row, and its validity as a test of the clock."""
    found = [(condition.fact, condition.test) for condition in rule.conditions]
    if rule.valid_from is not None or rule.valid_to is not None:
        found.append((CLOCK, Between(((rule.valid_from, rule.valid_to),))))
    return found


def _named(tests: Sequence[Test]) -> set[str]:
    """The words of cells that may be inside other words."""
    return {word for test in tests for word in (*getattr(test, "words", ()), *(getattr(test, "values", ())))}


def _holds(test: Test, value: str) -> bool:
    """Whether a test of a listed value, or of true and false, holds of this value."""
    if isinstance(test, Among):
        return (value in test.values) != test.negated
    if isinstance(test, Is):
        return value == str(test.value).lower()
    raise TypeError(f"no test of a listed value: {test!r}")


def ranges(test: Test) -> Ranges:
    """The inclusive ranges of a test of a number; of a date against the clock, of days after it."""
    if isinstance(test, (Between, Within)):
        return test.ranges
    raise TypeError(f"no test of a number: {test!r}")
