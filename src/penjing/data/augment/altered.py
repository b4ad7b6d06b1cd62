"""A text some of whose words may be altered: which ones, what comes of it, and its gold with the places moved along.

Never altered: placeholders of the masking, what a gold has places of, and, of a case of several texts, a text that the
first one has in it (head and tail of a relation) together with its places there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from penjing.core.errors import DataError, RequestError
from penjing.core.pair import SEPARATOR, split_texts
from penjing.core.task import PairReader, Reader
from penjing.data.masked import Masked, counted

# (start, end) in characters.
Span = tuple[int, int]
# (start, end, what stands there instead).
Piece = tuple[int, int, str]
# Where the words of a text are, in order, such as `penjing.text.words.word_spans`.
Words = Callable[[str], Sequence[Span]]
_PLACEHOLDER = re.compile("⟦[a-z_]+⟧")


@dataclass(frozen=True)
class Free:
    """A masked text, and its words that may be altered, in order; each in `part` of the texts of its case."""

    text: str
    words: tuple[Span, ...]
    parts: tuple[int, ...]
    kept: tuple[Span, ...] = ()

    def word(self, place: int) -> str:
        """The characters of one of the words."""
        start, end = self.words[place]
        return self.text[start:end]


def free_words(text: str, words: Words, kept: Sequence[Span] = ()) -> Free:
    """The words of a masked text that touch no placeholder and nothing of `kept`."""
    closed = [*kept, *(found.span() for found in _PLACEHOLDER.finditer(text))]
    found = [
        (start, end) for start, end in words(text) if not any(start < last and first < end for first, last in closed)
    ]
    return Free(text, tuple(found), tuple(text.count(SEPARATOR, 0, start) for start, _ in found), tuple(closed))


def rewritten(text: str, pieces: Sequence[Piece]) -> Masked:
    """A text with these pieces replaced, which do not overlap; its offsets lead from `text` to it."""
    written, edits, done = [], [], 0
    for start, end, new in sorted(pieces):
        written += [text[done:start], new]
        edits.append((start, end, len(new)))
        done = end
    return counted("".join([*written, text[done:]]), (edits,) if edits else ())


class _Asked:
    """A text whose places stay as they are, and that notes which of them are asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.places: list[Span] = []

    @property
    def offsets(self) -> _Asked:
        return self

    def to_masked(self, start: int, end: int) -> Span:
        """The same places."""
        self.places.append((start, end))
        return start, end


def gold_places(reader: Reader, text: str, gold: str) -> list[Span]:
    """The pieces of a masked text that its gold is about: those that the task asks for when it reads the gold."""
    asked = _Asked(text)
    if gold:
        reader.read(gold, asked)
    return asked.places


def named_places(reader: Reader, text: str) -> list[Span]:
    """Of a case of several texts: those that the first one has in it, and their places there."""
    if not isinstance(reader, PairReader):
        return []
    first, *others = split_texts(text)
    found: list[Span] = []
    place = len(first) + len(SEPARATOR)
    for other in others:
        if other and other in first:
            found += [(place, place + len(other)), *(each.span() for each in re.finditer(re.escape(other), first))]
        place += len(other) + len(SEPARATOR)
    return found


def moved_gold(reader: Reader, gold: str, text: str, altered: Masked) -> str | None:
    """The gold of `text` for the altered text; None where it has no place there, or where its texts are no case."""
    try:
        if isinstance(reader, PairReader):
            reader.check_texts(split_texts(altered.text))
        # A gold without places is the same for both texts.
        return reader.read(gold, altered) if gold_places(reader, text, gold) else gold
    except (DataError, RequestError):
        return None
