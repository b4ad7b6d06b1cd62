"""The layers that are trained, and what of an encoder learns."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from torch import nn

from penjing.core.errors import UsageError
from penjing.model.base import open_base
from penjing.model.encoder import Classifier, load_encoder
from penjing.model.layers import layers_of
from penjing.tune.trained import known_layers, learn_only, learned_names, trained_layers


@pytest.fixture
def encoder(tiny_base: Path) -> nn.Module:
    return load_encoder(open_base(str(tiny_base), tiny_base))


def test_the_top_layers_are_those_that_are_trained(encoder: nn.Module) -> None:
    classifier, layers = Classifier(encoder, 2), list(layers_of(encoder))
    for asked, wanted in (("all", layers), (1, layers[-1:]), (0, [])):
        job: Any = SimpleNamespace(method="tune.x", layers=asked)
        assert list(trained_layers(classifier, job)) == wanted


def test_only_what_is_wanted_learns(encoder: nn.Module) -> None:
    count = learn_only(encoder, lambda name: name.endswith("query.weight"))
    assert count == len(layers_of(encoder))
    assert learned_names(encoder) == {f"encoder.layer.{n}.attention.self.query.weight" for n in range(count)}


def test_a_family_whose_layers_are_not_known_is_refused() -> None:
    from transformers import ModernBertConfig, ModernBertModel

    config = ModernBertConfig(
        vocab_size=20, hidden_size=16, intermediate_size=16, num_hidden_layers=1, num_attention_heads=2, pad_token_id=0
    )
    with pytest.raises(UsageError, match=r"`tune.adapter` does not know the layers of a `modernbert`") as caught:
        known_layers(ModernBertModel(config), "tune.adapter")
    assert caught.value.fix
