"""A BERT of two layers with random weights and a tokenizer of given words, for tests of tuning."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel

from penjing.core.nouns import Artifact
from penjing.model.base import open_base

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def make_base(folder: Path, words: Sequence[str], width: int = 32) -> Artifact:
    """The base in that folder, which must be there."""
    known = {token: index for index, token in enumerate((*SPECIAL, *words))}
    tokenizer = Tokenizer(WordLevel(known, unk_token="[UNK]"))
    tokenizer.add_special_tokens(list(SPECIAL))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    ends = [(token, known[token]) for token in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    tokenizer.save(str(folder / "tokenizer.json"))
    config = BertConfig(
        vocab_size=len(known), hidden_size=width, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=2 * width, max_position_embeddings=32, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return open_base(str(folder), Path("/"))
