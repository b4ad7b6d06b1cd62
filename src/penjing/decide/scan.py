"""What the rules can find in a text, in one pass: words, words of lists, beginnings, expressions.

All words of a table, those of its lists included, are in one Aho–Corasick automaton (Aho and Corasick, "Efficient
string matching: an aid to bibliographic search", 1975), so that the time does not depend on their number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from penjing.decide.patterns import Patterns


@dataclass(frozen=True)
class TextFindings:
    """What a text has: words in it, words at its start, expressions, and by list the words of it."""

    contains: AbstractSet[str] = frozenset()
    starts: AbstractSet[str] = frozenset()
    matches: tuple[str, ...] = ()
    lists: Mapping[str, AbstractSet[str]] = field(default_factory=dict)


# What the automaton gives for a word: its length, and whether it is asked for within a text, at its start, in lists.
_Uses = tuple[int, bool, bool, tuple[str, ...]]


class Scanner:
    """The words and expressions of a table, compiled once; safe for several threads.

    contains, starts: folded words; matches: expressions; lists: the folded words of each list.
    """

    def __init__(
        self,
        contains: Collection[str] = (),
        starts: Collection[str] = (),
        matches: Iterable[str] = (),
        lists: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        self._patterns = Patterns(list(dict.fromkeys(matches)))
        self._automaton = _automaton(frozenset(contains), frozenset(starts), lists or {})

    def found(self, folded: str) -> TextFindings:
        """What is in a folded text."""
        contains: set[str] = set()
        starts: set[str] = set()
        lists: dict[str, set[str]] = {}
        for end, (length, within, first, names) in self._automaton.iter(folded) if self._automaton else ():
            word = folded[end + 1 - length : end + 1]
            for name in names:
                if name in lists:
                    lists[name].add(word)
                else:
                    lists[name] = {word}
            if within:
                contains.add(word)
            if first and end + 1 == length:
                starts.add(word)
        return TextFindings(contains, starts, tuple(self._patterns.found(folded)), lists)

    def lists_of(self, folded: str) -> tuple[str, ...]:
        """The lists of which the whole folded text is a word."""
        uses: _Uses | None = self._automaton.get(folded, None) if self._automaton else None
        return () if uses is None else uses[-1]


def _automaton(contains: frozenset[str], starts: frozenset[str], lists: Mapping[str, Collection[str]]) -> Any:
    """The automaton of all words, with the uses of each; None if there is no word."""
    members: dict[str, tuple[str, ...]] = {}
    for name, words in lists.items():
        for word in words:
            members[word] = (*members.get(word, ()), name)
    if not (contains or starts or members):
        return None
    import ahocorasick

    automaton = ahocorasick.Automaton()
    shared: dict[_Uses, _Uses] = {}
    for word in members.keys() | contains | starts:
        uses = (len(word), word in contains, word in starts, members.get(word, ()))
        automaton.add_word(word, shared.setdefault(uses, uses))
    automaton.make_automaton()
    return automaton
