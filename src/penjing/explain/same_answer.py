"""Whether a text without some of its words has the same answer: pieces are compared at their places in the whole text.

A deletion moves every piece behind it, and cuts a piece that holds a deleted word. Neither is another answer. So pieces
at a deletion, or at a piece that it cuts, are left out of both answers; the others are compared where they are in the
whole text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penjing.core.answers import Answer, Joint
from penjing.core.pair import SEPARATOR
from penjing.data.masked import Masked
from penjing.data.own_places import own_places
from penjing.explain.evidence import GAP

Piece = tuple[int, int]  # [start, end) in characters


@dataclass(frozen=True)
class LeftText:
    """A text without some of its pieces. origin: of each character its place in the whole text; gone: what is deleted.

    A gap has the place where its deletion begins.
    """

    text: str
    origin: tuple[int, ...]
    gone: tuple[Piece, ...] = ()


@dataclass(frozen=True)
class Said:
    """What is decided on a text: the outcome, the answer of the model, and the text as the model read it."""

    outcome: str
    answer: Answer
    masked: Masked


def left_of(text: str, gone: Sequence[Piece]) -> LeftText:
    """A text with a blank in place of each piece; blanks beside each other are one, and none is at the ends."""
    left = [(sign, place) for place, sign in enumerate(text)]
    for start, end in sorted(gone, reverse=True):
        left[start:end] = [(SEPARATOR if SEPARATOR in text[start:end] else GAP, start)]
    kept: list[tuple[str, int]] = []
    for sign, place in [*left, (SEPARATOR, len(text))]:
        if sign == SEPARATOR:
            if kept and kept[-1][0] == GAP:
                kept.pop()
            kept.append((sign, place))
        elif not sign.isspace():
            kept.append((sign, place))
        elif kept and kept[-1][0] not in (GAP, SEPARATOR):
            kept.append((GAP, place))
    kept.pop()
    return LeftText("".join(sign for sign, _ in kept), tuple(place for _, place in kept), tuple(gone))


def same_answer(whole: Said, rest: Said, left: LeftText) -> bool:
    """Whether what is left has the same answer as the whole text; by the outcomes where answers have no places."""
    before, after = (own_places(said.answer, said.masked).get("in_text") for said in (whole, rest))
    if before is None or after is None:
        return whole.outcome == rest.outcome
    if not isinstance(whole.answer, Joint):
        return _same_pieces(before, after, left)
    outcomes = json.loads(whole.outcome), json.loads(rest.outcome)
    return all(
        _same_pieces(before[name], after[name], left) if name in before else outcomes[0][name] == outcomes[1][name]
        for name in outcomes[0]
    )


def _same_pieces(before: Any, after: Any, left: LeftText) -> bool:
    """Whether both answers have the same pieces and relations, but for deletions and the pieces that these cut."""
    listed = before["entities"] if isinstance(before, dict) else before
    cut = [(one["start"], one["end"]) for one in listed if _touches((one["start"], one["end"]), left.gone)]
    zone = [*left.gone, *cut]
    return _apart(before, None, zone) == _apart(after, left.origin, zone)


def _apart(placed: Any, origin: Sequence[int] | None, zone: Sequence[Piece]) -> tuple[frozenset[Any], frozenset[Any]]:
    """The pieces at their places in the whole text, and the relations between them, but for those that touch a zone."""
    listed, links = (placed["entities"], placed["relations"]) if isinstance(placed, dict) else (placed, ())
    pieces: list[tuple[int, int, str] | None] = []
    for one in listed:
        start, end = one["start"], one["end"]
        if origin is not None:
            start, end = origin[start], origin[end - 1] + 1
        pieces.append(None if _touches((start, end), zone) else (start, end, one["label"]))
    related = ((pieces[one["head"]], one["label"], pieces[one["tail"]]) for one in links)
    return (
        frozenset(each for each in pieces if each is not None),
        frozenset(each for each in related if each[0] is not None and each[2] is not None),
    )


def _touches(piece: Piece, zone: Sequence[Piece]) -> bool:
    return any(piece[0] < end and start < piece[1] for start, end in zone)
