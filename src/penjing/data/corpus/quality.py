"""Why a text is not worth training on: rules of form with fixed bounds, each with a name that is counted.

The rules follow Gopher (Rae et al., "Scaling Language Models", 2021, table A1) and C4 (Raffel et al., 2020), with
bounds for Chinese, where a token is one character. The bounds were set on public Chinese and English texts.
"""

from __future__ import annotations

import re
from collections import Counter

import numpy as np

from penjing.data.corpus.characters import (
    DIGIT,
    HAN,
    LATIN,
    SPACE,
    SYMBOL,
    Characters,
    TextTokens,
    places_in,
    word_hashes,
)

SHORTEST = 8  # tokens
_SYMBOLS, _DIGITS = 0.25, 0.50  # shares of visible characters
_LETTERS = 0.35
_REPEATED_LINES = 0.40  # share of characters in lines that were there before
_REPEATED_RUNS, _ENOUGH = 0.70, 60  # laws repeat half of their runs
_LETTER_AGAIN, _SIGN_AGAIN = 20, 80  # times that one character may follow itself
_WORD_LENGTH = (2.0, 12.0)
_LONG = 60  # tokens from which a text must have words that prose has
_ELLIPSES = 0.4
_LOOK = 2000  # characters, or words, among which words of prose are looked for
_PROSE_ZH = re.compile("[的了是在不有和人这中大为上个我他她你们也就说与及以其而之于或对等可]")
_PROSE_EN_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with", "is", "a", "in", "for", "it", "you", "are")
_PROSE_EN = word_hashes(_PROSE_EN_WORDS)
_FILLER = re.compile(r"lorem ipsum|占位文字|此处填写正文", re.IGNORECASE)
# Lines of web pages that say nothing of their subject.
_BOILERPLATE = re.compile(
    r"[ |·>*-]*(?:版权所有|copyright ?(?:©|\(c\)|20)|©|all rights reserved|[京沪粤浙苏]icp备|上一篇|下一篇"
    r"|上一页|下一页|返回顶部|返回首页|点击(?:查看|下载|进入|这里)|扫码关注|扫描二维码|关注(?:我们|微信|公众号)|责任编辑[:：]|编辑[:：]"
    r"|分享到[:：]?|打印本页|关闭窗口"
    r"|cookie policy|privacy policy|terms of (?:use|service)|accept (?:all )?cookies|(?:enable|requires?) javascript"
    r"|subscribe to our|sign up for our|skip to (?:main )?content|share on (?:facebook|twitter)|back to top|read more"
    r"|all comments|leave a (?:reply|comment))"
)
_BOILERPLATE_LENGTH = 60  # characters of such a line at most


def without_boilerplate(text: str) -> tuple[str, int]:
    """The text without short lines of menus, footers and notices; how many were removed."""
    lines = text.split("\n")
    kept = [line for line in lines if len(line) > _BOILERPLATE_LENGTH or not _BOILERPLATE.match(line.lower())]
    return (text, 0) if len(kept) == len(lines) else ("\n".join(kept), len(lines) - len(kept))


def fault_of(text: str, read: Characters, found: TextTokens, counted: tuple[int, int]) -> str | None:
    """The first rule that a text breaks, or None. counted: its different shingles, and the tokens that it needs.

    The names are too_short, symbols, digits, filler, repetition, word_length, ellipses and no_prose. Repetition is
    lines that occur again, one character many times, or few different shingles.
    """
    different, shortest = counted
    if len(found) < shortest:
        return "too_short"
    visible = read.visible
    if read.counts[SYMBOL] > _SYMBOLS * visible:
        return "symbols"
    if read.counts[DIGIT] > _DIGITS * visible:
        return "digits"
    if read.letters < _LETTERS * visible:
        return "symbols"
    if _FILLER.search(text):
        return "filler"
    if _repeats_character(read) or _repeats_lines(text) or _repeats_runs(found, different):
        return "repetition"
    return _unlike_prose(text, read, found)


def _repeats_lines(text: str) -> bool:
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 4:
        return False
    again = sum(len(line) * (times - 1) for line, times in Counter(lines).items())
    return again > _REPEATED_LINES * len(text)


def _repeats_character(read: Characters) -> bool:
    same = read.codes[1:] == read.codes[:-1]
    if np.count_nonzero(same) < _LETTER_AGAIN - 1:
        return False
    edges = np.flatnonzero(~same)
    begins, ends = np.concatenate([[0], edges + 1]), np.concatenate([edges + 1, [len(read.codes)]])
    long = begins[ends - begins >= _LETTER_AGAIN]
    if not len(long):
        return False
    kinds, sizes = read.kinds[long], (ends - begins)[ends - begins >= _LETTER_AGAIN]
    return bool(((kinds >= LATIN) | ((sizes >= _SIGN_AGAIN) & (kinds != SPACE))).any())


def _repeats_runs(found: TextTokens, different: int) -> bool:
    return len(found) >= _ENOUGH and different < (1 - _REPEATED_RUNS) * len(found)


def _unlike_prose(text: str, read: Characters, found: TextTokens) -> str | None:
    chinese = 2 * read.counts[HAN] >= len(found)
    if not chinese and not found.alone.any():
        mean = read.letters / max(1, len(found))
        if len(found) >= 20 and not _WORD_LENGTH[0] <= mean <= _WORD_LENGTH[1]:
            return "word_length"
    if len(found) < _LONG:
        return None
    lines = [line for line in text.split("\n") if line.strip()]
    if sum(line.rstrip().endswith(("...", "…")) for line in lines) > _ELLIPSES * len(lines) and len(lines) > 3:
        return "ellipses"
    look = found.hashes[:_LOOK]
    hits = len(_PROSE_ZH.findall(text, 0, _LOOK)) if chinese else int((places_in(look, _PROSE_EN) >= 0).sum())
    return "no_prose" if hits * 50 < len(look) else None
