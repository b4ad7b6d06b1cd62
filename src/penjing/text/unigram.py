"""Unigram pieces: the vocabulary with which a text is most probable as a sequence of independent pieces.

    p(word) = sum over all segmentations of prod p(piece)          counts by forward and backward sums (EM)
    loss(piece) = count * (ln p(piece) - ln p(its best other segmentation))      the smallest losses are removed

Begin with the frequent substrings of the words. Repeat two rounds of EM and the removal of a quarter of the pieces until
the wanted number is left. Single characters stay. Everything is array arithmetic in a fixed order, so that the same
words give the same pieces; the trainer of `tokenizers` goes through a hash table in an order that changes with each
process, and its result changes with it.

Source: Kudo, Subword Regularization: Improving Neural Network Translation Models with Multiple Subword Candidates, 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Cells = npt.NDArray[np.int32]

LONGEST = 16  # characters of a piece
_LONGEST_WORD = 24  # of a word while training: products of probabilities stay far above the smallest float64
_CHUNK = 20_000  # words whose sums are in memory at a time
_SEEDS = 10  # pieces at the beginning for each one at the end
_KEPT = 0.75  # share that a removal leaves
_LEAST = 0.5  # expected count below which a piece is removed


@dataclass(frozen=True)
class Lattice:
    """All pieces at all places of the words.

    words are sorted by length, longest first. starts (words,): place of each word; lengths (words,); weights (words,):
    how often the word occurs. cells (places, LONGEST): the piece of that length at that place, or -1.
    """

    starts: Integers
    lengths: Integers
    weights: Floats
    cells: Cells


@dataclass(frozen=True)
class Pieces:
    """The pieces of a lattice: the first place (pieces,) and the length (pieces,) of each."""

    places: Integers
    sizes: Integers


def train_unigram(
    words: Mapping[str, int], alphabet: Sequence[str], size: int, step: Callable[[], None] = lambda: None
) -> list[tuple[str, float]]:
    """At most `size` pieces with the logarithm of their probability, most probable first; ties by the piece.

    words: segments with their counts, of characters of the alphabet only. alphabet: characters that are always pieces,
    each once. `step` is called after every round of EM. Raises ValueError where `size` is below the alphabet.
    """
    if size < len(alphabet):
        raise ValueError(f"{size} pieces cannot hold {len(alphabet)} characters")
    text, lattice, pieces = _seeds(words, alphabet, size)
    counts = np.zeros(0)
    probabilities = _first_guess(lattice, len(pieces.sizes))
    while True:
        for _ in range(2):
            counts = _expected(lattice, probabilities)
            probabilities = _normalised(counts)
            step()
        if len(counts) <= size and counts[len(alphabet) :].min(initial=_LEAST) >= _LEAST:
            break
        kept = _kept(lattice, pieces, counts, probabilities, len(alphabet), size)
        lattice = _renumbered(lattice, kept, len(counts))
        pieces = Pieces(pieces.places[kept], pieces.sizes[kept])
        probabilities = _normalised(counts[kept])
    scores = np.round(np.log(probabilities), 6)
    names = [text[p : p + n] for p, n in zip(pieces.places.tolist(), pieces.sizes.tolist(), strict=True)]
    names[: len(alphabet)] = alphabet
    return sorted(zip(names, scores.tolist(), strict=True), key=lambda entry: (-entry[1], entry[0]))


def _seeds(words: Mapping[str, int], alphabet: Sequence[str], size: int) -> tuple[str, Lattice, Pieces]:
    """The words as one text, the lattice of the first pieces, and these pieces; the alphabet comes first."""
    cut: dict[str, int] = {}
    for word, count in sorted(words.items()):
        for start in range(0, len(word), _LONGEST_WORD):
            part = word[start : start + _LONGEST_WORD]
            cut[part] = cut.get(part, 0) + count
    order = sorted(cut, key=lambda word: (-len(word), word))
    text = "".join(order)
    lengths = np.array([len(word) for word in order], dtype=np.int64)
    weights = np.array([cut[word] for word in order], dtype=np.float64)
    starts = np.cumsum(lengths) - lengths
    place = {character: number for number, character in enumerate(alphabet)}
    codes = np.fromiter((place[character] for character in text), dtype=np.int64, count=len(text))
    owner = np.repeat(np.arange(len(order)), lengths)
    room = (starts + lengths)[owner] - np.arange(len(text))
    grams: list[tuple[Integers, Integers]] = []  # of each length from 2: the gram at each place, first place of each
    frequency: list[Floats] = []
    current = codes
    for length in range(2, LONGEST + 1):
        valid = np.flatnonzero((room >= length) & (current >= 0))
        keys = current[valid] * len(alphabet) + codes[valid + length - 1]
        _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
        times = np.bincount(inverse, weights=weights[owner[valid]], minlength=len(first))
        current = np.full(len(text), -1, dtype=np.int64)
        often = times >= 2
        number = np.where(often, np.cumsum(often) - 1, -1)
        current[valid] = number[inverse]
        grams.append((current, valid[first[often]]))
        frequency.append(times[often])
    sizes = np.concatenate([np.full(len(each), length) for length, each in enumerate(frequency, 2)])
    scores = np.concatenate(frequency) * sizes
    best = np.sort(np.argsort(-scores, kind="stable")[: max(0, _SEEDS * size - len(alphabet))])
    number = np.full(len(scores), -1, dtype=np.int64)
    number[best] = np.arange(len(best)) + len(alphabet)
    cells = np.full((len(text), LONGEST), -1, dtype=np.int32)
    cells[:, 0] = codes
    done = 0
    for column, (at, first) in enumerate(grams, 1):
        own = np.append(number[done : done + len(first)], -1)
        cells[:, column] = own[at]  # -1 takes the last one
        done += len(first)
    firsts = np.concatenate([first for _, first in grams])[best]
    singles = np.zeros(len(alphabet), dtype=np.int64)
    pieces = Pieces(np.append(singles, firsts), np.append(singles + 1, sizes[best]))
    return text, Lattice(starts, lengths, weights, cells), pieces


def _first_guess(lattice: Lattice, pieces: int) -> Floats:
    """Probabilities in proportion to how often a piece occurs, at overlapping places too."""
    owners = np.repeat(lattice.weights, lattice.lengths)
    counts = np.zeros(pieces)
    for column in range(LONGEST):
        cells = lattice.cells[:, column]
        there = cells >= 0
        counts += np.bincount(cells[there], weights=owners[there], minlength=pieces)
    return _normalised(counts)


def _normalised(counts: Floats) -> Floats:
    """Probabilities; a character that never occurs gets that of half an occurrence."""
    raised = np.maximum(counts, _LEAST)
    return np.asarray(raised / raised.sum(), dtype=np.float64)


def _expected(lattice: Lattice, probabilities: Floats) -> Floats:
    """How often each piece is used in all segmentations of all words, (pieces,) float64."""
    known = np.append(probabilities, 0.0)  # cell -1 takes the last one
    counts = np.zeros(len(known))
    for first in range(0, len(lattice.lengths), _CHUNK):
        lengths = lattice.lengths[first : first + _CHUNK]
        starts, longest = lattice.starts[first : first + _CHUNK], int(lengths[0])
        active = [int(np.searchsorted(-lengths, -t, side="left")) for t in range(longest)]
        rows = [lattice.cells[starts[: active[t]] + t] for t in range(longest)]
        chances = [known[row] for row in rows]
        before = np.zeros((longest + LONGEST + 1, len(lengths)))
        before[0] = 1.0
        for t in range(longest):
            for column in range(min(LONGEST, longest - t)):
                before[t + column + 1, : active[t]] += before[t, : active[t]] * chances[t][:, column]
        after = np.zeros_like(before)
        after[lengths, np.arange(len(lengths))] = 1.0
        scale = lattice.weights[first : first + _CHUNK] / before[lengths, np.arange(len(lengths))]
        for t in reversed(range(longest)):
            here = chances[t]
            for column in range(min(LONGEST, longest - t)):
                here[:, column] *= after[t + column + 1, : active[t]]
            after[t, : active[t]] += here.sum(axis=1)
            here *= (before[t, : active[t]] * scale[: active[t]])[:, None]
            counts += np.bincount(rows[t].ravel() % len(known), weights=here.ravel(), minlength=len(known))
    return counts[:-1]


def _kept(
    lattice: Lattice, pieces: Pieces, counts: Floats, probabilities: Floats, singles: int, size: int
) -> Integers:
    """The pieces that stay after one removal, in their order: all single characters, and those with the largest loss."""
    scores = np.log(probabilities)
    losses = np.full(len(counts), np.inf)
    known = np.append(scores, -np.inf)
    for length in range(2, LONGEST + 1):
        those = np.flatnonzero(pieces.sizes == length)
        best = np.full((length + 1, len(those)), -np.inf)
        best[0] = 0.0
        for t in range(length):
            row = known[lattice.cells[pieces.places[those] + t]]
            for column in range(length - t - (t == 0)):
                best[t + column + 1] = np.maximum(best[t + column + 1], best[t] + row[:, column])
        losses[those] = counts[those] * (scores[those] - best[length])
    losses[singles:][counts[singles:] < _LEAST] = -np.inf
    target = max(size, singles + int((len(counts) - singles) * _KEPT)) if len(counts) > size else len(counts)
    order = np.argsort(-losses, kind="stable")[:target]
    return np.sort(order[losses[order] > -np.inf])


def _renumbered(lattice: Lattice, kept: Integers, before: int) -> Lattice:
    number = np.full(before + 1, -1, dtype=np.int32)  # cell -1 takes the last one
    number[kept] = np.arange(len(kept), dtype=np.int32)
    return Lattice(lattice.starts, lattice.lengths, lattice.weights, number[lattice.cells])
