"""Back-translation: a text is translated into another language and back.

    copy = back(there(text))      kept if every placeholder of the masking is in it as often as before

Source: Sennrich, Haddow, Birch, Improving Neural Machine Translation Models with Monolingual Data, 2016; Xie et al.,
Unsupervised Data Augmentation for Consistency Training, 2020 (for classification). A translator is given as a callable:
none is shipped, so a recipe cannot ask for this yet.
When: a good translator of this field is at hand. When not: gold that has places in the text, which cannot be followed
through a translation: such a text has no copy.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from penjing.core.pair import SEPARATOR
from penjing.data.augment.altered import Free
from penjing.data.masked import Masked, counted

# One text -> its translation.
Translate = Callable[[str], str]
_PLACEHOLDER = re.compile("⟦[a-z_]+⟧")


def back_translated(free: Free, there: Translate, back: Translate) -> Masked | None:
    """The text there and back, each text of a case by itself; None where it is the same or lost a placeholder."""
    if any(not _PLACEHOLDER.fullmatch(free.text[start:end]) for start, end in free.kept):
        return None
    new = SEPARATOR.join(back(there(part)) for part in free.text.split(SEPARATOR))
    if new == free.text or Counter(_PLACEHOLDER.findall(new)) != Counter(_PLACEHOLDER.findall(free.text)):
        return None
    # Nothing of the text has a place in the translation.
    return counted(new, ([(0, len(free.text), len(new))],))
