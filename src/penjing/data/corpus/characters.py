"""Classes of characters, tokens and hashed runs of tokens, by array arithmetic; fixed ranges, the same everywhere.

A token is a Chinese, Japanese or Korean character, or a run of other letters and digits. The tokens of a text are what
its length is counted in, what duplicates are compared by, and what is compared with evaluation sets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]

SPACE, PUNCTUATION, SYMBOL, DIGIT, LATIN, MARKED, HAN, KANA, HANGUL, CYRILLIC, OTHER = range(11)
CLASSES = 11
_LETTERS = (
    (HAN, (0x3005, 0x3008), (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xF900, 0xFB00), (0x20000, 0x323B0)),
    (KANA, (0x3041, 0x3100), (0x31F0, 0x3200), (0xFF66, 0xFF9E)),
    (HANGUL, (0x1100, 0x1200), (0x3130, 0x3190), (0xAC00, 0xD7B0)),
    (CYRILLIC, (0x0400, 0x0530)),
    (LATIN, (0x41, 0x5B), (0x61, 0x7B), (0xFF21, 0xFF3B), (0xFF41, 0xFF5B)),
    (MARKED, (0xC0, 0xD7), (0xD8, 0xF7), (0xF8, 0x250), (0x1E00, 0x1F00)),
    (OTHER, (0x370, 0x400), (0x530, 0x1100), (0x1200, 0x1E00), (0x1F00, 0x2000), (0xA000, 0xAC00), (0xFB00, 0xFE00)),
    (DIGIT, (0x30, 0x3A), (0xFF10, 0xFF1A)),
    (SPACE, (0x9, 0xE), (0x20, 0x21), (0x85, 0x86), (0xA0, 0xA1), (0x2000, 0x200C), (0x2028, 0x202A), (0x3000, 0x3001)),
)
_PUNCTUATION = "!\"'(),-.:;?[]‘’“”–—…·、。〈〉《》「」『』【】〔〕！（），：；？．～⟦⟧"
_TOP = 0x323B0
_RUN_ALONE, _RUN_WORDS = 5, 3  # tokens of a shingle in a text of single characters, and of words
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_BASE = 0x9E3779B97F4A7C15
_POWERS = np.array([pow(_BASE, power, 2**64) for power in range(64)], dtype=np.uint64)


def _class_table() -> Array:
    table = np.full(_TOP + 1, SYMBOL, dtype=np.uint8)
    for kind, *ranges in _LETTERS:
        for low, high in ranges:
            table[low:high] = kind
    for character in _PUNCTUATION:
        table[ord(character)] = PUNCTUATION
    return table


def _fold_table() -> Array:
    """Small and narrow letters and digits; all else as it is."""
    table = np.arange(_TOP + 1, dtype=np.uint32)
    table[0xFF10:0xFF1A] = np.arange(0x30, 0x3A)
    table[0xFF21:0xFF3B] = np.arange(0x61, 0x7B)
    table[0xFF41:0xFF5B] = np.arange(0x61, 0x7B)
    table[0x41:0x5B] = np.arange(0x61, 0x7B)
    table[0xC0:0xD7] += 32
    table[0xD8:0xDF] += 32
    return table


_CLASS, _FOLD = _class_table(), _fold_table()
_IN_WORD, _ALONE = 1, 2
_PART = np.zeros(CLASSES, dtype=np.uint8)  # what a character of a class is of a token
_PART[[DIGIT, LATIN, MARKED, CYRILLIC, OTHER]] = _IN_WORD
_PART[[HAN, KANA, HANGUL]] = _ALONE


@dataclass(frozen=True)
class Characters:
    """A text as numbers. codes: (n,) code points; kinds: (n,) their classes; counts: CLASSES numbers, of each class."""

    codes: Array
    kinds: Array
    counts: list[int]

    @property
    def letters(self) -> int:
        """Letters of any script, digits left out."""
        return sum(self.counts[LATIN:])

    @property
    def visible(self) -> int:
        """All characters but white space."""
        return len(self.codes) - self.counts[SPACE]


def characters(text: str) -> Characters:
    """The characters of a text with their classes."""
    codes = np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4")
    codes = np.minimum(codes, _TOP)
    kinds = _CLASS[codes]
    return Characters(codes, kinds, np.bincount(kinds, minlength=CLASSES).tolist())


@dataclass(frozen=True)
class TextTokens:
    """hashes: (t,) uint64 of each token; starts: (t,) its place in the text; alone: (t,) whether it is one character
    of Chinese, Japanese or Korean."""

    hashes: Array
    starts: Array
    alone: Array

    def __len__(self) -> int:
        return len(self.hashes)


def tokens(read: Characters) -> TextTokens:
    """The tokens of a text; upper and lower case, full and half width are the same."""
    part = _PART[read.kinds]
    places = part.nonzero()[0]
    if not len(places):
        return TextTokens(places.astype(np.uint64), places, places.astype(bool))
    alone = part[places] == _ALONE
    values = _FOLD[read.codes[places]].astype(np.uint64) + np.uint64(1)
    # A word begins after another kind of token, or after a character that is no part of one.
    first = alone.copy()
    first[0] = True
    first[1:] |= alone[:-1]
    first[1:] |= places[1:] != places[:-1] + 1
    edges = first.nonzero()[0]
    if len(edges) == len(places):
        return TextTokens(mixed(values), places, alone)
    starts = places[edges]
    values *= _POWERS[(places - starts[first.cumsum() - 1]) % 64]
    return TextTokens(mixed(np.add.reduceat(values, edges)), starts, alone[edges])


def mixed(values: Array) -> Array:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014): every bit of a value reaches every bit of its hash."""
    values = (values ^ (values >> np.uint64(30))) * _MIX_1
    values = (values ^ (values >> np.uint64(27))) * _MIX_2
    result: Array = values ^ (values >> np.uint64(31))
    return result


def runs(hashes: Array, length: int) -> Array:
    """(t - length + 1,) the hash of every run of `length` tokens; (1,) of all of them where they are fewer."""
    length = min(length, len(hashes))
    if not length:
        return hashes
    total = np.zeros(len(hashes) - length + 1, dtype=np.uint64)
    for place in range(length):
        total += hashes[place : place + len(total)] * _POWERS[place + 1]
    return mixed(total + np.uint64(length))


def shingles(found: TextTokens) -> Array:
    """(s,) sorted hashes of the runs of tokens of a text, each once: runs of five where a quarter of the tokens are
    single characters, else of three words."""
    length = _RUN_ALONE if 4 * np.count_nonzero(found.alone) >= len(found) else _RUN_WORDS
    return distinct(runs(found.hashes, length))


def distinct(hashes: Array) -> Array:
    """The sorted hashes, each once; for arrays of this size faster than `numpy.unique`."""
    ordered = np.sort(hashes)
    if len(ordered) < 2:
        return ordered
    first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    result: Array = ordered[first]
    return result


def places_in(hashes: Array, known: Array) -> Array:
    """(n,) the place of each hash in a sorted array, -1 where it is not in it."""
    if not len(known):
        return np.full(len(hashes), -1)
    places = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return np.where(known[places] == hashes, places, -1)


def word_hashes(words: Iterable[str]) -> Array:
    """(w,) sorted hashes of words, as the tokens of texts have them."""
    return distinct(tokens(characters(" ".join(words))).hashes)


def digest8(hashes: Array) -> int:
    """64 bits of BLAKE2b over the tokens: equal for texts that differ in case, width, punctuation and spaces only."""
    return int.from_bytes(hashlib.blake2b(hashes.tobytes(), digest_size=8).digest(), "little")
