"""All rows of a table compiled into sets of rows: which row decides is found without looking at each.

Every fact gives the set of rows that it leaves: a number by bisection into the ranges between the bounds of all rows, a
listed value by a table, a text by what one pass found in it (`scan.py`, `atoms.py`). The first row that is in all of
these sets decides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from penjing.data.fold import open_folding
from penjing.decide.atoms import Asked, Atom, AtomRows, TextTest, absent, empty, nothing
from penjing.decide.axes import NumberAxis, ValueAxis
from penjing.decide.clock import DAY, local_span, seconds_of
from penjing.decide.condition import (
    Among,
    Between,
    Contains,
    Empty,
    Is,
    Matches,
    Ranges,
    Rule,
    Starts,
    Within,
    WordList,
)
from penjing.decide.scan import MAX_FOUND, Scanner
from penjing.decide.schema import FactSchema, Kind, scale

TEXT = "text"
_TESTS = ("contains", "starts", "matches", "lists")


@dataclass(frozen=True)
class Match:
    """The row that decides, by its place in the order of decision.

    absent: the facts that it tests and that have no value; where there are any, the row neither holds nor fails.
    """

    place: int
    absent: tuple[str, ...] = ()


class Matcher:
    """Rules in the order of decision, compiled once; safe for several threads."""

    def __init__(self, rules: Sequence[Rule], schema: FactSchema, lists: Mapping[str, WordList]) -> None:
        """Raises ValueError for an expression that RE2 does not take, KeyError for a list that is not given."""
        self._kinds, self._own, self._zone = schema.kinds(), frozenset(schema.own), schema.zone
        self._quoted = schema.quoted
        self._fold = open_folding(schema.folding)
        self._rows = (1 << len(rules)) - 1
        texts: dict[int, list[tuple[str, TextTest]]] = defaultdict(list)
        numbers: dict[str, dict[int, list[Ranges]]] = defaultdict(lambda: defaultdict(list))
        days: dict[str, dict[int, list[Ranges]]] = defaultdict(lambda: defaultdict(list))
        values: dict[str, dict[int, list[tuple[frozenset[object], bool]]]] = defaultdict(lambda: defaultdict(list))
        for place, rule in enumerate(rules):
            for condition in rule.conditions:
                fact, test = condition.fact, condition.test
                if isinstance(test, Between):
                    numbers[fact][place].append(test.ranges)
                elif isinstance(test, Within):
                    days[fact][place].append(test.ranges)
                elif isinstance(test, Is):
                    values[fact][place].append((frozenset((test.value,)), False))
                elif isinstance(test, Among) and self._kinds[fact] != "str":
                    values[fact][place].append((frozenset(test.values), test.negated))
                else:
                    assert isinstance(test, (Contains, Starts, Matches, Among, Empty))
                    texts[place].append((fact, test))
        count = len(rules)
        self._atoms = AtomRows(count, texts)
        self._numbers = {fact: NumberAxis(count, tests) for fact, tests in numbers.items()}
        self._days = {fact: NumberAxis(count, tests) for fact, tests in days.items()}
        self._values = {fact: ValueAxis(count, self._listed(fact, schema), tests) for fact, tests in values.items()}
        self._clock = _standing(rules)
        self._needs = [_needs(rule) for rule in rules]
        self._fields = sorted({each.fact for rule in rules for each in rule.conditions} & schema.fields.keys())
        self._scanner = _scanner(self._atoms.asked.values(), lists)

    def seen(self, masked: str) -> dict[str, Any]:
        """What the rules find in a masked text, as it is recorded: only what is there, sorted.

        contains, starts: words; matches: expressions; lists: by name up to MAX_FOUND of the words; empty: true.
        """
        asked = self._atoms.asked.get(TEXT)
        if asked is None:
            return {}
        folded = self._fold(masked)
        found = self._scanner.found(folded)
        seen: dict[str, Any] = {
            "contains": sorted(found.contains & asked.contains),
            "starts": sorted(found.starts & asked.starts),
            "matches": sorted(asked.matches.intersection(found.matches)),
            "lists": {name: sorted(found.lists[name])[:MAX_FOUND] for name in sorted(found.lists.keys() & asked.lists)},
            "empty": not folded.strip(),
        }
        return {name: what for name, what in seen.items() if what}

    def quoted(self, values: Mapping[str, str | float | None]) -> dict[str, Any]:
        """What the rules ask of words and numbers of pieces, by fact, as it is recorded: no word or number of the text
        but those that the rules name.

        Of words as `seen` has it, with `values`, `members` (word lists that have all of it); of a number the bounds of
        the rules around it, `from` and `below`, in decimals; of a type its name. None where there is no such piece.
        """
        tested = self._atoms.asked.keys() | self._numbers.keys() | self._values.keys()
        asked = [fact for fact in self._quoted if fact in tested]
        return {fact: None if values[fact] is None else self._around(fact, values[fact]) for fact in asked}

    def _around(self, fact: str, value: str | float | None) -> dict[str, Any]:
        if self._kinds[fact] == "str":
            found: dict[str, Any] = defaultdict(list)
            for _, test, each in self._in_field(fact, str(value)):
                found[test].append(each)
            # Of words of lists that are in it the names alone are compared.
            return {test: sorted(each) for test, each in sorted(found.items())}
        if fact in self._values:
            return {"is": value}
        if fact not in self._numbers:
            return {}
        low, high = self._numbers[fact].cell(self._whole(value, self._kinds[fact]))
        bounds = {"from": low, "below": high}
        return {name: _decimal(bound, self._kinds[fact]) for name, bound in bounds.items() if bound is not None}

    def first(self, facts: Mapping[str, Any]) -> Match | None:
        """The first row that is not false for these recorded facts. None: every row is false."""
        rows = self._rows
        if self._clock is not None:
            rows &= self._clock.at(seconds_of(facts["clock"], self._zone))
        missing = {fact for fact in self._fields if _is_blank(facts["fields"][fact])}
        for fact, values in self._values.items():
            if fact in self._quoted:
                rows &= values.untested if facts[fact] is None else values.at(facts[fact]["is"])
            elif fact not in missing:
                rows &= values.at(self._look_up(facts, fact))
        for fact, numbers in self._numbers.items():
            if fact in self._quoted:
                rows &= self._at_quoted(numbers, facts[fact], self._kinds[fact])
            elif fact not in missing:
                rows &= numbers.at(self._whole(self._look_up(facts, fact), self._kinds.get(fact, "unit")))
        for fact, days in self._days.items():
            if fact not in missing:
                today = seconds_of(facts["clock"], self._zone) // DAY
                rows &= days.at(local_span(self._look_up(facts, fact), self._zone)[0] // DAY - today)
        if rows:
            rows &= self._atoms.left(list(self._found(facts, missing)))
        if not rows:
            return None
        place = (rows & -rows).bit_length() - 1
        return Match(place, tuple(sorted(self._needs[place] & missing)))

    def _found(self, facts: Mapping[str, Any], missing: set[str]) -> Iterator[Atom]:
        for fact in missing:
            yield absent(fact)
            yield empty(fact)
        for fact in self._atoms.asked:
            if fact == TEXT:
                seen = facts["text"]
                for test in _TESTS:
                    for each in seen.get(test, ()):
                        yield fact, test, each
                if seen.get("empty"):
                    yield empty(fact)
            elif fact in self._quoted:
                if facts[fact] is None:
                    yield empty(fact)
                    yield nothing(fact)
                elif self._kinds[fact] == "str":
                    yield from ((fact, test, each) for test, found in facts[fact].items() for each in found)
            elif fact not in missing and self._kinds[fact] == "str":
                yield from self._in_field(fact, str(facts["fields"][fact]))

    def _in_field(self, fact: str, value: str) -> Iterator[Atom]:
        folded, asked = self._fold(value), self._atoms.asked[fact]
        if folded in asked.values:
            yield fact, "values", folded
        if asked.members:
            for name in self._scanner.lists_of(folded):
                yield fact, "members", name
        if asked.contains or asked.starts or asked.matches or asked.lists:
            found = self._scanner.found(folded)
            for test in _TESTS:
                for each in getattr(found, test):
                    yield fact, test, each

    def _at_quoted(self, numbers: NumberAxis, recorded: Mapping[str, str] | None, kind: Kind) -> int:
        """The rows that the bounds around a number do not refuse; without a number those that do not test it."""
        if recorded is None:
            return numbers.untested
        if "from" in recorded:
            return numbers.at(int(Decimal(recorded["from"]) * scale(kind)))
        return numbers.at(int(Decimal(recorded["below"]) * scale(kind)) - 1 if "below" in recorded else 0)

    def _look_up(self, facts: Mapping[str, Any], fact: str) -> Any:
        if fact in self._own:
            return facts[fact]
        if fact in facts["fields"]:
            return facts["fields"][fact]
        group, _, name = fact.partition(".")
        return facts["probabilities" if group == "p" else group][name]

    def _whole(self, value: Any, kind: Kind) -> int:
        if kind == "date":
            return local_span(value, self._zone)[0]
        # Through its shortest decimal: a large amount times a million needs more than the 53 bits of a float.
        return int(Decimal(repr(value)) * scale(kind))

    def _listed(self, fact: str, schema: FactSchema) -> tuple[object, ...]:
        return (True, False) if self._kinds[fact] == "bool" else schema.values(fact)


def _scanner(asked: Collection[Asked], lists: Mapping[str, WordList]) -> Scanner:
    used = sorted({name for each in asked for name in each.lists | each.members})
    return Scanner(
        contains={word for each in asked for word in each.contains},
        starts={word for each in asked for word in each.starts},
        matches=sorted({pattern for each in asked for pattern in each.matches}),
        lists={name: lists[name].words for name in used},
    )


def _standing(rules: Sequence[Rule]) -> NumberAxis | None:
    """The rows that stand at each second; None where no row has a date."""
    dated = {
        place: [((rule.valid_from, rule.valid_to),)]
        for place, rule in enumerate(rules)
        if rule.valid_from is not None or rule.valid_to is not None
    }
    return NumberAxis(len(rules), dated) if dated else None


def _decimal(whole: int, kind: Kind) -> str:
    """A number of whole units as exact decimals."""
    written = f"{Decimal(whole) / scale(kind):f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _needs(rule: Rule) -> frozenset[str]:
    return frozenset(each.fact for each in rule.conditions if not isinstance(each.test, Empty))


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
