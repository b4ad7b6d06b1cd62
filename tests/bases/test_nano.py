"""The shipped base `penjing/nano`: its size, its tokenizer, its weights, its card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from penjing.model.base import open_base
from penjing.model.encoder import load_encoder
from penjing.model.heads import mean_pool

BASE = Path(__file__).parents[2] / "src" / "penjing" / "bases" / "nano"
WORDS = "embeddings.word_embeddings.weight"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(BASE / "tokenizer.json"))


def states(texts: list[str], tokenizer: Tokenizer) -> torch.Tensor:
    """(texts, 192) mean-pooled states."""
    encoder = load_encoder(open_base("penjing/nano", Path("/")))
    rows = []
    for text in texts:
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.inference_mode():
            rows.append(mean_pool(encoder(ids).last_hidden_state, torch.ones_like(ids))[0])
    return torch.stack(rows)


def test_the_folder_is_small_enough_to_ship() -> None:
    assert sum(path.stat().st_size for path in BASE.rglob("*") if path.is_file()) <= 12_000_000
    config = json.loads((BASE / "config.json").read_text())
    assert (config["num_hidden_layers"], config["hidden_size"]) == (2, 192)


def test_no_character_is_unknown(tokenizer: Tokenizer) -> None:
    unknown = tokenizer.token_to_id("<unk>")
    cells = (
        bytes((row + 0xA0, cell + 0xA0)).decode("gb2312", "ignore") for row in range(16, 88) for cell in range(1, 95)
    )
    characters = [text for text in cells if text]
    assert len(characters) == 6763
    assert all(
        len(found) <= 2 for char in characters if (found := tokenizer.encode(char, add_special_tokens=False).ids)
    )
    for text in [*characters, "𠮷野家", "🫠🫠", "ꙮ", "\u0001"]:
        assert unknown not in tokenizer.encode(text).ids
    for text in ("𠮷野家的🫠面", "屋子 room", "ꙮ"):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_tokens_and_weights_are_of_one_model(tokenizer: Tokenizer) -> None:
    raw = load_file(BASE / "model.safetensors")
    config = json.loads((BASE / "config.json").read_text())
    assert raw[WORDS].dtype == np.int8
    assert raw[WORDS].shape == (config["vocab_size"], 192) == (tokenizer.get_vocab_size(), 192)
    assert [tokenizer.token_to_id(token) for token in ("<s>", "<pad>", "</s>", "<unk>")] == [0, 1, 2, 3]
    assert config["pad_token_id"] == 1
    assert all(np.isfinite(tensor.astype(np.float32)).all() for tensor in raw.values())


def test_a_text_is_nearer_to_what_means_the_same(tokenizer: Tokenizer) -> None:
    texts = [
        "房间很干净，服务也很好。",
        "屋子特别整洁，前台很热情。",
        "怎么修改银行卡密码？",
        "How do I change my card PIN?",
    ]
    unit = torch.nn.functional.normalize(states(texts, tokenizer), dim=1)
    near = unit @ unit.T
    assert near[0, 1] > near[0, 2] and near[2, 3] > near[0, 3]


def test_the_card_says_what_the_figures_say() -> None:
    figures = json.loads((BASE / "figures.json").read_text(encoding="utf-8"))
    card = (BASE / "CARD.md").read_text(encoding="utf-8")
    assert f"{figures['training']['seen']:,} tokens in all" in card
    assert f"{figures['spearman']:.3f}" in card
    mean = np.mean(figures["probes"]["nano"]["chnsenticorp-2000"])
    assert f"{mean:.3f}" in card
    assert len(figures["coverage"]) == 14
