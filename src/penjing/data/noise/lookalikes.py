"""Look-alikes: characters whose picture is nearly that of another one, as filters are evaded and scans are misread.

Chinese: `lookalikes.txt`, a line for each of 2,883 common characters with up to three others that look like it, the
most alike first; `bench/lookalikes.py` made it by comparing the pictures that a font gives. Latin letters: Cyrillic and
Greek ones of the same shape, a small table from the confusable characters of Unicode (UTS 39).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from random import Random

from penjing.data.augment.altered import Free, Piece
from penjing.data.noise.chosen import chosen

_LATIN = dict(
    zip("aceijopsxyABCEHIKMOPTXZ", "\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443\u0410\u0412\u0421"
    "\u0415\u041d\u0406\u041a\u041c\u041e\u0420\u0422\u0425\u0396", strict=True)
)  # fmt: skip


def lookalikes(free: Free, share: float, source: Random) -> list[Piece]:
    """A look-alike at this share of the characters of free words that have one."""
    table = alike()
    places = [place for start, end in free.words for place in range(start, end) if free.text[place] in table]
    return [(place, place + 1, source.choice(table[free.text[place]])) for place in chosen(places, share, source)]


@cache
def alike() -> Mapping[str, str]:
    """The look-alikes of each character that has some, the most alike first."""
    lines = files("penjing.data.noise").joinpath("lookalikes.txt").read_text(encoding="utf-8").split()
    return {line[0]: line[1:] for line in lines} | _LATIN
