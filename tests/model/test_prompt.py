"""A soft prompt: the encoder reads it before the text, and outputs are about the text's tokens alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.model.families import FAMILIES, encoder_of
from torch import nn

from penjing.core.errors import UsageError
from penjing.model.base import open_base
from penjing.model.encoder import load_encoder, longest_input
from penjing.model.prompt import (
    SoftPrompt,
    check_no_prompt,
    embedding_width,
    empty_prompt,
    prompt_length,
    put_prompt,
    run_encoder,
)


@pytest.fixture
def encoder(tiny_base: Path) -> nn.Module:
    return load_encoder(open_base(str(tiny_base), tiny_base))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_prompt_of_word_embeddings_is_as_those_words_before_the_text(family: str) -> None:
    encoder = encoder_of(family)
    ids = torch.tensor([[2, 7, 9, 3], [2, 8, 3, 0]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])
    first = torch.tensor([5, 6])
    words = encoder.get_input_embeddings().weight.detach()  # type: ignore[operator]
    together = torch.cat([first.expand(2, -1), ids], dim=1)
    with torch.no_grad():
        wanted = run_encoder(encoder, together, torch.cat([torch.ones(2, 2, dtype=torch.long), mask], dim=1))
        put_prompt(encoder, SoftPrompt(words[first].clone()))
        found = run_encoder(encoder, ids, mask)
    assert found.shape == (2, 4, wanted.shape[2])
    real = mask.bool()
    assert torch.allclose(found[real], wanted[:, 2:][real], atol=1e-5)


def test_it_takes_places_of_the_longest_input(encoder: nn.Module) -> None:
    before = longest_input(encoder)
    assert prompt_length(encoder.config) == 0
    empty_prompt(encoder, 6)
    assert prompt_length(encoder.config) == 6
    assert longest_input(encoder) == before - 6
    assert encoder.prompt.vectors.shape == (6, embedding_width(encoder))  # type: ignore[union-attr]


def test_a_network_is_added_to_the_vectors() -> None:
    vectors = torch.randn(3, 4)
    network = nn.Linear(4, 4)
    assert torch.allclose(SoftPrompt(vectors, network)(), vectors + network(vectors))
    assert torch.equal(SoftPrompt(vectors)(), vectors)


def test_what_needs_the_tokens_alone_refuses_a_prompt() -> None:
    check_no_prompt(0, "this would be wrong", "change it")
    with pytest.raises(UsageError, match="a soft prompt of 3 tokens, and this would be wrong") as caught:
        check_no_prompt(3, "this would be wrong", "change it")
    assert caught.value.fix == "change it"
