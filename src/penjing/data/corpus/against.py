"""Contamination: sentences of a corpus that share a long run of tokens with an evaluation set are cut out.

A run is 13 tokens, or 8 where none is a Chinese, Japanese or Korean character (Brown et al., 2020, take 13 words). A
shorter evaluation text of at least four tokens counts where a sentence is the whole of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np

from penjing.core.folder import replaced_file
from penjing.data.corpus.characters import Array, TextTokens, characters, distinct, places_in, runs, tokens

RUN, WORD_RUN, LEAST = 13, 8, 4
_ENDS = re.compile(r"(?<=[。！？；\n])|(?<=[.!?;])(?=\s)")
_KEPT = 0.5  # of a document: if less is left, all of it is dropped
_PENDING = 1 << 22


@dataclass(frozen=True)
class Overlap:
    """What is left of a document, the sentences that were cut, and the evaluation sets that they are in."""

    text: str
    cut: tuple[str, ...]
    sets: tuple[str, ...]


@dataclass(frozen=True)
class Against:
    """The runs of all evaluation sets. long, short: sorted hashes; of_long, of_short: the set of each."""

    names: tuple[str, ...]
    long: Array
    of_long: Array
    short: Array
    of_short: Array

    def save(self, path: Path) -> None:
        """Write it to a file."""
        with replaced_file(path) as partial, partial.open("wb") as file:
            names = np.array(self.names)
            np.savez(file, names=names, long=self.long, of_long=self.of_long, short=self.short, of_short=self.of_short)

    @classmethod
    def load(cls, path: Path) -> Against:
        """Read it from a file."""
        with np.load(path, allow_pickle=False) as kept:
            names = tuple(map(str, kept["names"]))
            return cls(names, kept["long"], kept["of_long"], kept["short"], kept["of_short"])

    def remove(self, text: str, found: TextTokens) -> Overlap | None:
        """The document without the sentences that overlap; None where none does. Its text is "" if most is cut."""
        hits = np.zeros(len(found) + 1, dtype=np.int64)  # +1 where a run begins, -1 behind it
        sets = self._mark(found, hits)
        ends = [0, *(match.start() for match in _ENDS.finditer(text)), len(text)]
        bounds = np.searchsorted(found.starts, ends)
        sets |= self._short(found, bounds, hits)
        if not sets:
            return None
        touched = np.cumsum(hits[:-1]) > 0
        kept: list[str] = []
        cut: list[str] = []
        for place in range(len(ends) - 1):
            sentence = text[ends[place] : ends[place + 1]]
            hit = bool(touched[bounds[place] : bounds[place + 1]].any())
            (cut if hit else kept).append(sentence)
        left = "".join(kept).strip()
        names = tuple(self.names[number] for number in sorted(sets))
        return Overlap(left if len(left) >= _KEPT * len(text) else "", tuple(each.strip() for each in cut), names)

    def _mark(self, found: TextTokens, hits: Array) -> set[int]:
        sets: set[int] = set()
        for length, words in ((RUN, False), (WORD_RUN, True)):
            if len(found) < length:
                continue
            hashes = runs(found.hashes, length)
            places = places_in(hashes, self.long)
            if words:
                places[_with_alone(found.alone, length)] = -1
            where = np.flatnonzero(places >= 0)
            np.add.at(hits, where, 1)
            np.add.at(hits, where + length, -1)
            sets |= set(self.of_long[places[where]].tolist())
        return sets

    def _short(self, found: TextTokens, bounds: Array, hits: Array) -> set[int]:
        sets: set[int] = set()
        if not len(self.short):
            return sets
        for low, high in pairwise(bounds.tolist()):
            if LEAST <= high - low < RUN:
                place = int(places_in(runs(found.hashes[low:high], RUN), self.short)[0])
                if place >= 0:
                    hits[low] += 1
                    hits[high] -= 1
                    sets.add(int(self.of_short[place]))
        return sets


def _with_alone(alone: Array, length: int) -> Array:
    """(t - length + 1,) whether a run has a token of a single character."""
    total = np.concatenate([[0], np.cumsum(alone)])
    found: Array = total[length:] > total[:-length]
    return found


class _Pending:
    """Hashes that are collected, each kept once from time to time."""

    def __init__(self) -> None:
        self._parts = [np.zeros(0, np.uint64)]
        self._size = 0

    def add(self, hashes: Array) -> None:
        """Take some more."""
        self._parts.append(hashes)
        self._size += len(hashes)
        if self._size > _PENDING:
            self._parts, self._size = [self.all()], 0

    def all(self) -> Array:
        """All of them, sorted, each once."""
        return distinct(np.concatenate(self._parts))


@dataclass
class AgainstBuilder:
    """Collects the runs of evaluation sets; memory grows by nine bytes a distinct run."""

    names: list[str] = field(default_factory=list)
    texts: dict[str, int] = field(default_factory=dict)
    _long: list[tuple[Array, int]] = field(default_factory=list)
    _short: list[tuple[Array, int]] = field(default_factory=list)

    def add(self, name: str, texts: Iterable[str]) -> None:
        """Add the texts of one set; a line of a text is one of its own too."""
        number = len(self.names)
        self.names.append(name)
        long, short, count = _Pending(), _Pending(), 0
        for text in texts:
            count += 1
            found = tokens(characters(text))
            if len(found) >= RUN:
                long.add(runs(found.hashes, RUN))
            if len(found) >= WORD_RUN:
                long.add(runs(found.hashes, WORD_RUN)[~_with_alone(found.alone, WORD_RUN)])
            for line in text.split("\n"):
                part = tokens(characters(line)) if line != text else found
                if LEAST <= len(part) < RUN:
                    short.add(runs(part.hashes, RUN))
        self.texts[name] = count
        self._long.append((long.all(), number))
        self._short.append((short.all(), number))

    def build(self) -> Against:
        """All sets together; of a run in several sets the first is named."""
        return Against(tuple(self.names), *_together(self._long), *_together(self._short))


def _together(parts: list[tuple[Array, int]]) -> tuple[Array, Array]:
    hashes = np.concatenate([np.zeros(0, np.uint64), *(part for part, _ in parts)])
    owners = np.concatenate([np.zeros(0, np.uint16), *(np.full(len(part), n, np.uint16) for part, n in parts)])
    unique, first = np.unique(hashes, return_index=True)
    return unique, owners[first]
