"""Adapters: where the two kinds are, and how many parameters they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.tune.test_full import base_folder, inputs  # noqa: F401 - fixtures
from transformers import DistilBertConfig, DistilBertModel

from penjing.core.nouns import Inputs, Run
from penjing.model.bottleneck import adapters_of
from penjing.model.encoder import Classifier
from penjing.tune.adapter import Options, _prepare
from penjing.tune.job import prepare_job, whole_model
from penjing.tune.trained import learned_names


def prepared(inputs: Inputs, folder: Path, **options: Any) -> Classifier:  # noqa: F811
    run = Run(folder / "out", folder / "scratch", threads=1)
    job = prepare_job("tune.adapter", inputs, Options(max_tokens=16, **options), run)
    classifier, _ = whole_model(job)
    assert isinstance(classifier, Classifier)
    _prepare(classifier, job)
    return classifier


@pytest.mark.parametrize("kind", ["houlsby", "pfeiffer"])
def test_they_are_after_the_parts_of_each_layer_and_learn_with_the_norms(
    inputs: Inputs,  # noqa: F811
    tmp_path: Path,
    kind: str,
) -> None:
    encoder = prepared(inputs, tmp_path, kind=kind, size=5, layers="all").encoder
    parts = ("attention.output.dense", "output.dense")[kind == "pfeiffer" :]
    wanted = [f"encoder.layer.{layer}.{part}.adapter" for layer in range(2) for part in parts]
    assert [name for name, _ in adapters_of(encoder)] == wanted
    learned = learned_names(encoder)
    norms = {name for name in learned if "LayerNorm" in name}
    assert len(norms) == (8 if kind == "houlsby" else 0) and not any("embeddings" in name for name in norms)
    assert len(learned - norms) == 4 * len(wanted)
    numbers = sum(one.numel() for name, one in encoder.named_parameters() if ".adapter." in name)
    assert numbers == len(wanted) * (2 * 5 * 32 + 5 + 32)


def test_layers_below_the_trained_ones_have_none(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    encoder = prepared(inputs, tmp_path, layers=1).encoder
    assert {name.split(".")[2] for name, _ in adapters_of(encoder)} == {"1"}
    assert all(name.startswith("encoder.layer.1.") for name in learned_names(encoder))
    assert not adapters_of(prepared(inputs, tmp_path, layers=0).encoder)


def test_distilbert_has_other_names() -> None:
    from penjing.model.bottleneck import put_adapters
    from penjing.model.layers import FAMILIES
    from penjing.tune.adapter import _ENDS

    encoder = DistilBertModel(DistilBertConfig(vocab_size=20, dim=16, hidden_dim=16, n_layers=2, n_heads=2))
    Options().check_encoder(encoder)
    put_adapters(encoder, {"layers": FAMILIES["distilbert"], "parts": list(_ENDS["distilbert"]), "sizes": [0, 3]})
    wanted = ["transformer.layer.1.attention.out_lin.adapter", "transformer.layer.1.ffn.lin2.adapter"]
    assert [name for name, _ in adapters_of(encoder)] == wanted
