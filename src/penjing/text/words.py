"""Where the words of a text are: jieba for Chinese, a pattern for all else, a placeholder of the masking as one word.

Jieba's most probable path through its dictionary (Sun, jieba, 2012) without the hidden Markov model for unknown
words: that takes twice the time, and character n-grams cover unknown words anyway. Jieba's own initialisation is not
used: it reads a marshalled cache from the temporary folder, which any user of the machine can write, and it writes to
stderr.
"""

from __future__ import annotations

import math
import re
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from penjing.core.canon import digest_file
from penjing.core.errors import MissingPackageError

Span = tuple[int, int]
_HAN = "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003134f"
HAN = re.compile(f"[{_HAN}]")
PLACEHOLDER = re.compile("⟦[a-z_]+⟧")
# Jieba takes each of these for a word and begins anew behind it.
_OUTSIDE = re.compile("([^\u4e00-\u9fd5])")
_LETTERS = rf"[^\W_{_HAN}]+"
_RUN = re.compile(rf"⟦[a-z_]+⟧|(?P<han>[{_HAN}]+)|{_LETTERS}(?:['’]{_LETTERS})*")
_PLAIN = re.compile(r"⟦[a-z_]+⟧|[^\W_]+(?:['’][^\W_]+)*")


def word_spans(text: str, chinese: bool = True) -> list[Span]:
    """(start, end) of every word, in order; punctuation and white space belong to no word.

    chinese: whether runs of Chinese characters are cut by jieba (loaded at the first of them, about a second), or
    stay whole.
    """
    if not chinese:
        return [word.span() for word in _PLAIN.finditer(text)]
    spans: list[Span] = []
    for run in _RUN.finditer(text):
        start, end = run.span()
        if end - start == 1 or run["han"] is None:
            spans.append((start, end))
            continue
        for length in cut_lengths(run["han"]):
            spans.append((start, start + length))
            start += length
    return spans


def cut_lengths(run: str) -> list[int]:
    """The lengths of the words of a run of Chinese characters, in their order.

    The same words as `jieba.cut(run, HMM=False)`, by the same sums in the same order, in a third of the time: the
    logarithms are taken once, when the dictionary is read. Of equally probable words the longest is taken.
    """
    if _OUTSIDE.search(run):
        parts = _OUTSIDE.split(run)
        return [length for part in parts for length in ([1] if _OUTSIDE.match(part) else cut_lengths(part))]
    known, least = _segmenter()
    size = len(run)
    best, chosen = [0.0] * (size + 1), [1] * size
    for start in range(size - 1, -1, -1):
        score, length = None, 1
        end = start + 1
        while end <= size:
            found = known.get(run[start:end])
            if found is None:
                break
            if found and (score is None or found + best[end] >= score):
                score, length = found + best[end], end - start
            end += 1
        best[start] = least + best[start + 1] if score is None else score
        chosen[start] = length
    lengths, start = [], 0
    while start < size:
        lengths.append(chosen[start])
        start += chosen[start]
    return lengths


def segmenter_version() -> str:
    """`jieba VERSION DIGEST` of the dictionary in use. Raises MissingPackageError without jieba."""
    jieba = _jieba()
    return f"jieba {jieba.__version__} {digest_file(Path(jieba.__file__).with_name('dict.txt'))[:12]}"


@cache
def _segmenter() -> tuple[dict[str, float], float]:
    """ln p of every word of the dictionary, 0 for a beginning that is no word; and that of an unknown character.

    The same numbers as from `jieba.Tokenizer.gen_pfdict`, in less than half of its time.
    """
    fields = Path(_jieba().__file__).with_name("dict.txt").read_text(encoding="utf-8").split()
    words, counts = fields[0::3], list(map(int, fields[1::3]))  # each line: word, count, part of speech
    logarithm = math.log(sum(counts))
    of_count = {count: math.log(count) - logarithm if count else 0.0 for count in set(counts)}
    known = dict(zip(words, map(of_count.__getitem__, counts), strict=True))
    for word in words:
        start = word[:-1]
        while start and start not in known:
            known[start] = 0.0
            start = start[:-1]
    return known, math.log(1) - logarithm


@cache
def _jieba() -> Any:
    try:
        with warnings.catch_warnings():
            # Its patterns have escapes that newer versions of Python warn about when they compile it.
            warnings.simplefilter("ignore")
            import jieba
    except ModuleNotFoundError as error:
        raise MissingPackageError(
            f"Chinese words need the package `{error.name}`", fix="pip install jieba==0.42.1"
        ) from None
    return jieba
