"""Token ids for the engines: the raw tokenizer, windows over long texts, padding to a few fixed lengths."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Ids = npt.NDArray[np.int64]

TOKENIZER = "tokenizer.json"
# An engine prepares itself anew for every shape that it meets (some 50 ms each in OpenVINO), so shapes are few;
# steps of a quarter keep the padding of a text below a quarter of its length.
BUCKETS = (8, 16, 24, 32, 40, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512)
BATCHES = (16, 4, 1)
# Most tokens of a batch, padding included: what a pass needs in memory grows with them.
BATCH_TOKENS = 4096
MAX_OVERLAP = 32
_PADS = ("[PAD]", "<pad>")


@dataclass(frozen=True)
class Window:
    """A piece of a text: ids with the special tokens, and how many tokens it shows that no earlier window showed."""

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
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._encode = tokenizer.encode_batch_fast
        # The template puts its special tokens around the content: where the content of any text begins and ends.
        whole = tokenizer.encode("a").ids
        content = tokenizer.encode("a", add_special_tokens=False).ids
        self._before = next(
            (i for i in range(len(whole)) if whole[i : i + len(content)] == content and len(content)), 0
        )
        self._after = len(whole) - len(content) - self._before
        if limit <= self._before + self._after:
            raise DamageError(f"max_tokens is {limit}: it leaves no room beside the special tokens", where=TOKENIZER)

    @classmethod
    def load(cls, artifact: Artifact) -> Tokens:
        """The tokenizer at the artifact's root. Raises DamageError for a missing or unreadable tokenizer.json."""
        path = artifact.folder / TOKENIZER
        return cls(read_tokenizer(path), artifact.card.max_tokens or BUCKETS[-1])

    def encode(self, texts: Sequence[str]) -> list[Ids]:
        """Ids of each text, (tokens,) int64, special tokens included, of any length."""
        return [np.array(encoding.ids, dtype=np.int64) for encoding in self._encode(list(texts))]

    def windows(self, ids: Ids) -> list[Window]:
        """Pieces of at most `limit` tokens that cover all of the content, each between the special tokens.

        Neighbours overlap by a quarter of the room, at most 32 tokens, so that no phrase is seen only in halves; the
        last one is moved back to full length. The weights add up to the tokens of the content (1 for an empty text).
        """
        end = len(ids) - self._after
        if len(ids) <= self.limit:
            return [Window(ids, max(1, end - self._before))]
        head, tail, content = ids[: self._before], ids[end:], ids[self._before : end]
        room = self.limit - self._before - self._after
        step = room - min(MAX_OVERLAP, room // 4)
        starts = [*range(0, len(content) - room, step), len(content) - room]
        seen, pieces = 0, []
        for start in starts:
            pieces.append(Window(np.concatenate((head, content[start : start + room], tail)), start + room - seen))
            seen = start + room
        return pieces

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
        """Positions of the rows in batches of one bucket each, of 16, 4 or 1: so few shapes, all of them soon warm.

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
    # A model that reads no tokens does without the package.
    from tokenizers import Tokenizer

    try:
        text = path.read_text(encoding="utf-8")
        # The tokenizers library raises no class of its own for what is not a tokenizer: look before it does.
        if not isinstance(json.loads(text)["model"], dict):
            raise ValueError("it holds no model")
    except (FileNotFoundError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamageError(f"{TOKENIZER} cannot be read: {error}", where=str(path.parent)) from None
    return Tokenizer.from_str(text)


def _pad_id(tokenizer: Tokenizer) -> int:
    """RoBERTa-like models count positions by it, so the right one matters even where the mask hides it."""
    if tokenizer.padding:
        return int(tokenizer.padding["pad_id"])
    return next((found for token in _PADS if (found := tokenizer.token_to_id(token)) is not None), 0)
