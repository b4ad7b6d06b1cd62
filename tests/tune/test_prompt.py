"""Soft prompts: their start, the network that is left out, their places, and what cannot follow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.tune.test_full import base_folder, inputs  # noqa: F401 - fixtures

from penjing.compress import distill
from penjing.compress import exit as early
from penjing.core.errors import RecipeError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import build_options
from penjing.model.encoder import Classifier, load_encoder, longest_input
from penjing.model.prompt import SoftPrompt
from penjing.tune import full
from penjing.tune.frequent import frequent_tokens
from penjing.tune.job import prepare_job, whole_model
from penjing.tune.prompt import Options, PromptNetwork, _merge, _prepare, apply
from penjing.tune.trained import learned_names


@pytest.mark.parametrize("network", ["none", "mlp", "lstm"])
def test_it_begins_as_frequent_words_and_the_network_is_left_out(
    inputs: Inputs,  # noqa: F811
    tmp_path: Path,
    network: str,
) -> None:
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    job = prepare_job("tune.prompt", inputs, Options(max_tokens=16, tokens=3, encoder=network), run)  # type: ignore[arg-type]
    assert job.layers == "all"
    classifier, _ = whole_model(job)
    assert isinstance(classifier, Classifier)
    words = classifier.encoder.get_input_embeddings().weight.detach().clone()  # type: ignore[operator]
    _prepare(classifier, job)
    prompt = classifier.encoder.prompt
    assert isinstance(prompt, SoftPrompt)
    assert torch.equal(prompt(), words[torch.from_numpy(frequent_tokens(job.train.ids, 3))])
    assert all(name.startswith("prompt.") for name in learned_names(classifier.encoder))
    with torch.no_grad():
        for parameter in prompt.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.1)
        wanted = prompt().clone()
    _merge(classifier, job)
    assert torch.equal(classifier.encoder.prompt(), wanted)  # type: ignore[operator]
    assert [name for name, _ in classifier.encoder.prompt.named_parameters()] == ["vectors"]  # type: ignore[union-attr]


def test_the_network_is_the_papers() -> None:
    vectors = torch.randn(5, 8)
    assert not PromptNetwork(8, lstm=True)(vectors).any(), "it begins as zero"
    network = PromptNetwork(8, lstm=False)
    torch.nn.init.normal_(network.second.weight)
    inner = torch.relu(vectors @ network.first.weight.T + network.first.bias)
    assert torch.allclose(network(vectors), inner @ network.second.weight.T + network.second.bias, atol=1e-6)


def made(inputs: Inputs, folder: Path, **options: Any) -> Artifact:  # noqa: F811
    given = {"max_tokens": 16, "epochs": 1, "tokens": 4, "learning_rate": 1e-2, **options}
    return apply(inputs, Options(**given), Run(folder / "out", folder / "scratch", threads=1))


def test_its_tokens_count_against_the_longest_input(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(UsageError, match="this base takes at most 12 tokens") as caught:
        made(inputs, tmp_path, tokens=20)
    assert caught.value.fix == "set `max_tokens: 12` or less"
    artifact = made(inputs, tmp_path)
    assert artifact.card.notes["prompt_tokens"] == 4
    assert longest_input(load_encoder(artifact)) == 28


def test_layers_cannot_be_trained_apart(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    with pytest.raises(RecipeError, match="layers"):
        build_options(Options, {"layers": 2}, "recipe.yaml:1:1")
    given = replace(inputs, parent=made(inputs, tmp_path / "a"))
    options = {"max_tokens": 16, "epochs": 0.5, "learning_rate": (1e-3,)}
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    with pytest.raises(UsageError, match="its layers are trained together") as caught:
        full.apply(given, full.Options(layers=1, **options), run)  # type: ignore[arg-type]
    assert caught.value.fix == "set `layers: all`"
    further = full.apply(given, full.Options(**options), run)  # type: ignore[arg-type]
    assert further.card.notes["layers"] == "all" and further.card.notes["prompt_tokens"] == 4


def test_exits_and_states_of_tokens_cannot_follow(inputs: Inputs, tmp_path: Path) -> None:  # noqa: F811
    artifact = made(inputs, tmp_path / "a")
    given = replace(inputs, parent=artifact, teachers={distill.TEACHER: artifact})
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    with pytest.raises(UsageError, match=r"a soft prompt of 4 tokens, and the stages of `compress.exit`") as caught:
        early.apply(given, early.Options(), run)
    assert caught.value.fix == "leave the step out"
    with pytest.raises(UsageError, match="its states are not those of the text's tokens alone"):
        distill.apply(given, distill.Options(hidden=1.0, epochs=0.5), run)
    taught = distill.apply(given, distill.Options(pooled=1.0, epochs=0.5, copies=0), run)
    assert load_encoder(taught).prompt.vectors.shape[0] == 4  # type: ignore[union-attr]
