"""Encoders and classifiers: in from disk, pooled as told, out again to the same logits."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel

from penjing.core.artifact import write_artifact
from penjing.core.errors import DamageError, UsageError
from penjing.core.nouns import Artifact, Card
from penjing.data.mask import PLACEHOLDERS
from penjing.model.base import open_base
from penjing.model.encoder import (
    Classifier,
    can_be_one_model,
    fit_vocabulary,
    load_classifier,
    load_encoder,
    longest_input,
    save_classifier,
)
from penjing.model.heads import mean_pool
from penjing.text.tokens import open_tokenizer

IDS = torch.tensor([[2, 5, 9, 3], [2, 7, 3, 0]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]])


def test_the_encoder_is_the_one_that_transformers_loads(tiny_artifact: Artifact, tiny_base: Path) -> None:
    ours = load_encoder(tiny_artifact)
    theirs = AutoModel.from_pretrained(tiny_base, dtype=torch.float32, add_pooling_layer=False).eval()
    with torch.no_grad():
        assert torch.equal(ours(IDS, MASK).last_hidden_state, theirs(IDS, MASK).last_hidden_state)
    assert not ours.training
    assert ours.config._attn_implementation == "sdpa"


def test_int8_rows_are_read(tiny_base: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_base, tmp_path / "base"))
    weights = load_file(folder / "model.safetensors")
    name = "embeddings.word_embeddings.weight"
    scale = weights[name].abs().amax(dim=1).clamp(min=1e-6) / 127
    packed = (weights[name] / scale[:, None]).round().to(torch.int8)
    save_file(
        {**weights, name: packed, f"{name}.scale": scale}, folder / "model.safetensors", metadata={"format": "pt"}
    )
    read = load_encoder(open_base(str(folder), Path("/"))).get_input_embeddings().weight
    assert torch.equal(read, packed.float() * scale[:, None])


def test_pooling_ignores_padding() -> None:
    hidden = torch.tensor([[[1.0], [3.0], [100.0]]])
    assert mean_pool(hidden, torch.tensor([[1, 1, 0]])).item() == 2.0
    assert mean_pool(hidden, torch.tensor([[0, 0, 0]])).item() == 0.0


def test_new_tokens_get_the_mean_embedding(tiny_artifact: Artifact) -> None:
    encoder, tokenizer = load_encoder(tiny_artifact), open_tokenizer(tiny_artifact.folder)
    before = encoder.get_input_embeddings().weight.detach().clone()
    fit_vocabulary(encoder, tokenizer)
    after = encoder.get_input_embeddings().weight
    assert len(after) == tokenizer.get_vocab_size() == len(before) + len(PLACEHOLDERS)
    assert torch.equal(after[: len(before)], before)
    for token in PLACEHOLDERS.values():
        torch.testing.assert_close(after[tokenizer.token_to_id(token)], before.mean(dim=0), rtol=0, atol=1e-6)
    fit_vocabulary(encoder, tokenizer)
    assert encoder.get_input_embeddings().weight is after


def test_a_tokenizer_of_another_model_is_refused(tiny_artifact: Artifact) -> None:
    encoder, tokenizer = load_encoder(tiny_artifact), open_tokenizer(tiny_artifact.folder)
    encoder.resize_token_embeddings(10, mean_resizing=False)
    with pytest.raises(UsageError, match="the tokenizer has 44 tokens and the encoder embeds 10"):
        fit_vocabulary(encoder, tokenizer)


def test_a_classifier_is_read_back_to_the_same_logits(tiny_artifact: Artifact, tmp_path: Path) -> None:
    tokenizer = open_tokenizer(tiny_artifact.folder)
    classifier = Classifier(load_encoder(tiny_artifact), 3).eval()
    fit_vocabulary(classifier.encoder, tokenizer)
    card = Card(form="torch", method="test", labels=("a", "b", "c"))
    first = write_artifact(tmp_path / "one", card, lambda folder: save_classifier(folder, classifier, tokenizer))
    again = load_classifier(first)
    with torch.no_grad():
        logits = classifier(IDS, MASK)
        assert torch.equal(again(IDS, MASK), logits)
    assert (logits.shape, logits.dtype) == ((2, 3), torch.float32)
    second = write_artifact(tmp_path / "two", card, lambda folder: save_classifier(folder, again, tokenizer))
    assert second.id == first.id
    assert str(tiny_artifact.folder) not in (first.folder / "encoder" / "config.json").read_text()
    assert AutoModel.from_pretrained(first.folder / "encoder").config.vocab_size == tokenizer.get_vocab_size()


def test_what_is_no_classifier_is_refused(tiny_artifact: Artifact) -> None:
    with pytest.raises(UsageError, match="has no torch classifier"):
        load_classifier(tiny_artifact)


@pytest.mark.parametrize("change", [{"hidden_size": 64}, {"num_hidden_layers": 3}])
def test_weights_of_another_model_are_damage(tiny_base: Path, tmp_path: Path, change: dict[str, int]) -> None:
    folder = Path(shutil.copytree(tiny_base, tmp_path / "base"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | change))
    with pytest.raises(DamageError, match=r"does not fit config\.json"):
        load_encoder(open_base(str(folder), Path("/")))


@pytest.mark.parametrize("family", ["gpt2", "not-a-family"])
def test_families_that_do_not_encode_are_refused(tiny_base: Path, tmp_path: Path, family: str) -> None:
    folder = Path(shutil.copytree(tiny_base, tmp_path / "base"))
    (folder / "config.json").write_text(json.dumps({"model_type": family}))
    with pytest.raises(UsageError, match="give an encoder such as BERT"):
        load_encoder(open_base(str(folder), Path("/")))


def test_a_loaded_model_says_how_much_it_takes(tiny_artifact: Artifact) -> None:
    encoder = load_encoder(tiny_artifact)
    assert longest_input(encoder) == 64
    encoder.config.model_type, encoder.config.pad_token_id = "roberta", 1
    assert longest_input(encoder) == 62


@pytest.mark.slow
def test_a_real_base_gives_useful_vectors() -> None:
    if "PENJING_MODELS" not in os.environ:
        pytest.skip("PENJING_MODELS is not set: give the folder with multilingual-e5-small-zh-en")
    base = open_base("multilingual-e5-small-zh-en", Path(os.environ["PENJING_MODELS"]))
    encoder, tokenizer = load_encoder(base), open_tokenizer(base.folder)
    fit_vocabulary(encoder, tokenizer)
    vectors = []
    for text in ("房间很干净，服务也好", "酒店整洁，服务员热情", "The invoice is overdue"):
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.no_grad():
            hidden = encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        vectors.append(torch.nn.functional.normalize(mean_pool(hidden, torch.ones_like(ids)), dim=-1)[0])
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.03


@pytest.mark.parametrize(
    ("tokens", "rows", "added", "fits"),
    [
        (50, 50, 0, True),
        (25, 50, 0, True),
        (24, 50, 0, False),
        (24, 50, 9, False),
        (51, 50, 0, False),
        (51, 50, 1, True),
        (52, 50, 1, False),
    ],
)
def test_a_tokenizer_of_another_model_is_known_by_its_size(tokens: int, rows: int, added: int, fits: bool) -> None:
    assert can_be_one_model(tokens, rows, added) is fits
