"""Rows of a table by what is found in its texts: for the words, lists and expressions found, the rows that are left.

A set of rows is one whole number, whose bit i is the i-th row in the order of decision. The tests of a row that need
something to be found are numbered 0, 1, ... within the row. With W(k) the rows that have no test k, and H(k) those
whose test k holds, the rows that are left are (W(0) | H(0)) & (W(1) | H(1)) & ..., less those that refuse something
that was found. Only what was found is looked up, so the time does not depend on the number of rows with other words.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from penjing.decide.condition import Among, Contains, Empty, Matches, Starts

# What can be found: the fact, the test (a key of `Asked` or one of those below), and the word, list or expression.
Atom = tuple[str, str, str]
TextTest = Contains | Starts | Matches | Among | Empty
_EMPTY, _ABSENT, _ALL, _NOTHING = "empty", "absent", "all", "nothing"


def empty(fact: str) -> Atom:
    """The text is empty."""
    return fact, _EMPTY, ""


def absent(fact: str) -> Atom:
    """The field has no value, so that a test of it neither holds nor fails."""
    return fact, _ABSENT, ""


def nothing(fact: str) -> Atom:
    """There is no such piece of the text, so that every test of it fails, the negated ones too."""
    return fact, _NOTHING, ""


@dataclass
class Asked:
    """What the tests ask of one fact: words in it, words at its start, expressions, lists, and whole values."""

    contains: set[str] = field(default_factory=set)
    starts: set[str] = field(default_factory=set)
    matches: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Effect:
    """What follows where something was found.

    gives: by place of a test within its row, the rows whose test holds; refuses: rows that are not left; wholes: tests
    of several words of which this is one, with all of these words.
    """

    gives: tuple[tuple[int, int], ...]
    refuses: int
    wholes: tuple[tuple[frozenset[Atom], Atom], ...]


class AtomRows:
    """The tests of texts and of `str` fields, compiled to sets of rows. asked: what they ask, by fact."""

    def __init__(self, rows: int, tests: Mapping[int, Sequence[tuple[str, TextTest]]]) -> None:
        """rows: of the table; tests: of each row, with the fact of each."""
        self.asked: dict[str, Asked] = {}
        self._all = (1 << rows) - 1
        gives: dict[Atom, dict[int, int]] = defaultdict(lambda: defaultdict(int))
        refuses: dict[Atom, int] = defaultdict(int)
        without: list[int] = []
        for row, each in tests.items():
            place = 0
            for fact, test in each:
                self._ask(fact, test)
                found = _atoms(fact, test)
                if test.negated:
                    for atom in found if isinstance(test, Empty) else (*found, nothing(fact)):
                        refuses[atom] |= 1 << row
                    continue
                if place == len(without):
                    without.append(self._all)
                without[place] ^= 1 << row
                for atom in (*found, absent(fact)):
                    gives[atom][place] |= 1 << row
                place += 1
        self._without = without
        wholes = _triggers({atom for atom in (*gives, *refuses) if atom[1] == _ALL})
        self._effects = {
            atom: _Effect(tuple(gives[atom].items()), refuses[atom], tuple(wholes.get(atom, ())))
            for atom in {*gives, *refuses, *wholes}
        }

    def left(self, found: Collection[Atom]) -> int:
        """The rows whose tests hold, or cannot be decided, where exactly this was found."""
        held, refused = list(self._without), 0
        effects = [effect for atom in found if (effect := self._effects.get(atom)) is not None]
        if any(effect.wholes for effect in effects):
            there = set(found)
            wholes = {whole for effect in effects for parts, whole in effect.wholes if parts <= there}
            effects += [self._effects[whole] for whole in wholes]
        for effect in effects:
            for place, rows in effect.gives:
                held[place] |= rows
            refused |= effect.refuses
        rows = self._all
        for each in held:
            rows &= each
        return rows & ~refused

    def _ask(self, fact: str, test: TextTest) -> None:
        asked = self.asked.setdefault(fact, Asked())
        if isinstance(test, Contains):
            asked.contains.update(test.words)
            asked.lists.update(test.lists)
        elif isinstance(test, Starts):
            asked.starts.update(test.words)
        elif isinstance(test, Matches):
            asked.matches.add(test.pattern)
        elif isinstance(test, Among):
            asked.values.update(test.values)
            asked.members.update(test.lists)


def _atoms(fact: str, test: TextTest) -> list[Atom]:
    """What a test is about: any one of these, found, makes it hold, or fail where it is negated."""
    if isinstance(test, Contains):
        if test.every and len(set(test.words)) > 1:
            return [(fact, _ALL, "\0".join(sorted(set(test.words))))]
        return [(fact, "contains", each) for each in test.words] + [(fact, "lists", each) for each in test.lists]
    if isinstance(test, Starts):
        return [(fact, "starts", each) for each in test.words]
    if isinstance(test, Matches):
        return [(fact, "matches", test.pattern)]
    if isinstance(test, Among):
        return [(fact, "values", each) for each in test.values] + [(fact, "members", each) for each in test.lists]
    return [empty(fact)]


def _triggers(wholes: Collection[Atom]) -> dict[Atom, list[tuple[frozenset[Atom], Atom]]]:
    """Tests of several words, by the word that fewest of them have: only where it is found the others are compared."""
    parts = {
        whole: frozenset((whole[0], "contains", word) for word in whole[2].split("\0")) for whole in sorted(wholes)
    }
    uses = Counter(atom for each in parts.values() for atom in each)
    triggers: dict[Atom, list[tuple[frozenset[Atom], Atom]]] = defaultdict(list)
    for whole, each in parts.items():
        triggers[min(each, key=lambda atom: (uses[atom], -len(atom[2]), atom))].append((each, whole))
    return dict(triggers)
