"""A small tuned encoder and labelled rows for it; the head is fitted, so that labels are not a matter of chance."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from penjing.core.artifact import write_artifact
from penjing.core.nouns import Artifact, Card, Inputs, Table
from penjing.data.mask import VERSION

WORDS = {"bad": ("slow", "late", "broken", "rude", "dirty"), "good": ("quick", "fine", "clean", "kind", "warm")}
COMMON = ("the", "room", "was", "and", "staff", "box", "very", "today")


def table(rows: int, seed: int) -> Table:
    """`rows` texts of 4 to 30 words, most of their telling words from one label's list."""
    drawn = random.Random(seed)
    texts, labels = [], []
    for number in range(rows):
        label = ("bad", "good")[number % 2]
        words = drawn.choices(COMMON, k=drawn.randint(2, 20)) + drawn.choices(WORDS[label], k=drawn.randint(2, 10))
        drawn.shuffle(words)
        texts.append(" ".join(words))
        labels.append(label)
    return Table(texts=texts, labels=labels, rows=range(1, rows + 1))


@pytest.fixture(scope="session")
def parent(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A torch artifact: BERT of 2 layers x 32 with random weights, its head fitted by least squares."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    from penjing.model.encoder import Classifier, save_classifier
    from penjing.model.heads import mean_pool
    from penjing.text.tokens import Tokens

    words = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *WORDS["bad"], *WORDS["good"], *COMMON)
    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=48, pad_token_id=0,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(7)
        classifier = Classifier(BertModel(config, add_pooling_layer=False), 2).eval()
        rows = table(200, seed=5)
        tokens = Tokens(tokenizer, 48)
        ids, mask = (torch.from_numpy(part) for part in tokens.pad(tokens.encode(rows.texts)))
        states = mean_pool(classifier.encoder(input_ids=ids, attention_mask=mask).last_hidden_state, mask)
        target = torch.tensor([[1.0, -1.0] if label == "bad" else [-1.0, 1.0] for label in rows.labels or ()])
        classifier.head.bias.zero_()
        # With a little ridge: the states of random layers are almost dependent, and plain least squares would give a
        # large head that differs from run to run.
        gram = states.T @ states
        ridge = 1e-3 * gram.diagonal().mean() * torch.eye(len(gram))
        classifier.head.weight.copy_(torch.linalg.solve(gram + ridge, states.T @ target).T)
    card = Card(
        form="torch", method="tune.full", labels=("bad", "good"), language="en", max_tokens=48, masking=VERSION,
        parameters=sum(weight.numel() for weight in classifier.parameters()), data="fingerprint",
        lineage=({"method": "tune.full", "options": {}, "parent": "base"},), metrics={"validation_accuracy": 0.5},
    )  # fmt: skip
    folder: Path = tmp_path_factory.mktemp("parent") / "torch"
    return write_artifact(folder, card, lambda inside: save_classifier(inside, classifier, tokenizer))


@pytest.fixture(scope="session")
def inputs(parent: Artifact) -> Inputs:
    """The parent with 120 training and 80 validation rows."""
    return Inputs(parent=parent, train=table(120, seed=1), validation=table(80, seed=2), language="en")


@pytest.fixture(scope="session")
def other_base(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """A base unlike the parent: 1 layer x 24, its tokens in another order and padded by another id, up to 64 tokens."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    from penjing.model.base import open_base

    folder = tmp_path_factory.mktemp("bases") / "other"
    words = ("[UNK]", "[PAD]", "[CLS]", "[SEP]", *COMMON, *WORDS["good"], *WORDS["bad"], "more")
    tokenizer = Tokenizer(WordLevel({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    config = BertConfig(
        vocab_size=len(words), hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=64, pad_token_id=1,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return open_base(str(folder), folder)
