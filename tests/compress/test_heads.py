"""Heads that change nothing go first, from whichever layer; what is left loads, exports and prunes again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from penjing.compress import layers
from penjing.compress.export import Options as ExportOptions
from penjing.compress.export import apply as export
from penjing.compress.heads import Options, apply, choose_heads
from penjing.core.artifact import write_artifact
from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.model.encoder import load_classifier, save_classifier
from penjing.model.layers import heads_of, layers_of
from penjing.runtime.open import open_session
from penjing.text.tokens import open_tokenizer


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


def deafened(parent: Artifact, folder: Path) -> Artifact:
    """The parent, with the first head of the first layer and the second of the second unheard."""
    classifier = load_classifier(parent)
    with torch.no_grad():
        for number, layer in enumerate(layers_of(classifier.encoder)):
            size, _, out = heads_of(layer)
            out.weight[:, number * size : (number + 1) * size] = 0
    tokenizer = open_tokenizer(parent.folder)
    return write_artifact(folder, parent.card, lambda inside: save_classifier(inside, classifier, tokenizer))


def test_unheard_heads_go_first_and_nothing_is_lost(parent: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    before = deafened(parent, tmp_path / "before")
    made = apply(replace(inputs, parent=before), Options(keep=0.5, texts=64), run(tmp_path))
    assert made.card.notes["heads"] == [1, 1]
    texts = inputs.validation.texts
    found, wanted = (open_session(each, threads=1).logits(texts) for each in (made, before))
    assert found == pytest.approx(wanted, abs=1e-4)
    small = load_classifier(made)
    assert made.card.parameters == sum(one.numel() for one in small.parameters()) < parent.card.parameters
    assert [heads_of(layer)[1][0].out_features for layer in layers_of(small.encoder)] == [16, 16]


def test_what_is_left_is_exported_and_loses_layers_like_any_other(inputs: Inputs, tmp_path: Path) -> None:
    made = apply(inputs, Options(keep=0.75, texts=32), run(tmp_path / "heads"))
    assert sum(made.card.notes["heads"]) == 3
    texts = inputs.validation.texts
    wanted = open_session(made, threads=1).logits(texts)
    exported = export(
        replace(inputs, parent=made), ExportOptions(engine="onnx", storage="float32"), run(tmp_path / "onnx")
    )
    assert open_session(exported, threads=1).logits(texts) == pytest.approx(wanted, abs=1e-4)
    shallow = layers.apply(replace(inputs, parent=made), layers.Options(keep=1, texts=8), run(tmp_path / "layers"))
    assert len(layers_of(load_classifier(shallow).encoder)) == 1


def test_weights_that_do_not_fit_the_heads_are_damage(inputs: Inputs, tmp_path: Path) -> None:
    made = apply(inputs, Options(keep=0.5, texts=32), run(tmp_path))
    config = made.folder / "encoder" / "config.json"
    told = json.loads(config.read_text())
    config.write_text(json.dumps(told | {"intermediate_size": 8}))
    with pytest.raises(DamageError, match=r"does not fit config\.json"):
        load_classifier(made)


def test_one_head_stays_in_every_layer() -> None:
    worths = [np.array([4.0, 3.0, 2.0]), np.array([0.01, 0.02, 0.0])]
    assert choose_heads(worths, 0.34) == [[0], [1]]
    # Within its layer each is measured by its own kind: 3 of (4, 3, 2) is worth more than 0.01 of (0.01, 0.02, 0).
    assert choose_heads(worths, 0.5) == [[0, 1], [1]]
    assert choose_heads(worths, 0.01) == [[0], [1]]
