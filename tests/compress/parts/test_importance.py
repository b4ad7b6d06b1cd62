"""The worth of a part is the written sum, text by text, whatever the batch; padding has no part in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from penjing.compress.parts.importance import importance
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.model.encoder import load_classifier
from penjing.model.layers import layers_of, neurons_of
from penjing.text.tokens import encode, open_tokenizer


@pytest.mark.parametrize("size", [1, 16])
def test_it_is_the_written_sum(parent: Artifact, inputs: Inputs, tmp_path: Path, size: int) -> None:
    classifier = load_classifier(parent)
    readers = [neurons_of(layer)[1] for layer in layers_of(classifier.encoder)]
    few = replace(inputs, train=inputs.train.take(range(6)))
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    found = importance(parent, classifier, readers, size, few, 100, run)
    assert [each.shape for each in found] == [(64 // size,)] * 2

    # One text at a time, without padding, by hand.
    wanted = np.zeros(64 // size)
    kept: list[torch.Tensor] = []
    handle = readers[0].register_forward_pre_hook(lambda _module, given: kept.append(given[0]))
    for text, label in zip(few.train.texts, few.train.labels or (), strict=True):
        kept.clear()
        ids = torch.from_numpy(encode(open_tokenizer(parent.folder), [text], 48).ids[0])[None]
        logits = classifier(ids, torch.ones_like(ids))
        loss = functional.cross_entropy(logits, torch.tensor([parent.card.labels.index(label)]))
        (slope,) = torch.autograd.grad(loss, kept[0])
        wanted += (kept[0] * slope).sum(dim=1).view(-1, size).sum(dim=1).abs().detach().numpy()
    handle.remove()
    assert found[0] == pytest.approx(wanted / 6, rel=1e-3, abs=1e-7)
    assert all(parameter.grad is None for parameter in classifier.parameters())
    assert not any(reader._forward_pre_hooks for reader in readers)


def test_without_texts_nothing_is_measured(parent: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    with pytest.raises(UsageError, match="there are none"):
        importance(parent, load_classifier(parent), [], 1, replace(inputs, train=Table([], [])), 8, run)
