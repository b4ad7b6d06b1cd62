"""(Pseudo-)perplexity and its error, against values by hand for a network whose scores are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from tests.pretrain_toys import batch_of, network_of

from penjing.pretrain.parts.batch import TextBatch
from penjing.pretrain.parts.network import NetworkWithHeads
from penjing.pretrain.parts.perplexity import perplexity, pseudo_perplexity


def certain(_: NetworkWithHeads, batch: TextBatch, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores under which a hidden token has the probability 1/2 where its id is even, else 1/8."""
    assert len(states) == len(batch)
    wanted = torch.tensor(batch.gold[batch.targets["hidden"]])
    scores = torch.full((len(wanted), 60), -1e9)
    shares = torch.where(wanted % 2 == 0, 0.5, 0.125)
    scores[torch.arange(len(wanted)), wanted] = shares.log()
    scores[torch.arange(len(wanted)), 0] = (1 - shares).log()
    return scores, wanted


def test_a_token_is_hidden_alone_and_the_error_is_that_of_a_mean() -> None:
    model, _, marks = network_of("bert")
    network = NetworkWithHeads(model, {}).eval()
    batches = [batch_of(marks, [9, 14]), batch_of(marks, [20], seed=1)]
    ids = np.concatenate([batch.gold[batch.content] for batch in batches])
    losses = np.where(ids % 2 == 0, math.log(2), math.log(8))
    hidden: list[int] = []

    def scores(given: NetworkWithHeads, batch: TextBatch, states: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        assert (batch.targets["hidden"].sum(axis=1) == 1).all()
        assert ((batch.ids == marks.mask) == batch.targets["hidden"]).all()
        hidden.append(len(batch))
        return certain(given, batch, states)

    found = pseudo_perplexity(network, batches, scores, marks.mask, 1000)
    assert found is not None and found.error is not None and sum(hidden) == 43
    assert found.value == pytest.approx(math.exp(losses.mean()), rel=1e-5)
    assert found.error == pytest.approx(losses.std(ddof=1) / math.sqrt(43), rel=1e-5)
    few = pseudo_perplexity(network, batches, scores, marks.mask, 10)
    assert few is not None and sum(hidden) == 53 and few == pseudo_perplexity(network, batches, scores, marks.mask, 10)
    assert pseudo_perplexity(network, batches, scores, marks.mask, 0) is None


def test_a_perplexity_of_all_tokens_has_no_error() -> None:
    model, _, marks = network_of("bert")
    batch = batch_of(marks, [9, 14]).with_targets(hidden=batch_of(marks, [9, 14]).content)
    ids = batch.gold[batch.content]
    found = perplexity(NetworkWithHeads(model, {}).eval(), [batch], certain)
    assert found is not None and found.error is None
    assert found.value == pytest.approx(math.exp(np.where(ids % 2 == 0, math.log(2), math.log(8)).mean()), rel=1e-5)
