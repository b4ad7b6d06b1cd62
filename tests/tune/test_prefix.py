"""Prefixes: they begin as what the base computes of frequent words, and only they learn."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.tune.test_full import base_folder, inputs  # noqa: F401 - fixtures
from transformers import DistilBertConfig, DistilBertModel

from penjing.core.errors import UsageError
from penjing.core.nouns import Inputs, Run
from penjing.model.encoder import Classifier
from penjing.model.layers import heads_of, layers_of
from penjing.tune.frequent import frequent_tokens
from penjing.tune.job import prepare_job, whole_model
from penjing.tune.prefix import Options, _prepare, keys_and_values
from penjing.tune.trained import learned_names


def test_they_begin_as_keys_and_values_of_frequent_words(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    job = prepare_job("tune.prefix", inputs, Options(max_tokens=16, tokens=3, layers=1), run)
    classifier, _ = whole_model(job)
    assert isinstance(classifier, Classifier)
    encoder = classifier.encoder
    ids = torch.from_numpy(frequent_tokens(job.train.ids, 3))
    with torch.no_grad():
        states = encoder(
            input_ids=ids[None], attention_mask=torch.ones_like(ids)[None], output_hidden_states=True
        ).hidden_states
        _, (_, key, value), _ = heads_of(layers_of(encoder)[1])
        wanted = key(states[1])[0], value(states[1])[0]
    _prepare(classifier, job)
    attention = layers_of(encoder)[1].attention.self  # type: ignore[union-attr]
    assert torch.allclose(attention.prefix_keys, wanted[0], atol=1e-6)  # type: ignore[union-attr, arg-type]
    assert torch.allclose(attention.prefix_values, wanted[1], atol=1e-6)  # type: ignore[union-attr, arg-type]
    under = "encoder.layer.1.attention.self"
    assert learned_names(encoder) == {f"{under}.prefix_keys", f"{under}.prefix_values"}


def test_more_words_than_the_encoder_takes_are_read_in_rows(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    job = prepare_job("tune.prefix", inputs, Options(max_tokens=16), run)
    classifier, _ = whole_model(job)
    assert isinstance(classifier, Classifier)
    found = keys_and_values(classifier.encoder, list(layers_of(classifier.encoder)), torch.full((70,), 6))
    assert [tuple(keys.shape) for keys, _ in found] == [(70, 32)] * 2


def test_attention_of_another_kind_is_refused() -> None:
    encoder = DistilBertModel(DistilBertConfig(vocab_size=20, dim=16, hidden_dim=16, n_layers=1, n_heads=2))
    with pytest.raises(UsageError, match=r"have no `attention.self.query`"):
        Options().check_encoder(encoder)
