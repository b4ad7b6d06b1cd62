"""TF-IDF features of words and characters: one code path in training and in serving.

    weight(t, d) = (1 + ln tf(t, d)) * (ln((1 + n) / (1 + df(t))) + 1),   divided by the norm of d

Terms are words 1-2 and characters 1-4, lower-cased, in at least two texts; if there are more than the cap, those in the
most texts are kept. Source: Salton and Buckley, Term-weighting Approaches in Automatic Text Retrieval, 1988.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from penjing.core.canon import canonical_json
from penjing.core.errors import DamageError, DataError, UsageError
from penjing.core.formats import refuse_newer
from penjing.core.pair import split_texts
from penjing.text.pair_terms import pair_measures, pair_terms
from penjing.text.relation_terms import relation_terms
from penjing.text.words import HAN, PLACEHOLDER, segmenter_version, word_spans

VOCABULARY, SETTINGS = "vocabulary.txt", "features.json"
# What `encode` gives for a text: its terms, in the order of their index.
ROW = np.dtype([("index", "<i4"), ("weight", "<f4")])
Row = npt.NDArray[Any]
_SPACE = re.compile(r"\s+")
# Above so many distinct terms, those seen once are dropped: for millions of n-grams this bounds memory at about 1 GB.
_MOST_COUNTED = 4_000_000
# If the share of texts with Chinese is not above this, jieba is not loaded.
_CHINESE_SHARE = 0.01


@dataclass(frozen=True)
class Terms:
    """What counts as a term: words up to n-grams of `words`, characters up to `characters`; `chinese`: by jieba."""

    words: int = 2
    characters: int = 4
    chinese: bool = False

    def of(self, text: str) -> list[str]:
        """All terms of a masked text with repetitions: `w` and words joined by a space, `c` and characters.

        Those of two texts: as `pair_terms` describes; of a sentence with head and tail: as `relation_terms`.
        """
        if len(texts := split_texts(text)) == 2:
            return pair_terms(*map(self.of, texts))
        if len(texts) == 3:
            return relation_terms(self.of, *texts)
        found: list[str] = []
        if self.words:
            words = [text[start:end].lower() for start, end in word_spans(text, self.chinese)]
            found += ["w" + word for word in words]
            for size in range(2, self.words + 1):
                found += ["w" + " ".join(words[i : i + size]) for i in range(len(words) - size + 1)]
        # A placeholder is one character here; the terms of words say which placeholder it is.
        line = _SPACE.sub(" ", PLACEHOLDER.sub("⟦", text)).strip().lower()
        for size in range(1, self.characters + 1):
            found += ["c" + line[i : i + size] for i in range(len(line) - size + 1)]
        return found


class Features:
    """A fitted vocabulary with its weights. Safe to use from several threads."""

    def __init__(self, terms: Terms, vocabulary: Sequence[str], idf: npt.NDArray[np.float32]) -> None:
        self.terms = terms
        self.vocabulary = tuple(vocabulary)
        self.idf = idf
        self.segmenter = segmenter_version() if terms.chinese else ""
        self._place = {term: index for index, term in enumerate(self.vocabulary)}

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> Row:
        """The terms of a masked text, (terms,) of dtype ROW, by index, of norm 1; empty where none is known.

        Of a pair the measures are beside that norm.
        """
        counts = Counter(map(self._place.get, self.terms.of(text)))
        counts.pop(None, None)
        row = np.zeros(len(counts), dtype=ROW)
        if not counts:
            return row
        index = np.fromiter(counts.keys(), dtype=np.int64, count=len(counts))
        times = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
        order = np.argsort(index)
        index, weight = index[order], 1 + np.log(times[order])
        weight *= self.idf[index]
        row["index"] = index
        if len(texts := split_texts(text)) == 2:
            row["weight"] = self._of_pair(texts, index, weight)
            return row
        row["weight"] = weight / math.sqrt(float(np.square(weight).sum()))
        return row

    def _of_pair(self, pair: Sequence[str], index: npt.NDArray[Any], weight: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The weights of a pair: those of its terms with norm 1, and its measures as they are."""
        measures = pair_measures(*map(self.terms.of, pair))
        values = [measures.get(self.vocabulary[place]) for place in index.tolist()]
        measured = np.array([value is not None for value in values])
        norm = math.sqrt(float(np.square(weight[~measured]).sum())) or 1.0
        return np.where(measured, np.array([value or 0.0 for value in values]), weight / norm)

    def write(self, folder: Path) -> None:
        """Put the vocabulary and the settings into an artifact's folder; the caller stores `idf` with its weights."""
        (folder / VOCABULARY).write_text("".join(term + "\n" for term in self.vocabulary), encoding="utf-8", newline="")
        settings = {
            "format": 1,
            "words": self.terms.words,
            "characters": self.terms.characters,
            "chinese": self.terms.chinese,
            "segmenter": self.segmenter,
        }
        (folder / SETTINGS).write_bytes(canonical_json(settings))

    @classmethod
    def read(cls, folder: Path, idf: npt.NDArray[np.float32]) -> Features:
        """What `write` wrote. Raises DamageError for files that do not fit, UsageError for another jieba, or for files
        of a newer Penjing."""
        try:
            settings = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))
            refuse_newer(settings, 1, SETTINGS, str(folder))
            terms = Terms(int(settings["words"]), int(settings["characters"]), bool(settings["chinese"]))
            vocabulary = (folder / VOCABULARY).read_bytes().decode("utf-8").split("\n")[:-1]
            segmenter = str(settings["segmenter"])
            if settings["format"] != 1 or len(vocabulary) != len(idf):
                raise ValueError(f"{len(vocabulary)} terms, {len(idf)} weights")
        except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise DamageError(
                f"the vocabulary cannot be read: {error}", where=str(folder), fix="copy or make the folder again"
            ) from None
        features = cls(terms, vocabulary, idf)
        if features.segmenter != segmenter:
            raise UsageError(
                f"this model was trained with {segmenter}, and here is {features.segmenter}: words would be "
                "segmented differently than in training",
                where=str(folder),
                fix=f"pip install jieba=={segmenter.split()[1]}",
            )
        return features


def fit_features(
    texts: Sequence[str],
    words: int = 2,
    characters: int = 4,
    min_df: int = 2,
    most: int = 200_000,
    seen: Callable[[], None] = lambda: None,
) -> Features:
    """The vocabulary of masked texts: terms in at least `min_df` of them, at most `most`; `seen` is called for each.

    If no term is in `min_df` texts, terms in one text are used. Raises DataError where no text has a term.
    """
    chinese = sum(HAN.search(text) is not None for text in texts) > _CHINESE_SHARE * len(texts)
    terms = Terms(words, characters, chinese)
    frequency: Counter[str] = Counter()
    for text in texts:
        frequency.update(set(terms.of(text)))
        if len(frequency) > _MOST_COUNTED:
            frequency = Counter({term: count for term, count in frequency.items() if count > 1})
        seen()
    kept = _most_frequent(frequency, min_df, most) or _most_frequent(frequency, 1, most)
    if not kept:
        raise DataError("no text has a word or a character to learn from", fix="check the column of the texts")
    kept = sorted(kept)
    counts = np.array([frequency[term] for term in kept], dtype=np.float64)
    return Features(terms, kept, (np.log((1 + len(texts)) / (1 + counts)) + 1).astype(np.float32))


def _most_frequent(frequency: Counter[str], min_df: int, most: int) -> list[str]:
    kept: Iterable[str] = (term for term, count in frequency.items() if count >= min_df)
    return sorted(kept, key=lambda term: (-frequency[term], term))[:most]
