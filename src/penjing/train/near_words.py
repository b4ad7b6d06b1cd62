"""Near words: of each word of some texts those of the same texts whose vectors in a table of embeddings are nearest.

    v(w) = mean of E[t] over the tokens t of w, over all its places in the texts
    near(w) = up to k words with the highest cos(v(w) - m, v(w') - m) of at least `LEAST`,   m: mean of all v

E is the base's own table of token embeddings: nothing is downloaded, and no word of another language or field comes in.
Only words of letters that the texts have at least twice, the most frequent 20,000 at most. Near means "used alike":
opposites are often near. `penjing.compress.parts.near_tokens` compares single tokens, for texts that a teacher labels.

Source: Mu and Viswanath, All-but-the-Top, 2018 (the mean is subtracted); Jin et al., TextFooler, 2020 (cosine of word
vectors with a lower limit).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from penjing.core.nouns import Artifact
from penjing.model.encoder import load_classifier, load_encoder
from penjing.text.tokens import open_tokenizer
from penjing.text.words import HAN, word_spans

Vectors = npt.NDArray[np.float32]
MOST, LEAST = 6, 0.5
_SEEN, _WORDS, _SLICE = 2, 20_000, 1024


@dataclass(frozen=True)
class NearWords:
    """The near words of each word, the nearest first; asked with any case, answered in the case of the word."""

    near: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __call__(self, word: str) -> Sequence[str]:
        """The near words of a word; none for one that has none."""
        found = self.near.get(word.casefold(), ())
        if word.isupper() and len(word) > 1:
            return [one.upper() for one in found]
        return [one[0].upper() + one[1:] for one in found] if word[:1].isupper() else found


def near_words_of(artifact: Artifact, texts: Sequence[str]) -> NearWords:
    """The near words of masked texts by the table of a base, or of a torch artifact that was tuned."""
    tuned = bool(artifact.card.labels or artifact.card.task_state)
    encoder = load_classifier(artifact).encoder if tuned else load_encoder(artifact)
    table = encoder.get_input_embeddings().weight.detach().float().numpy()  # type: ignore[operator]
    return near_words(open_tokenizer(artifact.folder), table, texts)


def near_words(tokenizer: Tokenizer, table: Vectors, texts: Sequence[str]) -> NearWords:
    """The near words of these texts; table: one row per token, (tokens, width)."""
    counts: dict[str, Counter[tuple[int, ...]]] = {}
    for text, encoding in zip(texts, tokenizer.encode_batch(list(texts), add_special_tokens=False), strict=True):
        for word, tokens in _tokens_of_words(text, encoding.ids, encoding.offsets):
            counts.setdefault(word, Counter())[tokens] += 1
    total = {word: sum(found.values()) for word, found in counts.items()}
    words = [word for word in sorted(total, key=lambda one: (-total[one], one)) if total[word] >= _SEEN][:_WORDS]
    if len(words) < 2:
        return NearWords()
    return NearWords(_nearest(words, np.stack([_vector(counts[word], table) for word in words])))


def _tokens_of_words(
    text: str, ids: Sequence[int], places: Sequence[tuple[int, int]]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Each word of letters with the tokens that it is made of; a token that reaches over two words belongs to both."""
    first = 0
    for start, end in word_spans(text):
        while first < len(ids) and places[first][1] <= start:
            first += 1
        last = first
        while last < len(ids) and places[last][0] < end:
            last += 1
        if first < last and text[start:end].isalpha():
            yield text[start:end].casefold(), tuple(ids[first:last])


def _vector(found: Counter[tuple[int, ...]], table: Vectors) -> Vectors:
    """The mean of a word over all its places, (width,)."""
    rows = [count * table[list(tokens)].mean(axis=0) for tokens, count in sorted(found.items())]
    total: Vectors = np.sum(rows, axis=0) / sum(found.values())
    return total


def _same(word: str, other: str) -> bool:
    """Whether a Chinese word is a part of another: 酒店 and 酒店客房 share their tokens, and do not mean the same."""
    return HAN.search(word) is not None and (word in other or other in word)


def _nearest(words: Sequence[str], vectors: Vectors) -> dict[str, tuple[str, ...]]:
    rows = vectors - vectors.mean(axis=0)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9
    found = {}
    for first in range(0, len(words), _SLICE):
        cosine = rows[first : first + _SLICE] @ rows.T
        for place, row in enumerate(cosine, start=first):
            row[place] = -np.inf
            close = np.flatnonzero(row >= LEAST)
            order = close[np.argsort(-row[close], kind="stable")]
            best = [words[one] for one in order if not _same(words[place], words[one])][:MOST]
            if best:
                found[words[place]] = tuple(best)
    return found
