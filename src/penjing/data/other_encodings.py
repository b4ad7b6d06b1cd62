"""Recognises encodings that are read only when they are named, so that they are refused and not misread.

Each is decoded strictly and must look like its language: kana in Japanese, Hangul alone in Korean, words of Cyrillic or
Greek in the case in which people write them. Encodings of seven bits are known by their escapes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise

from penjing.core.errors import DataError
from penjing.data.plausible import plausibility

_KANA = re.compile("[ぁ-ゖァ-ヺー]")
_WIDE = re.compile("[぀-ヿ一-鿿가-힣ｦ-ﾟ]")
_HANGUL = re.compile("[가-힣]")
_LEAST_KANA = 0.2  # share; even a formal Japanese text has more, a Chinese one less
_LEAST_HANGUL = 0.95
_LEAST = 8  # different characters that are all in the range of Hangul by accident once in some hundred texts
_SEVERAL = 4
_RUNNING = 1.2  # plausibility of a text in the right encoding is higher
_ESCAPES = (
    (re.compile(rb"\x1b(?:\$[@B]|\([IJ])"), "iso2022_jp", "Japanese in ISO-2022-JP"),
    (re.compile(rb"~\{(?:[\x21-\x7e]{2})+~\}"), "hz", "Chinese in HZ"),
)
_BASE64 = re.compile(rb"\+[A-Za-z0-9+/]{3,}-?")
# Letters of half of all running text.
_SCRIPTS = {
    "Cyrillic": (re.compile("[А-яЁёІіЇїЄєҐґ]"), "оеаинтОЕАИНТ"),
    "Greek": (re.compile("[Ά-ώ]"), "αοιετσΑΟΙΕΤΣ"),
}
_LETTERS = (
    ("cp1251", "Cyrillic", "Cyrillic letters in Windows-1251"),
    ("koi8_r", "Cyrillic", "Cyrillic letters in KOI8-R"),
    ("cp866", "Cyrillic", "Cyrillic letters in CP866"),
    ("iso8859_5", "Cyrillic", "Cyrillic letters in ISO 8859-5"),
    ("cp1253", "Greek", "Greek letters in Windows-1253"),
)
_LEAST_FREQUENT = 0.3
_LEAST_LETTERS = 0.9
_MOST_TURNS = 0.05  # share of letters that follow a small one as a capital


def refuse_other(head: bytes, where: str, plausible: float = 0.0) -> None:
    """Raise DataError with the encoding that these bytes seem to be in, if it is one that is not detected.

    head: the beginning of a text; plausible: the plausibility in the encoding that was found (`data/plausible`).
    """
    found = _by_escapes(head) if head.isascii() else _by_letters(head[: head.rfind(b"\n") + 1] or head, plausible)
    if found is None:
        return
    name, words = found
    also = " or gb18030" if name in ("euc_kr", "euc_jp") else ""
    raise DataError(
        f"this seems to be {words}, which would be read as meaningless letters",
        where=where,
        fix=f"name the encoding: --encoding {name}{also} (in a recipe, `encoding:`), or save it as UTF-8",
    )


def wide_without_mark(head: bytes) -> str | None:
    """UTF-32 without a mark: other bytes hardly ever form numbers below 110000 (hex) in groups of four."""
    whole = head[: len(head) // 4 * 4]
    if len(whole) < 16:
        return None
    for name in ("utf-32-le", "utf-32-be"):
        try:
            text = whole.decode(name)
        except UnicodeDecodeError:
            continue
        if text.count("\x00") * 8 <= len(text):
            return name
    return None


def _by_escapes(head: bytes) -> tuple[str, str] | None:
    for pattern, name, words in _ESCAPES:
        if pattern.search(head) and _sensible(head, name):
            return name, words
    if len(_BASE64.findall(head)) > 1 and _sensible(head, "utf-7"):
        return "utf-7", "UTF-7"
    return None


def _sensible(head: bytes, name: str) -> bool:
    """Whether all of it decodes, to several characters that are mostly not rare."""
    try:
        text = head[: head.rfind(b"\n") + 1].decode(name) if b"\n" in head else head.decode(name)
    except UnicodeDecodeError:
        return False
    several = len({character for character in text if character > "\x7f"}) >= _SEVERAL
    mean, count = plausibility(_KANA.sub("的", text))
    return several and (mean > 1.0 or len(_HANGUL.findall(text)) > count / 2)


def _by_letters(head: bytes, plausible: float) -> tuple[str, str] | None:
    tests: list[tuple[str, str, Callable[[str], bool]]] = [
        ("euc_jp", "Japanese in EUC-JP", _is_japanese),
        ("cp932", "Japanese in Shift-JIS", _is_japanese),
        ("euc_kr", "Korean in EUC-KR", lambda text: _is_korean(text, plausible)),
    ]
    if plausible < _RUNNING:
        tests += [
            (name, words, lambda text, script=script: _is_written(text, script))  # type: ignore[misc]
            for name, script, words in _LETTERS
        ]
    for name, words, fits in tests:
        text = head.decode("cp949" if name == "euc_kr" else name, "replace")
        broken = text.count("\ufffd")
        if broken * 50 <= sum(character > "\x7f" for character in text) and fits(text):
            return name, words
    return None


def _is_japanese(text: str) -> bool:
    wide = len(_WIDE.findall(text))
    return wide > 3 and len(_KANA.findall(text)) >= _LEAST_KANA * wide


def _is_korean(text: str, plausible: float) -> bool:
    hangul = _HANGUL.findall(text)
    enough = len(set(hangul)) >= (_LEAST if plausible < _RUNNING else 3 * _LEAST)
    return enough and len(hangul) >= _LEAST_HANGUL * len(_WIDE.findall(text))


def _is_written(text: str, script: str) -> bool:
    """Nearly all of its letters are of that script, the frequent ones among them, capitals where words begin."""
    pattern, frequent = _SCRIPTS[script]
    letters = pattern.findall(text)
    others = sum(character > "\x7f" for character in text)
    if len(letters) < _LEAST or len(letters) < _LEAST_LETTERS * others:
        return False
    turns = sum(one.islower() and one > "\x7f" and two.isupper() for one, two in pairwise(text))
    known = sum(letter in frequent for letter in letters)
    small = sum(letter.islower() for letter in letters)
    return known >= _LEAST_FREQUENT * len(letters) and turns <= _MOST_TURNS * len(letters) and 2 * small > len(letters)
