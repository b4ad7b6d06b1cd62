"""Which words and word lists of a rules file are inside a piece of text: by looking up every part of it.

The check of rules asks this of words, which are short: all parts of a word of n characters are looked up in one table
of all words. Lists of a million words cost one entry each, and no automaton.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

# A sign that no rule writes, to keep two words of a text apart. The CJK letters of extension B are rare, stay what they
# are under every folding, and are no separators between digits for the masking.
_SEPARATORS = range(0x20000, 0x2A6D6)


@dataclass(frozen=True)
class Inside:
    """What a piece of text has in it: named words, and lists of which a word is in it."""

    words: frozenset[str]
    lists: frozenset[str]


class WordIndex:
    """The named words of a table and its word lists."""

    def __init__(self, named: Iterable[str], lists: Mapping[str, tuple[str, ...]]) -> None:
        """named: words of cells; lists: the words of each list. All of them folded."""
        self.named = frozenset(named)
        self.lists = lists
        self._lists: dict[str, tuple[str, ...]] = {}
        for name, words in lists.items():
            mine = (name,)
            for word in words:
                known = self._lists.get(word)
                self._lists[word] = mine if known is None else known + mine
        self._lengths = sorted({*map(len, self.named), *map(len, self._lists)})
        self._inside: dict[str, Inside] = {}
        self._nested: dict[str, tuple[str, ...]] = {}

    def with_word(self, word: str) -> tuple[str, ...]:
        """The lists that have this very word."""
        return self._lists.get(word, ())

    def inside(self, piece: str) -> Inside:
        """All named words in a piece of text, itself among them, and all lists of which a word is in it."""
        if (known := self._inside.get(piece)) is not None:
            return known
        words: set[str] = set()
        lists: set[str] = set()
        for length in self._lengths:
            if length > len(piece):
                break
            for start in range(len(piece) - length + 1):
                part = piece[start : start + length]
                if part in self.named:
                    words.add(part)
                if found := self._lists.get(part):
                    lists.update(found)
        self._inside[piece] = Inside(frozenset(words), frozenset(lists))
        return self._inside[piece]

    def nested(self, word: str) -> tuple[str, ...]:
        """The other named words inside a named word, sorted."""
        if (known := self._nested.get(word)) is None:
            known = self._nested[word] = tuple(sorted(self.inside(word).words - {word}))
        return known

    @cached_property
    def separator(self) -> str:
        """A character that is in no word."""
        used = set("".join(chain(self.named, self._lists)))
        return next(chr(code) for code in _SEPARATORS if chr(code) not in used)
