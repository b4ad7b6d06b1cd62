"""Pieces of a text that gold and answer name: the text twice, once with each, for the page and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from penjing.core.pair import split_texts

Side = Literal["gold", "answer"]
LONGEST = 280
# Characters that are shown before the first difference of a text that is cut.
_BEFORE = 60


class Mark(BaseModel):
    """A piece [start, end) of a masked text with its type, as gold or the answer has it; `right`: both have it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Annotated[int, Field(ge=0)]
    end: Annotated[int, Field(ge=0)]
    label: str
    side: Side
    right: bool


@dataclass(frozen=True)
class Piece:
    """A part of a shown text: `label` is the type of a marked one, "" of what lies between."""

    text: str
    label: str = ""
    right: bool = True


def marks_of(gold: Sequence[tuple[int, int, str]], answer: Sequence[tuple[int, int, str]]) -> tuple[Mark, ...]:
    """The marks of both sides, from (start, end, type) of each piece; right only with equal place and type."""
    both = set(gold) & set(answer)
    sides: tuple[tuple[Side, Sequence[tuple[int, int, str]]], ...] = (("gold", gold), ("answer", answer))
    return tuple(
        Mark(start=one[0], end=one[1], label=one[2], side=side, right=one in both)
        for side, pieces in sides
        for one in sorted(pieces)
    )


def marked_text(text: str, marks: Sequence[Mark], side: Side, longest: int = LONGEST) -> list[Piece]:
    """The text in pieces with the marks of one side; of a long text the window with the first difference.

    Both sides of a text show the same window. A mark that the window cuts is shown as far as it goes. Further texts of
    the case, such as a question, stand before it.
    """
    text, *further = split_texts(text)
    begin, stop = _window(text, marks, longest)
    found = [Piece(f"{' | '.join(further)} | ")] if further else []
    found += [Piece("…")] if begin else []
    place = begin
    for mark in sorted((one for one in marks if one.side == side), key=lambda one: one.start):
        start, end = max(mark.start, place), min(mark.end, stop)
        if start >= end:
            continue
        if place < start:
            found.append(Piece(text[place:start]))
        found.append(Piece(text[start:end], mark.label, mark.right))
        place = end
    if place < stop:
        found.append(Piece(text[place:stop]))
    return [*found, Piece("…")] if stop < len(text) else found


def both_sides(text: str | None, marks: Sequence[Mark]) -> dict[Side, list[Piece]]:
    """The pieces of a text by side; empty without a text or marks."""
    if text is None or not marks:
        return {}
    return {"gold": marked_text(text, marks, "gold"), "answer": marked_text(text, marks, "answer")}


def marked_line(text: str, marks: Sequence[Mark], side: Side) -> str:
    """One side as a line of plain text: [Oslo place] is right, [Oslo place!] is wrong or missing on the other side."""
    pieces = marked_text(" ".join(text.split("\n")), marks, side)
    ends = {True: "]", False: "!]"}
    return "".join(
        "".join(("[", one.text, " ", one.label, ends[one.right])) if one.label else one.text for one in pieces
    )


def mistake_lines(errors: Sequence[tuple[float, str | None, Sequence[Mark]]], words: dict[str, str]) -> Iterator[str]:
    """The errors of a task of pieces as lines for a terminal; none where texts are not kept or nothing is marked.

    errors: the confidence, the masked text and the marks of each; words: the phrases of the page.
    """
    shown = [(p, text, marks) for p, text, marks in errors if text is not None and marks]
    if not shown:
        return
    yield words["errors_line"]
    for p, text, marks in shown:
        yield "  " + words["errors_row_line"].format(p=f"{p:.2f}")
        for side in ("gold", "answer"):
            yield "    " + words[f"marked_{side}"] + words["colon"] + marked_line(text, marks, side)


def cut(text: str | None, longest: int = LONGEST) -> str:
    """The beginning of a text, "" for none."""
    return "" if text is None else text if len(text) <= longest else text[: longest - 1] + "…"


def _window(text: str, marks: Sequence[Mark], longest: int) -> tuple[int, int]:
    if len(text) <= longest:
        return 0, len(text)
    first = min((mark.start for mark in marks if not mark.right), default=0)
    begin = max(0, min(first - _BEFORE, len(text) - longest))
    return begin, begin + longest
