"""Unigram pieces: the expected counts are those of all segmentations, written out; obvious pieces are found."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from penjing.text import unigram
from penjing.text.unigram import train_unigram

WORDS = {"abab": 3, "abc": 2, "cab": 5, "b": 1}


def segmentations(word: str) -> list[list[str]]:
    """All ways to cut a word."""
    found = []
    for cuts in product((False, True), repeat=len(word) - 1):
        pieces, start = [], 0
        for place, cut in enumerate(cuts, 1):
            if cut:
                pieces.append(word[start:place])
                start = place
        found.append([*pieces, word[start:]])
    return found


def test_expected_counts_are_those_of_all_segmentations() -> None:
    text, lattice, pieces = unigram._seeds(WORDS, "abc", 20)
    names = [text[p : p + n] for p, n in zip(pieces.places, pieces.sizes, strict=True)]
    names[:3] = "abc"
    assert set(names) == {"a", "b", "c", "ab", "ba", "bc", "ca", "bab", "aba", "abab", "abc", "cab"}
    chances = np.linspace(1, 2, len(names))
    chances /= chances.sum()
    known = dict(zip(names, chances.tolist(), strict=True))
    wanted = dict.fromkeys(names, 0.0)
    for word, times in WORDS.items():
        ways = [(way, math.prod(known.get(piece, 0.0) for piece in way)) for way in segmentations(word)]
        total = sum(chance for _, chance in ways)
        for way, chance in ways:
            for piece in way:
                if chance:
                    wanted[piece] += times * chance / total
    found = unigram._expected(lattice, chances)
    assert dict(zip(names, found.tolist(), strict=True)) == pytest.approx(wanted)


def test_the_loss_is_what_the_best_other_segmentation_costs() -> None:
    text, lattice, pieces = unigram._seeds(WORDS, "abc", 20)
    names = [text[p : p + n] for p, n in zip(pieces.places, pieces.sizes, strict=True)]
    names[:3] = "abc"
    chances = np.full(len(names), 0.01)
    chances[names.index("ab")] = 0.5
    counts = np.full(len(names), 2.0)
    # `abab` is nearly as probable as `ab` twice; `cab` is far more probable than `c` and `ab` cut further.
    kept = unigram._kept(lattice, pieces, counts, chances, 3, len(names) - 1)
    assert {names[place] for place in range(len(names))} - {names[place] for place in kept} == {"abab"}


def test_pieces_are_found_and_their_probabilities_add_up() -> None:
    words = {"unhappy": 50, "happy": 80, "undo": 40, "redo": 30, "do": 60, "unlike": 20, "like": 70, "x": 1}
    alphabet = sorted(set("".join(words)))
    found = train_unigram(words, alphabet, len(alphabet) + 5)
    assert len(found) <= len(alphabet) + 5
    names = [name for name, _ in found]
    assert {"happy", "like", "do"} <= set(names) and set(alphabet) <= set(names)
    assert sum(math.exp(score) for _, score in found) == pytest.approx(1, abs=1e-4)
    assert [score for _, score in found] == sorted((score for _, score in found), reverse=True)
    assert train_unigram(dict(reversed(words.items())), alphabet, len(alphabet) + 5) == found


def test_long_words_and_words_of_one_character() -> None:
    found = dict(train_unigram({"ab" * 40: 10, "c": 1}, "abc", 6))
    assert {"a", "b", "c"} <= set(found) and len(found) <= 6
    assert all(math.isfinite(score) for score in found.values())
    assert {name for name, _ in train_unigram({"a": 3, "b": 1}, "ab", 9)} == {"a", "b"}


def test_too_few_pieces_for_the_alphabet() -> None:
    with pytest.raises(ValueError, match="2 pieces cannot hold 3"):
        train_unigram(WORDS, "abc", 2)
