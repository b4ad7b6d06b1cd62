"""Changed copies of texts without labels: some words left out or exchanged with the next one; the rest stays as it is.

    of the words of a text a share is drawn; half of the drawn ones are left out, the others change places with the next

Source: Wei and Zou, EDA: Easy Data Augmentation, 2019 (deletion, swap). Placeholders of the masking are words that are
never drawn, and every text of a case of several keeps at least one word.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from penjing.core.pair import SEPARATOR, split_texts
from penjing.text.words import word_spans


def changed_copies(texts: Sequence[str], share: float, copies: int, seed: int) -> list[str]:
    """`copies` changed copies of each text, one copy of all texts after another; the same for the same seed."""
    return [
        SEPARATOR.join(_changed(part, share, random.Random(f"{seed} {copy} {text}")) for part in split_texts(text))
        for copy in range(copies)
        for text in texts
    ]


def _changed(text: str, share: float, draw: random.Random) -> str:
    spans = word_spans(text)
    free = [place for place, (start, _) in enumerate(spans) if text[start] != "⟦"]
    drawn = draw.sample(free, min(len(free), max(1, round(share * len(free))))) if len(free) > 1 else []
    words = [text[start:end] for start, end in spans]
    for number, place in enumerate(drawn):
        following = place + 1
        if number % 2 == 0 and sum(map(bool, words)) > 1:
            words[place] = ""
        elif following < len(words) and following in free:
            words[place], words[following] = words[following], words[place]
    return _written(text, spans, words)


def _written(text: str, spans: Sequence[tuple[int, int]], words: Sequence[str]) -> str:
    """The text with other words at the places of its words; where one is left out, no two blanks stay side by side."""
    parts, done = list[str](), 0
    for (start, end), word in zip(spans, words, strict=True):
        between = text[done:start]
        parts += [between.lstrip(" ") if parts and parts[-1] == "" else between, word]
        done = end
    return "".join([*parts, text[done:]])
