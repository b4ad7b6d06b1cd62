"""Where the words of a text are: jieba for Chinese, a pattern for all else, a placeholder of the masking as one word.

Jieba's most probable path through its dictionary (Sun, jieba, 2012) without the hidden Markov model for unknown
words: that takes twice the time, and character n-grams cover unknown words anyway. Jieba's own initialisation is not
used: it reads a marshalled cache from the temporary folder, which any user of the machine can write, and it writes to
stderr.
"""

from __future__ import annotations

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
        for word in _segmenter().cut(run["han"], HMM=False):
            spans.append((start, start + len(word)))
            start += len(word)
    return spans


def segmenter_version() -> str:
    """`jieba VERSION DIGEST` of the dictionary in use. Raises MissingPackageError without jieba."""
    jieba = _jieba()
    return f"jieba {jieba.__version__} {digest_file(Path(jieba.__file__).with_name('dict.txt'))[:12]}"


@cache
def _segmenter() -> Any:
    jieba = _jieba()
    segmenter = jieba.Tokenizer()
    with Path(jieba.__file__).with_name("dict.txt").open("rb") as file:
        segmenter.FREQ, segmenter.total = segmenter.gen_pfdict(file)
    segmenter.initialized = True
    return segmenter


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
