"""Traditional characters in simplified text, as in Taiwan and Hong Kong. The tables are those of OpenCC.

Characters are converted in their words: 头发 becomes 頭髮, 发展 becomes 發展. Words stay (软件 is 軟件, not 軟體).
"""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from penjing.core.errors import MissingPackageError
from penjing.data.augment.altered import Free, Piece
from penjing.data.noise.chosen import chosen


def traditional(free: Free, share: float, source: Random) -> list[Piece]:
    """The traditional form of this share of the characters of free words that have another one."""
    converted: str = _converter().convert(free.text)
    if len(converted) != len(free.text):
        return []
    places = [place for start, end in free.words for place in range(start, end) if converted[place] != free.text[place]]
    return [(place, place + 1, converted[place]) for place in chosen(places, share, source)]


@cache
def _converter() -> Any:
    try:
        from opencc import OpenCC
    except ImportError:
        raise MissingPackageError(
            "traditional characters need the package `opencc`", fix="pip install 'penjing[train]'"
        ) from None
    return OpenCC("s2t")
