"""Fills hidden words of a text by a base that has the head of its pre-training.

    p(token at a hidden place) = softmax(head(h)) over the ten most probable words, without the hidden one; one is drawn

A hidden word has as many places as it has tokens, all hidden at once, and what is drawn for them is joined. The head is
`mlm_head.safetensors` of a base that `penjing grow` made by `pretrain.mlm`, or that of a BERT in Hugging Face form.

Source: Devlin and others, BERT, 2019; Kobayashi, Contextual Augmentation, 2018 (the words are drawn, not the best one).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import nn

from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact
from penjing.model.encoder import fit_vocabulary, load_encoder, longest_input
from penjing.model.prompt import run_encoder
from penjing.model.token_head import TokenHead, load_token_head
from penjing.text.tokens import open_tokenizer

CANDIDATES = 10
_MASKS = ("[MASK]", "<mask>")
_FEWEST = 8  # tokens of a text around which something can be said about a hidden one


@dataclass(frozen=True, eq=False)
class Filler:
    """An encoder with its head, its tokenizer, the id that hides a token, and the ids that are never put in."""

    encoder: nn.Module
    head: TokenHead
    tokenizer: Tokenizer
    mask: int
    never: torch.Tensor

    def __call__(self, text: str, spans: Sequence[tuple[int, int]], source: Random) -> list[str]:
        """A text for each span; what is beyond the longest input stays as it is."""
        encoding = self.tokenizer.encode(text)
        most = min(len(encoding.ids), longest_input(self.encoder))
        ids, places = encoding.ids[:most], encoding.offsets[:most]
        inside = [
            [place for place, (first, last) in enumerate(places) if first < last and first < end and start < last]
            for start, end in spans
        ]
        hidden = sorted({place for one in inside for place in one})
        if not hidden or len(ids) < _FEWEST:
            return [text[start:end] for start, end in spans]
        drawn = dict(zip(hidden, self._draw(ids, hidden, source), strict=True))
        found = [self.tokenizer.decode([drawn[place] for place in one]).strip() for one in inside]
        return [new or text[start:end] for new, (start, end) in zip(found, spans, strict=True)]

    def _draw(self, ids: Sequence[int], hidden: Sequence[int], source: Random) -> list[int]:
        """A token for each hidden place."""
        changed = torch.tensor([list(ids)])
        changed[0, list(hidden)] = self.mask
        with torch.inference_mode():
            states: Any = run_encoder(self.encoder, changed, torch.ones_like(changed))
            table = self.encoder.get_input_embeddings().weight  # type: ignore[operator]
            scores = self.head(states[0, list(hidden)], table).float()
            scores[:, self.never] = -torch.inf
            scores[range(len(hidden)), [ids[place] for place in hidden]] = -torch.inf
            best = scores.topk(min(CANDIDATES, scores.shape[1]), dim=1)
            weights = torch.softmax(best.values, dim=1)
        return [
            source.choices(tokens, weights=each)[0]
            for tokens, each in zip(best.indices.tolist(), weights.tolist(), strict=True)
        ]


def open_filler(base: Artifact) -> Filler:
    """The filler of a base. Raises UsageError for one without the head, or without a token that hides another."""
    tokenizer, encoder = open_tokenizer(base.folder), load_encoder(base)
    mask = next((place for name in _MASKS if (place := tokenizer.token_to_id(name)) is not None), None)
    fit_vocabulary(encoder, tokenizer)  # masked texts have placeholders, which a base may not embed
    table = encoder.get_input_embeddings().weight  # type: ignore[operator]
    head, known = load_token_head(base.folder, encoder.config, table)
    if mask is None or mask >= len(table) or not known:
        raise UsageError(
            f"the base `{base.card.base or base.folder.name}` has no head that fills hidden words",
            fix="take `mlm` out, or grow a base by `pretrain.mlm`",
        )
    words = [tokenizer.id_to_token(place) or "" for place in range(len(table))]
    added = tokenizer.get_added_tokens_decoder()
    never = [place for place, word in enumerate(words) if place in added or not any(map(str.isalnum, word))]
    return Filler(encoder.eval(), head.eval(), tokenizer, mask, torch.tensor(never))
