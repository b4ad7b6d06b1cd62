"""Networks on the disk: written and read back they give the same, and a new token has a mean embedding."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.pretrain_toys import base_of, network_of

from penjing.core.errors import DamageError, UsageError
from penjing.model.base import open_base, open_network
from penjing.model.pretrained import fit_tokens, load_network


@pytest.mark.parametrize("kind", ["bert", "modernbert", "llama", "t5"])
def test_a_network_comes_back(tmp_path: Path, kind: str) -> None:
    base = base_of(tmp_path / "base", kind)  # type: ignore[arg-type]
    model, other = network_of(kind)[0], load_network(base)  # type: ignore[arg-type]
    ids = torch.tensor([[2, 9, 8, 7, 3]])
    more = {"decoder_input_ids": ids} if kind == "t5" else {}
    with torch.inference_mode():
        assert torch.equal(model(input_ids=ids, **more)[0], other(input_ids=ids, **more)[0])


@pytest.mark.parametrize(("kind", "words"), [("llama", "LlamaForCausalLM"), ("t5", "T5ForConditionalGeneration")])
def test_make_refuses_a_base_that_writes_text(tmp_path: Path, kind: str, words: str) -> None:
    folder = base_of(tmp_path / "base", kind).folder  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=f"`{words}` is not an encoder"):
        open_base(str(folder), tmp_path)
    assert open_network(str(folder), tmp_path).folder == folder


@pytest.mark.parametrize("kind", ["bert", "llama", "t5"])
def test_a_new_token_gets_the_mean(kind: str) -> None:
    model, words, _ = network_of(kind)  # type: ignore[arg-type]
    rows = len(model.get_input_embeddings().weight)  # type: ignore[operator]
    mean = model.get_input_embeddings().weight.mean(dim=0)  # type: ignore[operator]
    words.add_special_tokens(["[NEW]"])
    fit_tokens(model, words)
    table = model.get_input_embeddings().weight  # type: ignore[operator]
    assert len(table) == rows + 1 == model.config.vocab_size  # type: ignore[union-attr]
    assert torch.allclose(table[rows], mean, atol=1e-6)


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    one, other = base_of(tmp_path / "a", "llama"), base_of(tmp_path / "b", "bert")
    (one.folder / "model.safetensors").write_bytes((other.folder / "model.safetensors").read_bytes())
    with pytest.raises(DamageError, match="does not fit"):
        load_network(one)
