"""An encoder cut in two gives what the whole one gives."""

from __future__ import annotations

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    ElectraConfig,
    ElectraModel,
    ModernBertConfig,
    ModernBertModel,
    PretrainedConfig,
    RobertaConfig,
    RobertaModel,
)  # fmt: skip

from penjing.core.errors import UsageError
from penjing.model.encoder import Classifier
from penjing.model.layers import Lower, Upper

SMALL = {
    "vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": 40, "pad_token_id": 0,
}  # fmt: skip
DISTIL = {"vocab_size": 50, "dim": 32, "n_layers": 3, "n_heads": 2, "hidden_dim": 64, "pad_token_id": 0}
IDS = torch.tensor([[2, 5, 9, 11, 3], [2, 7, 3, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
KINDS = [
    (BertModel, BertConfig(**SMALL)),
    (RobertaModel, RobertaConfig(**SMALL)),
    (ElectraModel, ElectraConfig(**SMALL, embedding_size=16)),
    (DistilBertModel, DistilBertConfig(**DISTIL)),
]


@pytest.mark.parametrize("count", [0, 1, 3])
@pytest.mark.parametrize(("kind", "config"), KINDS, ids=lambda value: getattr(value, "__name__", ""))
def test_the_two_parts_give_the_logits_of_the_whole(kind: type, config: PretrainedConfig, count: int) -> None:
    classifier = Classifier(kind(config), 3).eval()
    lower, upper = Lower(classifier, count).eval(), Upper(classifier, count).eval()
    with torch.no_grad():
        whole = classifier(IDS, MASK)
        hidden = lower(IDS, MASK) * MASK[..., None]
        torch.testing.assert_close(upper(hidden, MASK), whole, rtol=0, atol=1e-6)
        assert torch.equal(classifier(IDS, MASK), whole)


def test_the_upper_part_shares_its_parameters_and_has_no_others() -> None:
    classifier = Classifier(BertModel(BertConfig(**SMALL)), 3)
    upper = Upper(classifier, 1)
    top = list(classifier.encoder.encoder.layer[-1].parameters()) + list(classifier.head.parameters())
    pooler = list(classifier.encoder.pooler.parameters())
    assert {id(one) for one in upper.parameters()} == {id(one) for one in (*top, *pooler)}


def test_a_family_that_cannot_be_cut_is_refused() -> None:
    config = ModernBertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, pad_token_id=0,
        bos_token_id=2, eos_token_id=3, cls_token_id=2, sep_token_id=3,
    )  # fmt: skip
    classifier = Classifier(ModernBertModel(config), 3)
    with pytest.raises(UsageError, match="`modernbert` cannot be trained apart") as caught:
        Upper(classifier, 1)
    assert "layers: all" in str(caught.value.fix)
