"""Spans of tokens from tags of one scheme: BIO, BIOES, BILOU or BMES."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from penjing.core.errors import DataError

OUTSIDE = "O"
# Tags that begin an entity, go on with one, end one, are one alone.
_SCHEMES = {"BIO": "BI", "BIOES": "BIES", "BILOU": "BILU", "BMES": "BMES"}
_ENDS, _ALONE = "EL", "SU"


def split_tag(tag: str) -> tuple[str, str] | None:
    """(`B`, `ORG`) of `B-ORG` or `B_ORG`, (`O`, "") of `O`; None for what is no tag."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    if len(tag) > 2 and tag[0] in "BIMESLU" and tag[1] in "-_":
        return tag[0], tag[2:]
    return None


def find_scheme(tags: Iterable[tuple[int, str]], where: str) -> str:
    """The scheme of (line, tag). Raises DataError for tags of two schemes, with a line of each."""
    first: dict[str, int] = {}
    for line, tag in tags:
        found = split_tag(tag)
        if found and found[0] != OUTSIDE:
            first.setdefault(found[0], line)
    for name, letters in _SCHEMES.items():
        if first.keys() <= set(letters):
            return name
    one, other = _clash(set(first))
    raise DataError(
        f"tags of two schemes: `{one}-` in line {first[one]}, `{other}-` in line {first[other]}",
        where=f"{where}:{max(first[one], first[other])}",
        fix="write all tags in one scheme: BIO, BIOES, BILOU or BMES",
    )


def spans_of(tags: Sequence[str], scheme: str = "BIO") -> tuple[list[tuple[int, int, str]], list[int]]:
    """(first token, token after the last, label) of each entity, and the tokens whose tag did not fit the one before.

    A tag that goes on with an entity that is not there begins one (the custom of BIO). An entity that was begun and
    has no end tag ends where another begins.
    """
    found: list[tuple[int, int, str]] = []
    odd: list[int] = []
    start, label = -1, ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        letter, named = split_tag(tag) or (OUTSIDE, "")
        going = letter in "IM" + _ENDS and start >= 0 and named == label
        if start >= 0 and not going:
            found.append((start, place, label))
            if scheme != "BIO":
                odd.append(place - 1)
            start = -1
        if letter == OUTSIDE:
            continue
        if start < 0:
            if letter in "IM" + _ENDS:
                odd.append(place)
            start, label = place, named
        if letter in _ENDS + _ALONE:
            found.append((start, place + 1, label))
            start = -1
    return found, odd


def _clash(letters: set[str]) -> tuple[str, str]:
    """Two letters that no scheme has together."""
    ordered = sorted(letters)
    pairs = ((one, other) for one in ordered for other in ordered if one < other)
    together = [set(scheme) for scheme in _SCHEMES.values()]
    return next(
        ((one, other) for one, other in pairs if not any({one, other} <= scheme for scheme in together)),
        (ordered[0], ordered[-1]),
    )
