"""Back-translation: a text is translated into another language and back.

    copy = back(there(text))      kept if every placeholder of the masking is in it as often as before

Source: Sennrich, Haddow, Birch, Improving Neural Machine Translation Models with Monolingual Data, 2016; Xie et al.,
Unsupervised Data Augmentation for Consistency Training, 2020 (for classification). Translators are folders that the
recipe names (train/translator.py); none is shipped.
When: a good translator of this field is at hand. When not: gold that has places in the text, which cannot be followed
through a translation: such a text has no copy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice

from penjing.core.pair import SEPARATOR
from penjing.data.augment.altered import Free
from penjing.data.masked import Masked, counted

# Texts -> what becomes of each of them there and back.
Translate = Callable[[Sequence[str]], Sequence[str]]
_PLACEHOLDER = re.compile("⟦[a-z_]+⟧")


class ThereAndBack:
    """A text there and back, each text of a case by itself; those behind it are translated with it, in one batch."""

    def __init__(self, texts: Sequence[str], translate: Translate, batch: int) -> None:
        """texts: those for which it will probably be asked, in this order."""
        self._parts = list(dict.fromkeys(part for text in texts for part in text.split(SEPARATOR) if part.strip()))
        self._places = {part: place for place, part in enumerate(self._parts)}
        self._translate, self._batch = translate, batch
        self._known: dict[str, str] = {}

    def __call__(self, text: str) -> str:
        return SEPARATOR.join(self._part(part) for part in text.split(SEPARATOR))

    def _part(self, part: str) -> str:
        if not part.strip():
            return part
        if part not in self._known:
            place = self._places.get(part)
            later = [] if place is None else self._parts[place + 1 :]
            some = [part, *islice((one for one in later if one not in self._known), self._batch - 1)]
            self._known |= dict(zip(some, self._translate(some), strict=True))
        return self._known[part]


def back_translated(free: Free, there_and_back: Callable[[str], str]) -> Masked | None:
    """The text there and back; None where it is the same, is empty, lost a placeholder, or has gold with places."""
    if any(not _PLACEHOLDER.fullmatch(free.text[start:end]) for start, end in free.kept):
        return None
    new = there_and_back(free.text)
    parts = new.split(SEPARATOR)
    if new == free.text or any(not part.strip() for part in parts) or len(parts) != free.text.count(SEPARATOR) + 1:
        return None
    if Counter(_PLACEHOLDER.findall(new)) != Counter(_PLACEHOLDER.findall(free.text)):
        return None
    # Nothing of the text has a place in the translation.
    return counted(new, ([(0, len(free.text), len(new))],))
