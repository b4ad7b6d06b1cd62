"""A tiny encoder of random weights, as a Hugging Face folder and as a base."""

from __future__ import annotations

from pathlib import Path

import pytest

from penjing.core.nouns import Artifact

WORDS = tuple(f"{kind}{number}" for kind in ("delivery", "price", "quality", "common") for number in range(10))


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face folder: a BERT of 2 layers x 32 with a word tokenizer, the same weights in every run."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("tiny-base")
    vocabulary = {token: index for index, token in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", vocabulary["[CLS]"]), ("[SEP]", vocabulary["[SEP]"])]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        pad_token_id=0,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        model = BertModel(config, add_pooling_layer=False)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_artifact(tiny_base: Path) -> Artifact:
    """The tiny encoder as a base."""
    from penjing.model.base import open_base

    return open_base(str(tiny_base), Path("/"))
