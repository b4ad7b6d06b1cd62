"""A question and the passage that may answer it, as a row of token ids: the question first, the passage after it.

    [CLS] question [SEP] passage [SEP]        windows of a long one: the same question before each piece of the passage

A case names the passage first (`core/pair.py`), so that places in the passage are places in the whole text. A tokenizer
that reads cases so is marked in its own file, by a truncation that never cuts: `only_second`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from penjing.core.errors import DamageError
from penjing.core.pair import split_texts

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = npt.NDArray[np.int64]
_MARK = "only_second"
# Longer than any text that is read.
_NEVER_CUTS = 10_000_000


def by_passage(tokenizer: Tokenizer) -> Tokenizer:
    """The tokenizer, marked as one that reads a question and a passage; it stays so in the file that is written."""
    tokenizer.enable_truncation(max_length=_NEVER_CUTS, strategy=_MARK)
    return tokenizer


def reads_passages(tokenizer: Tokenizer) -> bool:
    """Whether `by_passage` marked it."""
    return (tokenizer.truncation or {}).get("strategy") == _MARK


@dataclass(frozen=True)
class Passages:
    """How a tokenizer joins a question and a passage of at most `limit` tokens; safe to use from several threads.

    first, between, last: the special tokens before the question, between the two, and after the passage.
    """

    tokenizer: Tokenizer
    limit: int
    first: tuple[int, ...]
    between: tuple[int, ...]
    last: tuple[int, ...]

    @classmethod
    def of(cls, tokenizer: Tokenizer, limit: int) -> Passages:
        """The special tokens of two texts, found by trying, or else those of one text, the last ones of it twice.

        Raises DamageError for a tokenizer that puts none after a text, and for a limit that leaves no room.
        """
        content = tokenizer.encode("a", add_special_tokens=False).ids
        first, last = _around(tokenizer.encode("a").ids, content)
        both = tokenizer.encode("a", "a").ids
        inner, end = _around(both[len(first) + len(content) :], content)
        between = inner or last
        if not between:
            raise DamageError("the tokenizer puts nothing between a question and its passage", where="tokenizer.json")
        made = cls(tokenizer, limit, first, between, end or last)
        if limit < made.special + 2:
            raise DamageError(f"max_tokens is {limit}: it leaves no room besides the special tokens")
        return made

    @property
    def special(self) -> int:
        """How many special tokens a row has."""
        return len(self.first) + len(self.between) + len(self.last)

    def rows(self, texts: Sequence[str]) -> list[Ids]:
        """The ids of each case, (tokens,), its passage whole; a question has at most half of the room of a window."""
        return [np.array([*begin, *passage, *self.last], dtype=np.int64) for begin, passage, _ in self._read(texts)]

    def places(self, texts: Sequence[str]) -> list[Ids]:
        """[start, end) of each token in the passage, (tokens, 2) in characters; (0, 0) for all other tokens."""
        none = (0, 0)
        found = [
            [*([none] * len(begin)), *offsets, *([none] * len(self.last))] for begin, _, offsets in self._read(texts)
        ]
        return [np.array(one, dtype=np.int64).reshape(-1, 2) for one in found]

    def begin(self, row: Ids) -> int:
        """How many tokens of a row are before its passage."""
        after = np.flatnonzero(row[len(self.first) :] == self.between[0])
        return len(self.first) + (int(after[0]) if len(after) else 0) + len(self.between)

    def is_cut(self, text: str) -> bool:
        """Whether a case has a question that is longer than half of the room."""
        _, *question = split_texts(text)
        return len(self._question("".join(question))) > self._room

    @property
    def _room(self) -> int:
        return max(1, (self.limit - self.special) // 2)

    def _question(self, text: str) -> list[int]:
        """The ids of a question; the token that parts it from the passage is left out where a user wrote it."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        return [one for one in ids if one != self.between[0]]

    def _read(self, texts: Sequence[str]) -> list[tuple[list[int], list[int], list[tuple[int, int]]]]:
        """Of each case what is before the passage, and the ids and the places of the passage."""
        cases = [split_texts(text) for text in texts]
        passages = self.tokenizer.encode_batch([case[0] for case in cases], add_special_tokens=False)
        begins = [[*self.first, *self._question("".join(case[1:]))[: self._room], *self.between] for case in cases]
        return [(begin, one.ids, one.offsets) for begin, one in zip(begins, passages, strict=True)]


def _around(ids: Sequence[int], content: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ids before the content and those after it; all of them before it where it is not there."""
    size = len(content)
    places = [place for place in range(len(ids) - size + 1) if size and list(ids[place : place + size]) == content]
    start = places[0] if places else len(ids)
    return tuple(ids[:start]), tuple(ids[start + size :])
