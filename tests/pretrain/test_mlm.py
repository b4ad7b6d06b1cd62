"""Masked tokens: the share, the fate of a chosen token, whole words and spans, and the loss by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.pretrain_toys import batch_of, kit_of, network_of

from penjing.pretrain.mlm import MaskedTokens, Options, choose_tokens, hide
from penjing.pretrain.parts.network import NetworkWithHeads


def test_of_the_chosen_tokens_80_are_hidden_10_are_other_10_stay() -> None:
    _, _, marks = network_of("bert")
    batch = batch_of(marks, [100] * 400)
    changed = hide(batch, marks, Options(unit="token"), np.random.default_rng(0))
    hidden = changed.targets["hidden"]
    assert hidden.sum() == round(0.15 * 40_000)
    assert not hidden[~batch.content].any()
    assert (changed.ids == batch.ids)[~hidden].all()
    found, true = changed.ids[hidden], batch.ids[hidden]
    count = len(found)
    # Four standard deviations of a binomial share; a random token is the true one in 1 of 40.
    near = {"abs": 4 * (0.8 * 0.2 / count) ** 0.5}
    assert (found == marks.mask).mean() == pytest.approx(0.8, **near)
    assert (found == true).mean() == pytest.approx(0.1 + 0.1 / len(marks.ordinary), **near)
    other = (found != true) & (found != marks.mask)
    assert other.mean() == pytest.approx(0.1 * (1 - 1 / len(marks.ordinary)), **near)
    assert np.isin(found[other], marks.ordinary).all()


@pytest.mark.parametrize("unit", ["word", "span"])
def test_words_stay_together(unit: str) -> None:
    _, _, marks = network_of("bert")
    batch = batch_of(marks, [60, 42, 9], words=3)
    hidden = choose_tokens(batch, Options(unit=unit), np.random.default_rng(3))  # type: ignore[arg-type]
    for row in range(3):
        words = hidden[row][batch.content[row]].reshape(-1, 3)
        assert (words.all(axis=1) == words.any(axis=1)).all()
    assert 0 < hidden.sum() <= round(0.15 * batch.content.sum())


def test_spans_have_the_mean_length_that_is_asked_for() -> None:
    _, _, marks = network_of("bert")
    batch = batch_of(marks, [2000] * 20)
    hidden = choose_tokens(batch, Options(unit="span", share=0.05), np.random.default_rng(1))
    edges = np.diff(np.pad(hidden.astype(int), ((0, 0), (1, 1))), axis=1)
    mean = hidden.sum() / (edges == 1).sum()
    # A geometric length of mean 3.8, cut at 10: the mean is the sum of (1 - 1 / 3.8)^k for k < 10.
    assert mean == pytest.approx(sum((1 - 1 / 3.8) ** k for k in range(10)), rel=0.12)


def test_something_is_always_hidden() -> None:
    _, _, marks = network_of("bert")
    batch = batch_of(marks, [4], words=4)
    for unit in ("word", "span", "token"):
        assert choose_tokens(batch, Options(unit=unit, share=0.01), np.random.default_rng(0)).any()  # type: ignore[arg-type]


def test_the_loss_is_the_cross_entropy_of_the_hidden_tokens(tmp_path: Path) -> None:
    kit = kit_of(tmp_path, "bert")
    term = MaskedTokens(kit, Options())
    assert not term.known
    network = NetworkWithHeads(kit.model, {"mlm": term.head()}).eval()
    batch = hide(batch_of(kit.marks, [20, 12]), kit.marks, Options(), np.random.default_rng(0))
    loss = term.loss(network, batch, lambda: network.states(batch))
    states, head = network.states(batch), network.heads["mlm"]
    total = []
    for row, token in np.argwhere(batch.targets["hidden"]):
        inner = torch.nn.functional.gelu(head.dense.weight @ states[row, token] + head.dense.bias)
        inner = (inner - inner.mean()) / (inner.var(unbiased=False) + 1e-12).sqrt()
        scores = network.embeddings @ (inner * head.norm.weight + head.norm.bias) + head.bias
        total.append(scores.logsumexp(0) - scores[batch.gold[row, token]])
    assert loss.item() == pytest.approx(torch.stack(total).mean().item(), abs=1e-5)
    assert term.count(batch) == len(total)


def test_a_new_pass_hides_other_tokens_and_the_same_place_the_same_ones() -> None:
    _, _, marks = network_of("bert")
    batch = batch_of(marks, [40, 40])
    first, again, other = (hide(batch, marks, Options(), np.random.default_rng(s)).ids for s in (1, 1, 2))
    assert (first == again).all() and (first != other).any()
