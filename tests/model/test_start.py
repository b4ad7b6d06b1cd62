"""Layers that begin anew, and dropout inside the encoder."""

from __future__ import annotations

import pytest
import torch
from tests.train.toys import classifier
from torch import nn

from penjing.core.errors import UsageError
from penjing.model.layers import layers_of
from penjing.model.start import check_count, reinitialise, set_dropout


def test_the_top_layers_get_new_weights_and_those_below_keep_theirs() -> None:
    model = classifier()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(1)
    reinitialise(model.encoder, 1)
    after = model.state_dict()
    moved = {name for name in after if not torch.equal(after[name], before[name])}
    assert moved and all("layer.1." in name for name in moved)
    weight = layers_of(model.encoder)[1].intermediate.dense.weight  # type: ignore[union-attr]
    assert weight.std().item() == pytest.approx(0.02, rel=0.2)  # type: ignore[union-attr, operator]
    torch.manual_seed(1)
    other = classifier()
    reinitialise(other.encoder, 1)
    assert all(torch.equal(value, after[name]) for name, value in other.state_dict().items())


def test_no_more_layers_than_are_trained() -> None:
    check_count(2, 2)
    with pytest.raises(UsageError, match="`reinit` draws 3 layers anew, and 2 are trained") as caught:
        reinitialise(classifier().encoder, 3)
    assert (caught.value.where, caught.value.fix) == ("reinit", "set `reinit` to at most 2")


def test_dropout_acts_on_states_and_on_attention() -> None:
    model = classifier()
    set_dropout(model.encoder, 0.0)
    ids, mask = torch.randint(1, 20, (2, 5)), torch.ones(2, 5, dtype=torch.int64)
    model.train()
    model.dropout.p = 0.0
    assert torch.equal(model(ids, mask), model(ids, mask))
    set_dropout(model.encoder, 0.4)
    assert {each.p for each in model.encoder.modules() if isinstance(each, nn.Dropout)} == {0.4}
    assert not torch.equal(model(ids, mask), model(ids, mask))
