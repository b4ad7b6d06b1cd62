"""Hashed n-grams of characters and words, by array arithmetic alone: no tokenizer, no dictionary, no segmenter.

    H(i, j) = sum_{i <= k < j} c_k P^(k - i)  mod 2^64   from one running sum:  (S_j - S_i) P^(-i),  P odd
    bucket = the top bits of mix(H(i, j) + salt(kind, length))

Source: Rabin and Karp, Efficient Randomized Pattern-matching Algorithms, 1987 (the rolling hash); Weinberger et al.,
Feature Hashing for Large Scale Multitask Learning, 2009; Joulin et al., Bag of Tricks for Efficient Text
Classification, 2017 (n-grams in buckets). Chinese has no spaces: its words are among the n-grams of one to four
characters, so no segmenter runs for each text.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from penjing.text.words import HAN, PLACEHOLDER

Buckets = npt.NDArray[np.int64]
Hashes = npt.NDArray[np.uint64]
# A placeholder of the masking becomes one character of the private use area, the same for the same word.
_PRIVATE = 0xF0000
_P, _MIX, _WORD, _PAIR = (
    np.uint64(x) for x in (0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93, 0x2545F4914F6CDD1D, 0xA0761D65)
)
_INVERSE = np.uint64(pow(0x9E3779B97F4A7C15, -1, 2**64))
_FOLD = np.uint64(32)
_SALTS = np.arange(1, 65, dtype=np.uint64)[:, None]


class Grams:
    """N-grams of up to `characters` characters and up to `words` words (of letters; Chinese counts by characters).

    bits: 2^bits buckets. Safe to use from several threads; the same text gives the same buckets on every machine.
    """

    def __init__(self, characters: int = 4, words: int = 2, bits: int = 17) -> None:
        self.characters, self.words, self.bits = characters, words, bits
        self._shift = np.uint64(64 - bits)

    def of(self, text: str) -> Buckets:
        """Buckets of all n-grams of a masked text, (n,) int64, with repetitions; empty for an empty text."""
        line = _plain(text)
        if not line:
            return np.zeros(0, dtype=np.int64)
        codes = np.frombuffer(f" {line} ".encode("utf-32-le"), dtype=np.uint32)
        size, sizes = len(codes), min(self.characters, len(codes))
        powers, inverses, mixes = _powers(1 << size.bit_length())
        sums = np.zeros(size + 1 + sizes, dtype=np.uint64)
        within = sums[1 : size + 1]
        np.multiply(codes, powers[:size], out=within)
        np.add.accumulate(within, out=within)
        # Row k - 1 holds S_(i + k) for every i: the n-grams of all lengths in three passes over one array.
        ends = np.ndarray((sizes, size), np.uint64, sums, offset=8, strides=(8, 8))
        spans = ends - sums[:size]
        spans *= mixes[:size]
        spans += _SALTS[:sizes]
        found = [spans[short, : size - short] for short in range(sizes)]
        if self.words:
            found += self._word_grams(codes, within, inverses)
        mixed = np.concatenate(found)
        folded = mixed >> _FOLD
        mixed ^= folded
        mixed *= _MIX
        np.right_shift(mixed, _FOLD, out=folded)
        mixed ^= folded
        mixed *= _WORD
        mixed >>= self._shift
        return mixed.view(np.int64)

    def _word_grams(self, codes: npt.NDArray[np.uint32], within: Hashes, inverses: Hashes) -> list[Hashes]:
        letters = _letters().take(codes, mode="clip")
        # The line begins and ends with a space: a word begins behind every other edge, and ends at the next.
        edges = np.logical_xor(letters[1:], letters[:-1]).nonzero()[0]
        sums = within.take(edges)
        words = sums[1::2] - sums[::2]
        words *= inverses.take(edges[::2])
        found, grams = [words], words
        for size in range(2, self.words + 1):
            if len(words) < size:
                break
            grams = grams[:-1] * _P
            grams += words[size - 1 :] * _PAIR
            found.append(grams)
        return found


def _plain(text: str) -> str:
    if "⟦" in text:
        text = PLACEHOLDER.sub(lambda found: chr(_PRIVATE + sum(map(ord, found[0])) % 0xFFFD), text)
    return " ".join(text.split()).lower()


@cache
def _powers(size: int) -> tuple[Hashes, Hashes, Hashes]:
    """P^i, P^-(i + 1) times the factor of words, and P^-i times the mixing one, for i below `size`, modulo 2^64."""
    steps = np.ones((2, size), dtype=np.uint64)
    steps[0, 1:], steps[1, 1:] = _P, _INVERSE
    both = np.multiply.accumulate(steps, axis=1)
    return both[0], both[1] * _INVERSE * _WORD, both[1] * _MIX


@cache
def _letters() -> npt.NDArray[np.bool_]:
    """Which characters of the basic plane form words: letters and digits, except Chinese ones."""
    return np.array([(char := chr(code)).isalnum() and not HAN.match(char) for code in range(0x10000)], dtype=bool)
