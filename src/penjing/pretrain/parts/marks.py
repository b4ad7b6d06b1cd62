"""The special tokens of a vocabulary, found in its tokenizer or added to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tokenizers import AddedToken, Tokenizer

from penjing.core.nouns import Family

Ints = npt.NDArray[np.int64]
SENTINELS = 100
_MASKS, _PADS = ("[MASK]", "<mask>"), ("[PAD]", "<pad>")
_ENDS, _BEGINS = ("</s>", "<eos>", "<|endoftext|>", "[SEP]"), ("<s>", "<bos>", "[CLS]")


@dataclass(frozen=True)
class Marks:
    """Ids of special tokens. before, after: those around a document; ordinary: ids that may replace a token.

    mask: what hides a token (-1: none). sentinels: what stands for a hidden span, in their order.
    """

    before: tuple[int, ...]
    after: tuple[int, ...]
    padding: int
    mask: int
    sentinels: tuple[int, ...]
    ordinary: Ints

    @property
    def frame(self) -> int:
        """The number of special tokens around a document."""
        return len(self.before) + len(self.after)


def find_marks(tokenizer: Tokenizer, family: Family) -> Marks:
    """The marks that a family needs; a missing mask, end or sentinel is added to the tokenizer."""
    padding = _found_or_added(tokenizer, _PADS)
    before, after = _template(tokenizer)
    mask, sentinels = -1, tuple[int, ...]()
    if family == "encoder":
        mask = _found_or_added(tokenizer, _MASKS)
    else:
        before, after = (before if family == "decoder" else ()), (_found_or_added(tokenizer, _ENDS),)
    if family == "encoder-decoder":
        sentinels = tuple(_added(tokenizer, [f"<extra_id_{number}>" for number in range(SENTINELS)]))
    special = [place for place, token in tokenizer.get_added_tokens_decoder().items() if token.special]
    special += [padding, mask, *before, *after, *sentinels]
    everything = np.arange(tokenizer.get_vocab_size(with_added_tokens=True))
    return Marks(before, after, padding, mask, sentinels, np.setdiff1d(everything, special))


def begin_and_end(tokenizer: Tokenizer) -> tuple[int | None, int]:
    """The ids that begin and end a text, for the configuration of a network; the beginning may be missing."""
    before, after = _template(tokenizer)
    begin, end = _found(tokenizer, _BEGINS), _found(tokenizer, _ENDS)
    if before:
        begin = before[0]
    if after:
        end = after[-1]
    return (begin if begin >= 0 else None), max(end, 0)


def _found(tokenizer: Tokenizer, names: Sequence[str]) -> int:
    """The id of the first of these tokens that there is, -1 for none."""
    return next((place for name in names if (place := tokenizer.token_to_id(name)) is not None), -1)


def _found_or_added(tokenizer: Tokenizer, names: Sequence[str]) -> int:
    """The id of the first of these tokens that there is; where there is none, the first name is added."""
    place = _found(tokenizer, names)
    return place if place >= 0 else _added(tokenizer, names[:1])[0]


def _added(tokenizer: Tokenizer, names: Sequence[str]) -> list[int]:
    missing = [name for name in names if tokenizer.token_to_id(name) is None]
    tokenizer.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in missing])
    return [tokenizer.get_vocab(with_added_tokens=True)[name] for name in names]


def _template(tokenizer: Tokenizer) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ids that the tokenizer puts before and after a text."""
    encoding = tokenizer.encode("a")
    content = [place for place, special in enumerate(encoding.special_tokens_mask) if not special]
    if not content:
        # Nothing stands for the text itself: the first special token is before it, the others are after it.
        first = next((i for i, special in enumerate(encoding.special_tokens_mask) if special), 0) + 1
        return tuple(encoding.ids[:first]), tuple(encoding.ids[first:])
    return tuple(encoding.ids[: content[0]]), tuple(encoding.ids[content[-1] + 1 :])
