"""Which tokens begin a whole word, for masking whole words: jieba for Chinese, spaces and signs for all else.

Source: Cui et al., Pre-Training with Whole Word Masking for Chinese BERT, 2019.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from penjing.text.words import word_spans

Offsets = npt.NDArray[np.int64]


def word_starts(text: str, offsets: Offsets | Sequence[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    """True where a token begins a whole word, (tokens,) bool; a word is that token and those up to the next True.

    text: as it was given to the tokenizer. offsets: (tokens, 2), places in characters, as `Tokens.offsets` gives them;
    (0, 0) is a special token, and a word of its own. Each sign is a word. A token that holds the end of one word and
    the beginning of the next begins a word. Of the bytes of one character the first begins it. A space alone belongs to
    the word before it. Words are those of `text/words.py`: `segmenter_version()` names the dictionary they depend on.
    """
    places = np.asarray(offsets, dtype=np.int64).reshape(-1, 2)
    starts = _starts(text)
    before = np.concatenate(([0], np.cumsum(starts)))
    begin, end = places[:, 0], places[:, 1]
    # A mark that normalisation put in, and all bytes of a character, have the place of that character: it counts once.
    reached = np.concatenate(([0], np.maximum.accumulate(end)[:-1])) if len(end) else end
    special = begin == end
    found = special | (before[end] > before[np.minimum(np.maximum(begin, reached), end)])
    if len(found):
        # A space at the beginning has no word before it.
        found[0] = True
        found[1:] |= special[:-1]
    return np.asarray(found, dtype=bool)


def _starts(text: str) -> npt.NDArray[np.bool_]:
    """True for the first character of each word and for each sign, (characters,) bool."""
    starts = np.array([not character.isspace() for character in text], dtype=bool)
    for start, end in word_spans(text):
        starts[start + 1 : end] = False
    return starts
