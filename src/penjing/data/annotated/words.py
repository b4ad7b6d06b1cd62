"""Words that a file names without their places: each is looked for in the text, apart from the other entities."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from penjing.core.errors import DataError, shown
from penjing.data.annotated.document import LabelledSpan

ENTITY = "entity"  # the label of a word whose type the file does not say


@dataclass(frozen=True)
class Word:
    """An entity by its words alone, with its label."""

    surface: str
    label: str = ENTITY


def place_words(text: str, entities: Sequence[LabelledSpan | Word]) -> tuple[list[LabelledSpan], bool]:
    """The spans of entities, in the order given, and whether some word is in the text several times.

    Longer words are placed first. A word gets its first place that no other entity has and that cuts no word of Latin
    letters; if there is none, its first place. Raises DataError for a word that is not in the text.
    """
    taken = [(each.start, each.end) for each in entities if isinstance(each, LabelledSpan)]
    places: dict[str, int] = {}
    several = False
    words = {each.surface for each in entities if isinstance(each, Word)}
    for surface in sorted(words, key=lambda word: (-len(word), word)):
        found = list(_places(text, surface)) if surface else []
        if not found:
            what = f"`{shown(surface, 40)}` is not in the text of its row"
            raise DataError(what, fix="write the words of head and tail as they are in the text")
        several |= len(found) > 1
        places[surface] = min(found, key=lambda start: (_touches(start, surface, taken), _cuts(text, start, surface)))
        taken.append((places[surface], places[surface] + len(surface)))
    spans = [
        each
        if isinstance(each, LabelledSpan)
        else LabelledSpan(places[each.surface], places[each.surface] + len(each.surface), each.label, each.surface)
        for each in entities
    ]
    return spans, several


def _places(text: str, surface: str) -> Iterator[int]:
    start = text.find(surface)
    while start >= 0:
        yield start
        start = text.find(surface, start + 1)


def _touches(start: int, surface: str, taken: Sequence[tuple[int, int]]) -> bool:
    return any(start < end and first < start + len(surface) for first, end in taken)


def _cuts(text: str, start: int, surface: str) -> bool:
    """Whether the place begins or ends inside a word of ASCII letters and digits."""
    end = start + len(surface)
    pairs = (text[max(start - 1, 0) : start] + surface[0], surface[-1] + text[end : end + 1])
    return any(len(pair) == 2 and pair.isascii() and pair.isalnum() for pair in pairs)
