"""What several rooms' tests share: a tiny encoder of random weights, and rows that it can learn."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from penjing.core.nouns import Artifact, Table

LABELS = ("delivery", "price", "quality")
WORDS = tuple(f"{label}{number}" for label in (*LABELS, "common") for number in range(10))


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


@pytest.fixture(scope="session")
def tiny_tables() -> tuple[Table, Table]:
    """(train, validation) of 120 and 60 rows: three labels, told by words; every tenth label is wrong."""
    return _table(120, seed=1), _table(60, seed=2)


def _table(rows: int, seed: int) -> Table:
    draw = random.Random(seed)
    texts, labels = [], []
    for number in range(rows):
        label = LABELS[number % len(LABELS)]
        words = draw.choices([word for word in WORDS if word.startswith((label, "common"))], k=draw.randint(3, 14))
        texts.append(" ".join(words))
        labels.append(draw.choice(LABELS) if number % 10 == 9 else label)
    return Table(texts=texts, labels=labels, rows=range(1, rows + 1))
