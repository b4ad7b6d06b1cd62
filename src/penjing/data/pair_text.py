"""Pairs of texts, cleaned and masked: each text by itself, so that nothing is found across the two."""

from __future__ import annotations

from penjing.core.errors import RequestError
from penjing.core.pair import SEPARATOR, join_pair, split_pair
from penjing.data.fold import fold
from penjing.data.mask import Masking
from penjing.data.masked import Masked

# Between the folded texts of a key: a letter, because folding drops everything else. No text in use has it.
_BETWEEN = "\ua500"


def prepare_pair(masking: Masking, raw: str) -> Masked:
    """A raw pair of `join_pair`, each text cleaned and masked; without places of the user's text.

    Empty if one of the texts is. Raises RequestError for a text that is no pair, and as `Masking.prepare`.
    """
    found = split_pair(raw)
    if found is None:
        raise RequestError("two texts are compared here, and the second one is missing", fix="give it as `other`")
    first, second = (masking.prepare(part) for part in found)
    counts = {kind: count + second.counts[kind] for kind, count in first.counts.items()}
    return Masked(join_pair(first.text, second.text) if first.text and second.text else "", counts)


def mask_parts(masking: Masking, text: str) -> Masked:
    """A cleaned text masked; of a pair each text by itself."""
    found = split_pair(text)
    if found is None:
        return masking(text)
    first, second = map(masking, found)
    counts = {kind: count + second.counts[kind] for kind, count in first.counts.items()}
    return Masked(join_pair(first.text, second.text), counts)


def compared(text: str, *, symmetric: bool) -> str:
    """A pair as duplicates are looked for: a letter between the texts, in one order if both orders mean the same."""
    first, second = split_pair(text) or (text, "")
    if symmetric and fold(second) < fold(first):
        first, second = second, first
    return f"{first} {_BETWEEN} {second}"


def parts_of(text: str) -> tuple[str, ...]:
    """The folded texts of a text that was `compared`."""
    return tuple(fold(part) for part in text.split(f" {_BETWEEN} "))


def shown_pair(text: str) -> str:
    """A text as people read it: of a pair one text a line."""
    return text.replace(SEPARATOR, "\n")
