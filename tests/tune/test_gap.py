"""A gap: ids of texts in their template, words as tokens, and scores of labels by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from torch import nn
from torch.nn import functional

from penjing.core.errors import UsageError
from penjing.model.token_head import TokenHead
from penjing.tune.gap import GapModel, Template, words_of_labels

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "it", "is", "▁fine", "fine")


@pytest.fixture
def tokenizer() -> Tokenizer:
    made = Tokenizer(WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
    made.add_special_tokens(["[MASK]"])
    made.pre_tokenizer = WhitespaceSplit()
    made.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return made


def test_a_text_in_its_template_has_one_gap_and_loses_its_end_where_it_is_long(tokenizer: Tokenizer) -> None:
    template = Template.of("{text} it is [MASK]", tokenizer, 8)
    short, long, own, none = template.ids(["good", "good bad good bad good bad", "a [MASK] b", ""])
    assert short.tolist() == [2, 5, 7, 8, 4, 3]
    assert long.tolist() == [2, 5, 6, 5, 7, 8, 4, 3]
    assert own.tolist().count(4) == 1, "a gap that the text itself writes is none"
    assert none.tolist() == [2, 7, 8, 4, 3]
    with pytest.raises(UsageError, match="the template has 5 tokens, and an input has at most 5"):
        Template.of("{text} it is [MASK]", tokenizer, 5)


def test_a_word_is_the_token_that_stands_there(tokenizer: Tokenizer) -> None:
    assert Template.of("{text} it is [MASK]", tokenizer, 8).word_id("fine") == WORDS.index("▁fine")
    assert Template.of("{text} is([MASK])", tokenizer, 8).word_id("fine") == WORDS.index("fine")
    with pytest.raises(UsageError, match="the word `very good` is no single token") as caught:
        Template.of("{text} [MASK]", tokenizer, 8).word_id("very good")
    assert caught.value.where == "words"


def test_words_of_labels(tokenizer: Tokenizer) -> None:
    template = Template.of("{text} [MASK]", tokenizer, 8)
    assert words_of_labels(("bad", "good"), {"good": ("good", "fine")}, template) == [[6], [5, 9]]
    with pytest.raises(UsageError, match="`words` has the label `goood`, which no row has"):
        words_of_labels(("bad", "good"), {"goood": ("fine",)}, template)
    with pytest.raises(UsageError, match="the labels `bad` and `good` have the same word"):
        words_of_labels(("bad", "good"), {"bad": ("fine",), "good": ("good", "fine")}, template)


def test_a_base_without_a_gap_is_refused() -> None:
    bare = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    with pytest.raises(UsageError, match="has no token for a gap") as caught:
        Template.of("{text} [MASK]", bare, 8)
    assert "`tune.prototype`" in (caught.value.fix or "")


class _Encoder(nn.Module):
    """The state of a token is its embedding."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(len(WORDS), 2)

    def get_input_embeddings(self) -> nn.Embedding:
        return self.table

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> Any:  # noqa: ARG002
        return SimpleNamespace(last_hidden_state=self.table(input_ids))


def test_scores_of_labels_are_means_over_their_words_at_the_gap() -> None:
    encoder, head = _Encoder(), TokenHead(2, 2, len(WORDS))
    nn.init.normal_(head.bias)
    model = GapModel(encoder, head, 4, [[6], [5, 9]])
    found = model(torch.tensor([[2, 5, 4, 3], [4, 6, 3, 0]]), torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0]]))
    every = head(encoder.table.weight[4][None], encoder.table.weight)[0]
    wanted = torch.stack([every[6], (every[5] + every[9]) / 2])
    assert torch.allclose(found, functional.pad(wanted[None], (0, 0, 0, 0)).expand(2, 2), atol=1e-6)
