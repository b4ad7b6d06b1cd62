"""A text as a row of units, each a Chinese character, a word, a number or a sign, and what surrounds each of them.

The features of a unit are the units around it, alone and joined in runs of two to four, their kinds, and the ends of a
word: all that a linear model of tags looks at. Lower-cased; kinds keep what the case said. Of a passage and a question
(`text/passage_units.py`) the units of the passage count, after one without a place that stands for "no answer".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from penjing.core.errors import DamageError
from penjing.core.pair import split_texts
from penjing.text.passage_units import passage_features

VOCABULARY = "units.txt"
# (units,) of [start, end), and (units, TEMPLATES) of places in the vocabulary, -1 for what is not in it.
Places = npt.NDArray[np.int64]
Rows = npt.NDArray[np.int32]
_UNIT = re.compile(
    r"⟦\w+⟧|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W\d_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+|\d+|\S"
)
# From which unit to which, relative to the unit itself.
_RUNS = (
    (-2, -2), (-1, -1), (0, 0), (1, 1), (2, 2), (-2, -1), (-1, 0), (0, 1), (1, 2), (-2, 0), (-1, 1), (0, 2),
    (-3, 0), (0, 3),
)  # fmt: skip
_KINDS = ((-1, -1), (0, 0), (1, 1), (-1, 1))
_AFFIX = 3
TEMPLATES = len(_RUNS) + len(_KINDS) + 2


def places_of(text: str) -> Places:
    """[start, end) of each unit in characters, (units, 2); white space is in none.

    Of a passage with its question (0, 0) first, of "no answer".
    """
    passage, *question = split_texts(text)
    found = [one.span() for one in _UNIT.finditer(passage)]
    return np.array([(0, 0), *found] if question else found, dtype=np.int64).reshape(-1, 2)


class Surroundings:
    """A fitted vocabulary of the features of units. Safe to use from several threads."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        self.vocabulary = tuple(vocabulary)
        self._place = {feature: index for index, feature in enumerate(self.vocabulary)}

    def __len__(self) -> int:
        return len(self.vocabulary)

    def encode(self, text: str) -> Rows:
        """(units, TEMPLATES) places in the vocabulary, -1 for a feature that is not in it."""
        rows = [[self._place.get(feature, -1) for feature in features] for features in features_of(text)]
        return np.array([row + [-1] * (TEMPLATES - len(row)) for row in rows], dtype=np.int32).reshape(-1, TEMPLATES)

    def write(self, folder: Path) -> None:
        """Put the vocabulary into an artifact's folder."""
        (folder / VOCABULARY).write_text("\n".join(self.vocabulary) + "\n", encoding="utf-8", newline="\n")

    @classmethod
    def read(cls, folder: Path) -> Surroundings:
        """The vocabulary of an artifact. Raises DamageError where it is missing or no text."""
        try:
            return cls((folder / VOCABULARY).read_text(encoding="utf-8").rstrip("\n").split("\n"))
        except (FileNotFoundError, UnicodeDecodeError) as error:
            raise DamageError(f"{VOCABULARY} cannot be read: {error}", where=str(folder)) from None


def fit_surroundings(texts: Sequence[str], min_df: int, most: int, seen: Callable[[], None]) -> Surroundings:
    """The features in at least `min_df` texts, at most `most`, those in the most texts first; ties by the feature."""
    counts = Counter[str]()
    for text in texts:
        counts.update({feature for features in features_of(text) for feature in features})
        seen()
    kept = sorted((feature for feature, count in counts.items() if count >= min_df), key=lambda f: (-counts[f], f))
    return Surroundings(sorted(kept[:most]))


def features_of(text: str) -> list[list[str]]:
    """The features of each unit, at most TEMPLATES; beyond the ends of the text there are empty units."""
    passage, *question = split_texts(text)
    if question:
        units = [(one.group().lower(), one.start()) for one in _UNIT.finditer(passage)]
        asked = [one.group().lower() for one in _UNIT.finditer(" ".join(question))]
        written, starts = [unit for unit, _ in units], [start for _, start in units]
        return passage_features(passage, written, starts, asked, " ".join(question))
    written = [one.group() for one in _UNIT.finditer(text)]
    edge = [""] * _AFFIX
    words = [*edge, *(word.lower() for word in written), *edge]
    kinds = [*edge, *(_kind(word) for word in written), *edge]
    found = []
    for i in range(_AFFIX, _AFFIX + len(written)):
        features = [f"{first}{last}\x1f" + "\x1f".join(words[i + first : i + last + 1]) for first, last in _RUNS]
        features += [f"k{first}{last}\x1f" + "\x1f".join(kinds[i + first : i + last + 1]) for first, last in _KINDS]
        features += ["b\x1f" + words[i][:_AFFIX], "e\x1f" + words[i][-_AFFIX:]]
        found.append(features)
    return found


def _kind(unit: str) -> str:
    """The kind of a unit: a number with its digits, a word by its case, a Chinese character, a sign."""
    first = unit[0]
    if first == "⟦":
        return unit
    if first.isdigit():
        return "9" * min(len(unit), 5)
    if not first.isalpha():
        return unit
    if len(unit) == 1 and first >= "\u3040":
        return "h"
    if unit.isupper():
        return "A" * min(len(unit), 3)
    return "Aa" if first.isupper() else "a"
