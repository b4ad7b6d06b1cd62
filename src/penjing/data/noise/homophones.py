"""Homophones: Chinese characters that sound alike, as they come out of typing by pinyin and out of speech recognition.

A character is replaced by another common one (the 3,755 of level 1 of GB 2312-80) with the same pinyin and tone; where
there is none, by one of another tone. How a character is read in its word, and the tables, are those of pypinyin (MIT
licence): 长大 is zhǎng, 长度 is cháng.
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from penjing.core.errors import MissingPackageError
from penjing.data.augment.altered import Free, Piece
from penjing.data.noise.chosen import chosen


def homophones(free: Free, share: float, source: Random) -> list[Piece]:
    """A homophone at this share of the Chinese characters of free words that have one."""
    readings = _readings(free.text)
    places = [
        place for start, end in free.words for place in range(start, end) if _alike(free.text[place], readings[place])
    ]
    return [
        (place, place + 1, source.choice(_alike(free.text[place], readings[place])))
        for place in chosen(places, share, source)
    ]


def common_characters() -> list[str]:
    """The 3,755 characters of level 1 of GB 2312-80, in its order."""
    codes = (bytes((high, low)) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF))
    return [code.decode("gb2312") for code in codes if code <= b"\xd7\xf9"]


def _readings(text: str) -> list[str]:
    """The pinyin of each character in its word, with the tone as a digit; other characters stay as they are."""
    pypinyin = _pypinyin()
    found: list[str] = pypinyin.lazy_pinyin(
        text, style=pypinyin.Style.TONE3, neutral_tone_with_five=True, errors=lambda other: list(other)
    )
    # Where the two differ in length, each character is read by itself.
    return found if len(found) == len(text) else [_alone(character) for character in text]


def _alike(character: str, reading: str) -> str:
    """The common characters that sound alike, without this one; "" for none."""
    exact, toneless = _by_reading()
    same = exact.get(reading, "").replace(character, "")
    return same or toneless.get(reading[:-1], "").replace(character, "")


@cache
def _by_reading() -> tuple[dict[str, str], dict[str, str]]:
    """The common characters by their pinyin with the tone, and without."""
    exact: dict[str, str] = {}
    toneless: dict[str, str] = {}
    for character in common_characters():
        reading = _alone(character)
        exact[reading] = exact.get(reading, "") + character
        toneless[reading[:-1]] = toneless.get(reading[:-1], "") + character
    return exact, toneless


def _alone(character: str) -> str:
    pypinyin = _pypinyin()
    found: list[str] = pypinyin.lazy_pinyin(character, style=pypinyin.Style.TONE3, neutral_tone_with_five=True)
    return found[0] if len(found) == 1 else character


@cache
def _pypinyin() -> Any:
    try:
        import pypinyin
    except ImportError:
        raise MissingPackageError(
            "Chinese homophones need the package `pypinyin`", fix="pip install 'penjing[train]'"
        ) from None
    return pypinyin
