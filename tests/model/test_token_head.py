"""The head of hidden tokens computes the written formula, and is stored and found again."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import save_file

from penjing.model.token_head import MLM_HEAD, TokenHead, load_token_head, save_token_head

CONFIG = SimpleNamespace(hidden_size=2, model_type="roberta")


def test_scores_of_tokens_by_hand() -> None:
    head = TokenHead(2, 2, 3)
    with torch.no_grad():
        head.dense.weight.copy_(torch.eye(2))
        head.norm.weight.copy_(torch.tensor([1.0, 3.0]))
        head.bias.copy_(torch.tensor([0.0, 0.0, 5.0]))
    table = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    # gelu keeps the order of 2 and -1, and the norm of any two numbers is +1 and -1; the scale makes them 1 and -3.
    found = head(torch.tensor([[2.0, -1.0]]), table)
    assert found[0].tolist() == pytest.approx([1, -3, 1 - 3 + 5], abs=1e-5)


def test_a_stored_head_is_found_and_a_new_entry_has_bias_0(tmp_path: Path) -> None:
    head = TokenHead(2, 2, 3)
    torch.nn.init.normal_(head.bias)
    save_token_head(tmp_path, head)
    found, known = load_token_head(tmp_path, CONFIG, torch.zeros(5, 2))
    assert known and torch.equal(found.dense.weight, head.dense.weight)
    assert found.bias.tolist() == [*head.bias.tolist(), 0, 0]


def test_a_head_that_does_not_fit_or_is_missing_is_a_new_one(tmp_path: Path) -> None:
    assert not load_token_head(tmp_path, CONFIG, torch.zeros(3, 2))[1]
    save_token_head(tmp_path, TokenHead(2, 2, 3))
    for table in (torch.zeros(2, 2), torch.zeros(3, 4)):  # fewer entries; wider embeddings
        found, known = load_token_head(tmp_path, CONFIG, table)
        assert not known and len(found.bias) == len(table) and not found.bias.any()
    names = "transform.dense.weight", "transform.dense.bias", "transform.LayerNorm.weight", "transform.LayerNorm.bias"
    shapes = (2, 2), (2,), (2,), (2,), (3,)
    tensors = {
        f"cls.predictions.{name}": torch.full(shape, float(number))
        for number, (name, shape) in enumerate(zip((*names, "bias"), shapes, strict=True), 1)
    }
    (tmp_path / MLM_HEAD).unlink()
    save_file(tensors, tmp_path / "model.safetensors")
    assert not load_token_head(tmp_path, CONFIG, torch.zeros(3, 2))[1]
    bert = SimpleNamespace(hidden_size=2, model_type="bert")
    found, known = load_token_head(tmp_path, bert, torch.zeros(3, 2))
    assert known and found.norm.bias.tolist() == [4, 4] and found.bias.tolist() == [5, 5, 5]


@pytest.mark.parametrize(("deviation", "expected"), [(1.0, 1 / 4), (0.02, 1.0)])
def test_a_new_head_on_a_wide_table_begins_near_a_uniform_guess(
    tmp_path: Path, deviation: float, expected: float
) -> None:
    """With 16 columns of deviation d the scores have a deviation of 4 d; it becomes 1, and 0.08 stays."""
    torch.manual_seed(0)
    table = deviation * torch.randn(4000, 16) + 3.0  # what all entries have in common changes no probability
    config = SimpleNamespace(hidden_size=16, model_type="roberta")
    head, known = load_token_head(tmp_path, config, table)
    assert not known and head.norm.weight.tolist() == pytest.approx([expected] * 16, rel=0.02)
    states, gold = torch.randn(500, 16), torch.randint(4000, (500,))
    loss = torch.nn.functional.cross_entropy(head(states, table), gold).item()
    assert loss == pytest.approx(math.log(4000), abs=0.7)
