"""A soft prompt: learned vectors before the tokens of every text, which take places of the input when the model serves.

    h = encoder([p_1 ... p_n ; e(x_1) ... e(x_t)]),   heads read h_{n+1} ... h_{n+t}

Source: Lester, Al-Rfou, Constant, The Power of Scale for Parameter-Efficient Prompt Tuning, 2021. Vectors are as wide
as the embeddings of words. The places of the prompt are dropped after the last layer, so that outputs are about the
text's tokens as without a prompt. The configuration has the number of vectors under `PROMPT`.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from penjing.core.errors import UsageError

# Key in config.json: how many vectors the prompt has.
PROMPT = "penjing_prompt"


class SoftPrompt(nn.Module):
    """Vectors (count, width); while it is trained, a network may make them of others, which has the same shapes."""

    def __init__(self, vectors: torch.Tensor, network: nn.Module | None = None) -> None:
        super().__init__()
        self.vectors = nn.Parameter(vectors)
        self.network = network

    def forward(self) -> torch.Tensor:
        if self.network is None:
            return self.vectors
        added: torch.Tensor = self.network(self.vectors)
        return self.vectors + added


def put_prompt(encoder: nn.Module, prompt: SoftPrompt) -> None:
    """Give an encoder a prompt, in place; its configuration keeps the number of vectors."""
    encoder.prompt = prompt
    setattr(encoder.config, PROMPT, len(prompt.vectors))


def empty_prompt(encoder: nn.Module, count: int) -> None:
    """Give an encoder a prompt whose vectors are loaded afterwards."""
    put_prompt(encoder, SoftPrompt(torch.zeros(count, embedding_width(encoder))))


def embedding_width(encoder: nn.Module) -> int:
    """The width of the embeddings of words."""
    return int(encoder.get_input_embeddings().weight.shape[1])  # type: ignore[operator]


def prompt_length(config: Any) -> int:
    """How many vectors the prompt of an encoder with this configuration has; 0 without a prompt."""
    return int(getattr(config, PROMPT, 0) or 0)


def run_encoder(encoder: nn.Module, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    """The last layer's hidden states (batch, tokens, width) of the text's tokens, with or without a prompt before them.

    input_ids, attention_mask: (batch, tokens) int64.
    """
    prompt = getattr(encoder, "prompt", None)
    if not isinstance(prompt, SoftPrompt):
        states: torch.Tensor = encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return states
    vectors = prompt()
    rows, count = input_ids.shape[0], vectors.shape[0]
    words = encoder.get_input_embeddings()(input_ids)  # type: ignore[operator]
    given = torch.cat([vectors.unsqueeze(0).expand(rows, -1, -1), words], dim=1)
    mask = torch.cat([attention_mask.new_ones((rows, count)), attention_mask], dim=1)
    found: torch.Tensor = encoder(inputs_embeds=given, attention_mask=mask).last_hidden_state
    return found[:, count:]


def check_no_prompt(tokens: int, what: str, fix: str) -> None:
    """Raise UsageError where a prompt has that many tokens, for the reason `what`, the end of a sentence."""
    if tokens:
        raise UsageError(f"the encoder has a soft prompt of {tokens} tokens, and {what}", fix=fix)
