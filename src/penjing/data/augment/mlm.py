"""Words that a masked language model puts in: some words of a text are hidden, and it says what may be there.

    hidden = max(1, round(share * words)) of the words, all at once;   each is filled with a word drawn from the model

Source: Kobayashi, Contextual Augmentation, 2018; Wu et al., Conditional BERT Contextual Augmentation, 2019 (there the
label is an input too, here it is not). What fills is given: `penjing.train.fill` reads it from a base that has the
head of its pre-training.
When: a base with that head, and texts like those of its pre-training. When not: labels that one word decides: the model
does not know the label, and may put in its opposite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from penjing.data.augment.altered import Free, Span, rewritten
from penjing.data.masked import Masked

# A text, the spans that are hidden in it, and a source of randomness -> what stands there instead, one text a span.
Fill = Callable[[str, Sequence[Span], Random], Sequence[str]]


def filled(free: Free, share: float, source: Random, fill: Fill) -> Masked | None:
    """The text with this share of its free words filled in anew; None where there are none, or none changed."""
    if not free.words:
        return None
    chosen = sorted(source.sample(range(len(free.words)), max(1, round(share * len(free.words)))))
    spans = [free.words[place] for place in chosen]
    new = fill(free.text, spans, source)
    pieces = [
        (*span, word)
        for span, word in zip(spans, new, strict=True)
        if word.strip() and word != free.text[span[0] : span[1]]
    ]
    return rewritten(free.text, pieces) if pieces else None
