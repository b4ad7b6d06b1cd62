"""A gap in a template, and the words that may fill it: token ids of a text in its template, and scores of words.

    s_l = mean over the words v of label l of  E_v norm(gelu(W h + b)) + c_v,   h: state of the gap (model/token_head)

A word is one token of the base's vocabulary. Where a blank or nothing is before the gap, it is the token that begins a
word. Of a text that is too long the beginning stays, and the whole template.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact
from penjing.model.base import encoder_folder
from penjing.model.prompt import run_encoder
from penjing.model.token_head import TokenHead, load_token_head
from penjing.train.batches import Ints

TEXT, GAP = "{text}", "[MASK]"
_MASKS = ("[MASK]", "<mask>")
# What marks the token that begins a word: SentencePiece and byte-level BPE; WordPiece marks the others.
_BEGINS = ("▁", "Ġ")


@dataclass(frozen=True)
class Template:
    """A template over the tokens of a base. mask: the id of the gap; limit: most tokens of a text in its template."""

    pattern: str
    tokenizer: Tokenizer
    token: str
    mask: int
    limit: int

    @classmethod
    def of(cls, pattern: str, tokenizer: Tokenizer, limit: int) -> Template:
        """Raises UsageError for a base without a mask token, or a template that leaves no room for a text."""
        known = tokenizer.get_vocab(with_added_tokens=True)
        token = next((one for one in _MASKS if one in known), None)
        if token is None:
            what = "the tokenizer of this base has no token for a gap, `[MASK]` or `<mask>`"
            raise UsageError(what, where="template", fix=_FIX_BASE)
        made = cls(pattern, tokenizer, token, known[token], limit)
        own = len(made._encode("").ids)
        if own >= limit:
            what = f"the template has {own} tokens, and an input has at most {limit}"
            raise UsageError(what, where="template", fix="shorten it, or raise `max_tokens`")
        return made

    def ids(self, texts: Sequence[str]) -> list[Ints]:
        """The token ids of each text in its template, each with one gap."""
        return [np.asarray(self._fitting(text.replace(self.token, " ")), dtype=np.int64) for text in texts]

    def _fitting(self, text: str) -> list[int]:
        found = self._encode(text)
        while len(found.ids) > self.limit:
            # Places of the text's own tokens: as many characters are cut off as the surplus has.
            places = self.tokenizer.encode(text, add_special_tokens=False).offsets
            keep = max(0, len(places) - max(1, len(found.ids) - self.limit))
            text = text[: places[keep][0]] if keep < len(places) else ""
            found = self._encode(text)
        return list(found.ids)

    def _encode(self, text: str):  # type: ignore[no-untyped-def]
        before, after = self.pattern.replace(GAP, self.token).split(TEXT)
        return self.tokenizer.encode(f"{before}{text}{after}")

    def word_id(self, word: str) -> int:
        """The token of a word in the gap. Raises UsageError where it is no token."""
        before = self.pattern.replace(TEXT, "").partition(GAP)[0]
        begins = [f"{mark}{word}" for mark in _BEGINS]
        tries = [*begins, word] if not before or before[-1].isspace() else [word, *begins]
        found = next((place for one in tries if (place := self.tokenizer.token_to_id(one)) is not None), None)
        if found is None:
            pieces = " ".join(self.tokenizer.encode(word, add_special_tokens=False).tokens)
            what = f"the word `{word}` is no single token of this base: it is `{pieces}`"
            raise UsageError(what, where="words", fix="give another word for this label")
        return int(found)


class GapModel(nn.Module):
    """Scores of labels, (batch, labels), from the ids and mask of texts in a template, (batch, tokens) int64."""

    def __init__(self, encoder: nn.Module, token_head: TokenHead, mask: int, words: Sequence[Sequence[int]]) -> None:
        """words: the tokens of each label."""
        super().__init__()
        self.encoder, self.token_head, self.mask = encoder, token_head, mask
        self.tokens = [one for some in words for one in some]
        shares = torch.zeros(len(words), len(self.tokens))
        start = 0
        for label, some in enumerate(words):
            shares[label, start : start + len(some)] = 1 / len(some)
            start += len(some)
        self.register_buffer("shares", shares, persistent=False)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        hidden = run_encoder(self.encoder, input_ids, attention_mask)
        places = (input_ids == self.mask).int().argmax(dim=1)
        states = hidden[torch.arange(len(hidden), device=hidden.device), places]
        head, table = self.token_head, self.encoder.get_input_embeddings().weight  # type: ignore[operator]
        changed = head.norm(functional.gelu(head.dense(states)))
        scores = functional.linear(changed, table[self.tokens], head.bias[self.tokens])
        return scores @ self.shares.T  # type: ignore[operator]


def token_head_of(base: Artifact, encoder: nn.Module) -> TokenHead:
    """The head of a base that predicts hidden tokens. Raises UsageError where it has none."""
    table = encoder.get_input_embeddings().weight  # type: ignore[operator]
    found, known = load_token_head(encoder_folder(base), encoder.config, table)
    if not known:
        raise UsageError("this base has no head that predicts hidden tokens", fix=_FIX_BASE)
    return found


def words_of_labels(labels: Sequence[str], words: Mapping[str, Sequence[str]], template: Template) -> list[list[int]]:
    """The tokens of the words of each label; a label without words is its own word.

    Raises UsageError for words of an unknown label, a word that is no token, or one of two labels.
    """
    check_labels(labels, words)
    found = [[template.word_id(word) for word in words.get(label) or (label,)] for label in labels]
    owners: dict[int, str] = {}
    for label, tokens in zip(labels, found, strict=True):
        for token in set(tokens):
            if token in owners:
                what = f"the labels `{owners[token]}` and `{label}` have the same word"
                raise UsageError(what, where="words", fix="give each label words of its own")
            owners[token] = label
    return found


def check_labels(labels: Sequence[str], words: Mapping[str, Sequence[str]]) -> None:
    """Raise UsageError for words of an unknown label."""
    for name in words:
        if name not in labels:
            what = f"`words` has the label `{name}`, which no row has"
            raise UsageError(what, where="words", fix="the labels are: " + ", ".join(f"`{one}`" for one in labels))


_FIX_BASE = (
    "give a base of `penjing grow` with `pretrain.mlm`, or a folder with the weights of BertForMaskedLM; "
    "or take another step, such as `tune.prototype`"
)
