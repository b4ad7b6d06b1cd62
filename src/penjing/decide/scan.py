"""What the rules can find in a text, in one pass: words, words of lists, beginnings, expressions.

All words of a table, those of its lists included, are in one Aho–Corasick automaton (Aho and Corasick, "Efficient
string matching: an aid to bibliographic search", 1975), so that the time does not depend on their number. It gives
every word at every place, also those within others, so the time depends on how deep words lie within words. Of a list
only the first `MAX_FOUND` words of a text, in the order of their characters, are recorded. A word that begins with so
many other words of its list is never among these, and is not searched: so at each place of a text at most `MAX_FOUND`
words of a list begin, whatever the list is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from operator import itemgetter

from penjing.decide.patterns import Patterns

# Words of a list that are recorded as found; one is enough for a decision, the others are for the reader.
MAX_FOUND = 20
_number = itemgetter(1)  # of a word that was found, behind the place where it ends


@dataclass(frozen=True)
class TextFindings:
    """What a text has: words in it, words at its start, expressions, and by list the words of it.

    lists: of each list at least the first MAX_FOUND words of the text.
    """

    contains: AbstractSet[str] = frozenset()
    starts: AbstractSet[str] = frozenset()
    matches: tuple[str, ...] = ()
    lists: Mapping[str, AbstractSet[str]] = field(default_factory=dict)


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
        self._starts = frozenset(starts)
        self._lengths = sorted({len(word) for word in self._starts})
        within, members = dict.fromkeys(contains), _members(lists or {})
        searched = {word for words in (lists or {}).values() for word in _searched(words)}
        # The number of a word is its place here: those that are asked for by themselves come first.
        self._within = len(within)
        self._words: Sequence[str] = [*within, *(word for word in searched if word not in within)]
        self._names = [members.get(word, ()) for word in self._words]
        self._others = {word: names for word, names in members.items() if word not in searched}
        self._automaton = _Automaton(self._words) if self._words else None

    def found(self, folded: str) -> TextFindings:
        """What is in a folded text."""
        contains: set[str] = set()
        lists: dict[str, set[str]] = {}
        for number in set(map(_number, self._automaton.places(folded))) if self._automaton else ():
            word = self._words[number]
            if number < self._within:
                contains.add(word)
            for name in self._names[number]:
                if name in lists:
                    lists[name].add(word)
                else:
                    lists[name] = {word}
        starts = {start for length in self._lengths if (start := folded[:length]) in self._starts}
        return TextFindings(contains, starts, tuple(self._patterns.found(folded)), lists)

    def lists_of(self, folded: str) -> tuple[str, ...]:
        """The lists of which the whole folded text is a word."""
        if folded in self._others:
            return self._others[folded]
        number = self._automaton.number(folded) if self._automaton else None
        return () if number is None else self._names[number]


def _members(lists: Mapping[str, Collection[str]]) -> dict[str, tuple[str, ...]]:
    """The lists of each word."""
    members: dict[str, tuple[str, ...]] = {}
    for name, words in lists.items():
        alone = (name,)
        for word in words:
            members[word] = (*members[word], name) if word in members else alone
    return members


def _searched(words: Collection[str]) -> Iterator[str]:
    """The words of a list that can be among its first MAX_FOUND words in a text: with fewer others at their start."""
    known = frozenset(words)
    for word in words:
        if len(word) <= MAX_FOUND or sum(word[:end] in known for end in range(1, len(word))) < MAX_FOUND:
            yield word


class _Automaton:
    """All words, each with its place in their order.

    The library compares a character that continues no word with the first characters of all words, of which there may
    be thousands, in the order in which they were added. So a character that is in no word is replaced by one that was
    added first, and the other first characters are added by how often they are in words.
    """

    def __init__(self, words: Sequence[str]) -> None:
        import ahocorasick

        usual = Counter("".join(words))
        spare = [character for character in map(chr, range(len(usual) + 2)) if character not in usual]
        self._instead = spare[0]
        self._unknown = re.compile(f"[^{''.join(map(re.escape, sorted(usual)))}]")
        self._words = ahocorasick.Automaton(ahocorasick.STORE_INTS)
        self._words.add_word(spare[0] + spare[1], len(words))  # never found: the second character is always replaced
        for number in sorted(range(len(words)), key=lambda number: -usual[words[number][0]]):
            self._words.add_word(words[number], number)
        self._words.make_automaton()

    def places(self, folded: str) -> Iterator[tuple[int, int]]:
        """Every place of every word in a text: where it ends, and its number."""
        found: Iterator[tuple[int, int]] = self._words.iter(self._unknown.sub(self._instead, folded))
        return found

    def number(self, word: str) -> int | None:
        """The number of a word."""
        found: int | None = self._words.get(word, None)
        return found
