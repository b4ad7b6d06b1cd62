"""Token ids for training and for the engines: one tokenizer, windows over long texts, padding to a few lengths."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from penjing.core.errors import DamageError, UsageError
from penjing.core.nouns import Artifact
from penjing.core.pair import split_pair, split_texts
from penjing.core.task import Item
from penjing.data.mask import PLACEHOLDERS
from penjing.text.entity_marks import marked
from penjing.text.passages import Passages, by_passage, reads_passages

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = npt.NDArray[np.int64]

TOKENIZER = "tokenizer.json"
# An engine prepares itself for every new shape (some 50 ms each in OpenVINO), so there are few shapes. Steps of a
# quarter keep the padding of a text below a quarter of its length.
BUCKETS = (8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512)
BATCHES = (16, 4, 1)
# The most tokens of a batch, padding included: the memory for a pass grows with them.
BATCH_TOKENS = 4096
MAX_OVERLAP = 32
# Of pieces of a passage: an answer is longer than a phrase.
PASSAGE_OVERLAP = 64
_PADS = ("[PAD]", "<pad>")


@dataclass(frozen=True)
class Window:
    """A piece of a text: ids with the special tokens, and how many of its tokens no earlier window has."""

    ids: Ids
    weight: int


class Tokens:
    """The tokenizer of an artifact, without padding and truncation. Safe to use from several threads.

    limit: the most tokens that the model takes, special tokens included; size: entries of the vocabulary.
    """

    def __init__(self, tokenizer: Tokenizer, limit: int) -> None:
        self.limit = limit
        self.pad_id = _pad_id(tokenizer)
        self.size = int(tokenizer.get_vocab_size(with_added_tokens=True))
        passages = reads_passages(tokenizer)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        if passages:
            by_passage(tokenizer)  # others read the same one, and it is written with the model
        self._tokenizer = tokenizer
        self._encode = tokenizer.encode_batch_fast
        self._encode_with_places = tokenizer.encode_batch
        # The template puts special tokens around the content: these count those before and after it.
        whole = tokenizer.encode("a").ids
        content = tokenizer.encode("a", add_special_tokens=False).ids
        self._before = next(
            (i for i in range(len(whole)) if whole[i : i + len(content)] == content and len(content)), 0
        )
        self._after = len(whole) - len(content) - self._before
        if limit <= self._before + self._after:
            raise DamageError(f"max_tokens is {limit}: it leaves no room besides the special tokens", where=TOKENIZER)
        self.passages = Passages.of(tokenizer, limit) if passages else None

    @classmethod
    def load(cls, artifact: Artifact) -> Tokens:
        """The tokenizer at the artifact's root. Raises DamageError for a missing or unreadable tokenizer.json."""
        path = artifact.folder / TOKENIZER
        return cls(read_tokenizer(path), artifact.card.max_tokens or BUCKETS[-1])

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer itself, for another limit on the same one."""
        return self._tokenizer

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Ids of each text, (tokens,) int64, special tokens included, of any length.

        A pair has at most `limit` tokens, its longer text cut, because windows over two texts would compare pieces. A
        question stands before its passage, which is whole.
        """
        if self.passages is not None:
            return self.passages.rows(texts)
        found = [np.array(encoding.ids, dtype=np.int64) for encoding in self._encode(_inputs(texts))]
        long = [place for place, ids in enumerate(found) if len(ids) > self.limit and split_pair(texts[place])]
        for place in long:
            found[place] = self._cut_pair(*_inputs(texts[place : place + 1]))
        return found

    def is_cut(self, text: str) -> bool:
        """Whether a text is a pair that `encode` cuts, or has a question that it cuts."""
        if self.passages is not None:
            return self.passages.is_cut(text)
        if split_pair(text) is None:
            return False
        (encoding,) = self._encode(_inputs([text]))
        return len(encoding.ids) > self.limit

    @cached_property
    def _cutting(self) -> Tokenizer:
        """A copy that cuts, because that is a setting of the whole tokenizer."""
        copied = type(self._tokenizer).from_str(self._tokenizer.to_str())
        copied.enable_truncation(max_length=self.limit)
        return copied

    def _cut_pair(self, pair: str | tuple[str, str]) -> Ids:
        """Ids of a pair in the limit, a token taken from the end of the longer text each time."""
        return np.array(self._cutting.encode(*pair).ids, dtype=np.int64)

    def offsets(self, texts: Sequence[str]) -> list[Ids]:
        """The place of each token of each text, (tokens, 2) in characters; (0, 0) for a special token.

        Of a question and a passage the tokens of the passage have places.
        """
        if self.passages is not None:
            return self.passages.places(texts)
        return [np.array(one.offsets, dtype=np.int64).reshape(-1, 2) for one in self._encode_with_places(list(texts))]

    def first_window(self, places: Ids) -> Ids:
        """The places of the tokens in the first of `windows`, from those of a whole text."""
        if len(places) <= self.limit:
            return places
        after = self._after if self.passages is None else len(self.passages.last)
        return np.concatenate((places[: self.limit - after], places[len(places) - after :]))

    @property
    def frame(self) -> tuple[int, int]:
        """The number of special tokens before and after the content of a text."""
        return self._before, self._after

    def frame_of(self, ids: Ids) -> tuple[int, int]:
        """The number of tokens of a row that each of its windows has before its piece of the content, and after it."""
        if self.passages is not None:
            return self.passages.begin(ids), len(self.passages.last)
        return self.frame

    def windows(self, ids: Ids) -> list[Window]:
        """Pieces of at most `limit` tokens that cover all of the content, each between the special tokens.

        Neighbours overlap by a quarter of the room, at most 32 tokens, so that a phrase at a cut is whole in one of
        them (pieces of a passage by a third, at most 64); the last one is moved back to full length. The weights add up
        to the tokens of the content (1 for an empty text).
        """
        before, after = self.frame_of(ids)
        end = len(ids) - after
        if len(ids) <= self.limit:
            return [Window(ids, max(1, end - before))]
        room = self.limit - before - after
        seen, pieces = 0, []
        for start in self._starts(end - before, room):
            pieces.append(Window(_window(ids, before, end, start, room), start + room - seen))
            seen = start + room
        return pieces

    def windows_of_places(self, ids: Ids, places: Ids) -> list[Ids]:
        """The places of the tokens in each of `windows`; ids, places: of the whole row."""
        before, after = self.frame_of(ids)
        end, room = len(ids) - after, self.limit - before - after
        if len(ids) <= self.limit:
            return [places]
        return [_window(places, before, end, start, room) for start in self._starts(end - before, room)]

    def _starts(self, content: int, room: int) -> list[int]:
        step = room - (min(MAX_OVERLAP, room // 4) if self.passages is None else min(PASSAGE_OVERLAP, room // 3))
        return [*range(0, content - room, step), content - room]

    def bucket(self, length: int) -> int:
        """The length to which ids of this length are padded: the next bucket, never beyond the model's limit."""
        place = bisect_left(BUCKETS, length)
        return max(length, min(BUCKETS[place], self.limit)) if place < len(BUCKETS) else length

    def pad(self, batch: Sequence[Ids]) -> tuple[Ids, Ids]:
        """input_ids and attention_mask, both (batch, bucket) int64, of rows of any lengths."""
        width = self.bucket(max(map(len, batch)))
        ids = np.full((len(batch), width), self.pad_id, dtype=np.int64)
        mask = np.zeros((len(batch), width), dtype=np.int64)
        for row, values in enumerate(batch):
            ids[row, : len(values)] = values
            mask[row, : len(values)] = 1
        return ids, mask

    def batches(self, rows: Sequence[Ids]) -> list[list[int]]:
        """Positions of the rows in batches of one bucket each, of 16, 4 or 1 rows, so that there are few shapes.

        No batch of several rows has more than `BATCH_TOKENS` tokens.
        """
        order = sorted(range(len(rows)), key=lambda i: (self.bucket(len(rows[i])), i))
        groups: list[list[int]] = []
        start = 0
        while start < len(order):
            width = self.bucket(len(rows[order[start]]))
            end = start
            while end < len(order) and self.bucket(len(rows[order[end]])) == width:
                end += 1
            while start < end:
                size = next(size for size in BATCHES if size == 1 or size <= min(end - start, BATCH_TOKENS // width))
                groups.append(order[start : start + size])
                start += size
        return groups


def read_tokenizer(path: Path) -> Tokenizer:
    """A tokenizer.json from disk. Raises DamageError where it is missing or is not one."""
    # A model that reads no tokens does not need the package.
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_str(_content(path))
    except (FileNotFoundError, ValueError, RecursionError) as error:
        raise DamageError(f"{TOKENIZER} cannot be read: {error}", where=str(path.parent)) from None


def open_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a base or an artifact for training: no padding, no truncation, one token for each placeholder.

    Raises UsageError where it is missing or is not one.
    """
    from tokenizers import AddedToken, Tokenizer

    path = folder / TOKENIZER
    try:
        tokenizer = Tokenizer.from_str(_content(path))
    except (FileNotFoundError, ValueError, RecursionError) as error:
        raise UsageError(
            f"{TOKENIZER} cannot be read: {error}",
            where=str(path),
            fix="save its fast tokenizer: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)",
        ) from None
    passages = reads_passages(tokenizer)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    if passages:
        by_passage(tokenizer)
    known = tokenizer.get_vocab(with_added_tokens=True)
    new = [token for token in PLACEHOLDERS.values() if token not in known]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in new])
    return tokenizer


@dataclass(frozen=True)
class Encoded:
    """Token ids of texts, special tokens included; `cut` counts the texts that were longer than the limit.

    places: [start, end) of each token in characters, (tokens, 2) a text; (0, 0) for a special token.
    """

    ids: list[Ids]
    cut: int
    places: list[Ids]

    @property
    def lengths(self) -> Ids:
        """Tokens of each text, (n,) int64."""
        return np.fromiter((len(row) for row in self.ids), dtype=np.int64, count=len(self.ids))


def encode(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> Encoded:
    """Ids of each text, at most `max_tokens` with its special tokens; a longer text keeps its beginning.

    Of a pair the longer text is cut first; of a question and a passage the passage.
    """
    if reads_passages(tokenizer):
        return _first_windows(Passages.of(tokenizer, max_tokens), texts)
    tokenizer.enable_truncation(max_length=max_tokens)
    try:
        encodings = tokenizer.encode_batch(_inputs(texts))
    finally:
        tokenizer.no_truncation()
    ids = [np.asarray(encoding.ids, dtype=np.int64) for encoding in encodings]
    places = [np.asarray(encoding.offsets, dtype=np.int64).reshape(-1, 2) for encoding in encodings]
    return Encoded(ids=ids, cut=sum(bool(encoding.overflowing) for encoding in encodings), places=places)


def _first_windows(passages: Passages, texts: Sequence[str]) -> Encoded:
    limit, after = passages.limit, len(passages.last)
    rows, places = passages.rows(texts), passages.places(texts)
    cut = sum(len(row) > limit for row in rows)

    def first(row: Ids) -> Ids:
        return row if len(row) <= limit else np.concatenate((row[: limit - after], row[len(row) - after :]))

    return Encoded(ids=[first(row) for row in rows], cut=cut, places=[first(one) for one in places])


def items_of(texts: Sequence[str], encoded: Encoded) -> list[Item]:
    """Encoded texts as a task reads them: of one that was cut only the places of its first tokens."""
    return [Item(text, places) for text, places in zip(texts, encoded.places, strict=True)]


def _window(row: Ids, before: int, end: int, start: int, room: int) -> Ids:
    """A row with `room` tokens of its content alone, from `start` on."""
    return np.concatenate((row[:before], row[before + start : before + start + room], row[end:]))


def _inputs(texts: Sequence[str]) -> list[str | tuple[str, str]]:
    """Texts as the tokenizer takes them: of a pair both, which it joins as its base was trained; a sentence marked."""
    return [_input(*split_texts(text)) for text in texts]


def _input(text: str, *further: str) -> str | tuple[str, str]:
    if len(further) == 2:
        return marked(text, *further)
    return (text, *further) if further else text  # type: ignore[return-value]


def _content(path: Path) -> str:
    """The text of a tokenizer.json. Raises ValueError for what is not one: the library has no exception of its own."""
    text = path.read_text(encoding="utf-8")
    found = json.loads(text)
    if not isinstance(found, dict) or not isinstance(found.get("model"), dict):
        raise ValueError("it holds no model")
    return text


def _pad_id(tokenizer: Tokenizer) -> int:
    """The id of padding. RoBERTa-like models count positions from it, so it matters even where the mask hides it."""
    if tokenizer.padding:
        return int(tokenizer.padding["pad_id"])
    return next((found for token in _PADS if (found := tokenizer.token_to_id(token)) is not None), 0)
