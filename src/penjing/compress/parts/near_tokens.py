"""Texts in which some words are replaced by near ones: tokens that are near in the teacher's own embedding table.

    near(a) = the k tokens b of the texts with the highest cos(E[a] - m, E[b] - m),   m: mean of E over these tokens

a and b have similar positions in the texts: both mostly begin a word or both do not, and the same for ending one. Only
tokens of letters that occur at least twice are replaced; mask placeholders, numbers and punctuation stay. The teacher
gives the label of a new text. All replacements come from the texts, so no words of another language or field are added.
Deterministic in texts, teacher and seed. `penjing.train.near_words` compares whole words, for copies that keep a label.

Source: Jiao et al., TinyBERT, 2020, sections 3.2 and 4 (replacement by near words from GloVe and a masked language
model; a tuned encoder has neither, so its embedding table is used); Mu and Viswanath, All-but-the-Top, 2018 (the mean
is subtracted).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from penjing.core.nouns import Artifact
from penjing.model.encoder import load_classifier
from penjing.text.tokens import open_tokenizer

REPLACED = "texts for each train text with some words replaced by near ones, labelled by the teacher"
NEAR = 6
_SHARE = (0.15, 0.4)  # the least and the largest share of the replaceable tokens of a text that is replaced
_SEEN = 2  # occurrences of a token that is replaced
_SLICE = 1024  # tokens whose cosines are held at once


@dataclass(frozen=True)
class _Piece:
    """A token of a text, with its start and end in characters."""

    token: int
    start: int
    end: int


@dataclass(frozen=True)
class NearTokens:
    """The possible replacements of each token of some texts, the nearest first."""

    tokenizer: Tokenizer
    near: dict[int, tuple[str, ...]]

    def replace(self, texts: Sequence[str], copies: int, seed: int) -> list[str]:
        """Up to `copies` new texts for each text, none of them among `texts` or twice."""
        seen, made = set(texts), []
        for place, (text, pieces) in enumerate(zip(texts, _pieces(self.tokenizer, texts), strict=True)):
            free = [piece for piece in pieces if piece.token in self.near]
            source = random.Random(f"{seed} {place} {text}")
            for _ in range(copies if free else 0):
                count = max(1, round(source.uniform(*_SHARE) * len(free)))
                new = self._with_others(text, sorted(source.sample(free, count), key=lambda piece: piece.start), source)
                if new not in seen:
                    seen.add(new)
                    made.append(new)
        return made

    def _with_others(self, text: str, chosen: Sequence[_Piece], source: random.Random) -> str:
        parts, end = [], 0
        for piece in chosen:
            parts += [text[end : piece.start], source.choice(self.near[piece.token])]
            end = piece.end
        return "".join([*parts, text[end:]])


def replaced(teacher: Artifact, texts: Sequence[str], copies: int, seed: int) -> list[str]:
    """Up to `copies` new texts for each text, from the table of a torch teacher. Raises UsageError for another form."""
    if not copies or not texts:
        return []
    tokenizer = open_tokenizer(teacher.folder)
    table = load_classifier(teacher).encoder.get_input_embeddings().weight.detach().numpy()  # type: ignore[operator]
    return near_tokens(tokenizer, table, texts).replace(texts, copies, seed)


def near_tokens(tokenizer: Tokenizer, table: npt.NDArray[np.float32], texts: Sequence[str]) -> NearTokens:
    """The near tokens of the tokens of these texts; table: one row per token, (tokens, width)."""
    words: dict[int, Counter[str]] = {}
    positions: dict[int, Counter[tuple[bool, bool]]] = {}
    for text, pieces in zip(texts, _pieces(tokenizer, texts), strict=True):
        for piece in pieces:
            words.setdefault(piece.token, Counter())[text[piece.start : piece.end]] += 1
            inside = text[: piece.start][-1:].isalpha(), text[piece.end :][:1].isalpha()
            positions.setdefault(piece.token, Counter())[inside] += 1
    alike: dict[tuple[bool, bool], list[int]] = {}
    for token in sorted(words):
        if words[token].total() >= _SEEN:
            alike.setdefault(max(sorted(positions[token]), key=lambda each: positions[token][each]), []).append(token)
    word = {token: max(sorted(words[token]), key=lambda each: words[token][each]) for token in words}
    near = {}
    for tokens in alike.values():
        rows = table[tokens] - table[tokens].mean(axis=0)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9
        for first in range(0, len(tokens), _SLICE):
            cosine = rows[first : first + _SLICE] @ rows.T
            for place, row in enumerate(cosine, start=first):
                row[place] = -np.inf
                best = np.argsort(-row, kind="stable")[: min(NEAR, len(tokens) - 1)]
                others = [word[tokens[each]] for each in best]
                others = [each for each in others if each != word[tokens[place]]]
                if others:
                    near[tokens[place]] = tuple(others)
    return NearTokens(tokenizer, near)


def _pieces(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[_Piece]]:
    """The tokens of each text that consist of letters, without surrounding white space."""
    never = tokenizer.get_added_tokens_decoder()  # mask placeholders, unknown characters
    found = []
    for text, encoding in zip(texts, tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True):
        pieces, end = [], 0
        for token, (start, stop) in zip(encoding.ids, encoding.offsets, strict=True):
            while start < stop and text[start].isspace():
                start += 1
            # If several tokens share a character, it belongs to the first.
            if token not in never and start >= end and text[start:stop].isalpha():
                pieces.append(_Piece(token, start, stop))
                end = stop
        found.append(pieces)
    return found
