"""Neurons that change nothing go first; what is left is a smaller model of the same kind."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from penjing.compress.width import Options, apply
from penjing.core.artifact import write_artifact
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.model.encoder import load_classifier, save_classifier
from penjing.model.layers import layers_of, neurons_of
from penjing.runtime.open import open_session
from penjing.text.tokens import open_tokenizer


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


def test_silent_neurons_go_first_and_nothing_is_lost(parent: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    classifier = load_classifier(parent)
    with torch.no_grad():
        for number, layer in enumerate(layers_of(classifier.encoder)):
            # Other ones in each layer: what they give is not heard.
            neurons_of(layer)[1].weight[:, number::2] = 0
    tokenizer = open_tokenizer(parent.folder)
    half = write_artifact(tmp_path / "half", parent.card, lambda inside: save_classifier(inside, classifier, tokenizer))
    made = apply(replace(inputs, parent=half), Options(keep=0.5, texts=64), run(tmp_path))
    texts = inputs.validation.texts
    found, wanted = (open_session(each, threads=1).logits(texts) for each in (made, half))
    assert found == pytest.approx(wanted, abs=1e-4)
    small = load_classifier(made)
    assert all(neurons_of(layer)[0].out_features == 32 for layer in layers_of(small.encoder))
    assert made.card.parameters == sum(one.numel() for one in small.parameters()) < parent.card.parameters


def test_the_same_texts_give_the_same_neurons(inputs: Inputs, tmp_path: Path) -> None:
    first, second = (apply(inputs, Options(keep=0.25, texts=32), run(tmp_path / name)) for name in "ab")
    assert first.id == second.id
    assert first.card.notes["neurons"] == 16


def test_without_texts_nothing_can_be_measured(inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are none"):
        apply(replace(inputs, train=Table([], [])), Options(), run(tmp_path))
