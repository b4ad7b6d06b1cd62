"""All tests that a table makes of one text (the text, or a field of type `str`), decided at once for a text of pieces.

A text of the check is a list of pieces, which are words of the table. A separator that no word has in it stands between
them, so that a word is in the text exactly where it is in a piece.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from penjing.decide.condition import Among, Contains, Matches, Starts, Test
from penjing.decide.logic.words import WordIndex

Bools = npt.NDArray[np.bool_]
# The patterns of the table that are found in a text.
Finder = Callable[[str], Collection[str]]


@dataclass(frozen=True)
class MadeText:
    """A text of the check: how it starts, and the pieces that it has in it; `exact`: it is `start` and nothing else.

    supposed: of some patterns whether they are found, where this is supposed and not looked up.
    """

    start: str = ""
    pieces: tuple[str, ...] = ()
    exact: bool = False
    supposed: Mapping[str, bool] = field(default_factory=dict)

    def text(self, separator: str) -> str:
        """The text itself."""
        return self.start if self.exact else separator.join((self.start, *self.pieces, ""))


class TextTests:
    """The tests of one text fact, in the order in which they are given."""

    def __init__(self, tests: Sequence[Test], words: WordIndex, finder: Finder | None) -> None:
        """finder: None for a table without patterns."""
        self._words, self._finder = words, finder
        self._separator = words.separator
        self._negated = np.array([getattr(test, "negated", False) for test in tests], dtype=np.bool_)
        self._by_word: dict[str, list[int]] = {}
        self._by_list: dict[str, list[int]] = {}
        self._by_start: dict[str, list[int]] = {}
        self._by_value: dict[str, list[int]] = {}
        self._by_value_list: dict[str, list[int]] = {}
        self._by_pattern: dict[str, list[int]] = {}
        self._every: dict[int, frozenset[str]] = {}
        for place, test in enumerate(tests):
            self._add(place, test)
        self._starts = sorted({len(word) for word in self._by_start})

    def _add(self, place: int, test: Test) -> None:
        if isinstance(test, Contains) and test.every:
            self._every[place] = frozenset(test.words)
        elif isinstance(test, Contains):
            _enter(self._by_word, test.words, place)
            _enter(self._by_list, test.lists, place)
        elif isinstance(test, Starts):
            _enter(self._by_start, test.words, place)
        elif isinstance(test, Matches):
            _enter(self._by_pattern, (test.pattern,), place)
        elif isinstance(test, Among):
            _enter(self._by_value, test.values, place)
            _enter(self._by_value_list, test.lists, place)
        else:
            raise TypeError(f"no test of a text: {test!r}")

    def held(self, written: MadeText) -> Bools:
        """Which tests hold of a text, (tests,)."""
        inside = [self._words.inside(piece) for piece in (written.start, *written.pieces)]
        words = frozenset().union(*(each.words for each in inside))
        lists = frozenset().union(*(each.lists for each in inside))
        met = _met(self._by_word, words) | _met(self._by_list, lists)
        met |= {place for place, every in self._every.items() if every <= words}
        met |= _met(self._by_start, (written.start[:length] for length in self._starts))
        if written.exact:
            met |= _met(self._by_value, (written.start,))
            met |= _met(self._by_value_list, self._words.with_word(written.start))
        if self._by_pattern:
            met |= _met(self._by_pattern, self._found(written))
        held = self._negated.copy()
        places = list(met)
        held[places] = ~self._negated[places]
        return held

    def _found(self, written: MadeText) -> Iterator[str]:
        yield from (pattern for pattern, found in written.supposed.items() if found)
        if self._finder is not None and not self._by_pattern.keys() <= written.supposed.keys():
            yield from (each for each in self._finder(written.text(self._separator)) if each not in written.supposed)


def _enter(table: dict[str, list[int]], keys: Iterable[str], place: int) -> None:
    for key in keys:
        table.setdefault(key, []).append(place)


def _met(table: Mapping[str, Sequence[int]], keys: Iterable[str]) -> set[int]:
    return {place for key in keys for place in table.get(key, ())}
