"""Common checks over every method that trains few parameters: what changes, what is kept apart, what can follow."""

from __future__ import annotations

import importlib
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.conftest import make_tiny_release
from tests.tune.test_full import base_folder, table

from penjing.cases.record import Ask, work
from penjing.cases.replay_record import replay_record
from penjing.compress import export, heads, int8, layers, vocabulary, width
from penjing.core.errors import RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.decide.decider import Decider
from penjing.model.adapters import FOLDER, open_adapter
from penjing.model.base import open_base
from penjing.model.encoder import load_classifier, load_encoder
from penjing.model.inserted import INSERTED, inserted_in
from penjing.runtime.open import open_session
from penjing.store.database import open_store
from penjing.store.records import get_record, write_prepared
from penjing.store.releases import put_in_service
from penjing.tune import METHODS, full

QUICK: dict[str, dict[str, Any]] = {
    "bitfit": {"learning_rate": 2e-2},
    "adapter": {"learning_rate": 5e-3, "size": 8},
    "ia3": {"learning_rate": 3e-2},
    "adalora": {"learning_rate": 1e-2, "initial_rank": 4, "rank": 2, "interval": 2},
    "prompt": {"learning_rate": 3e-2, "tokens": 4, "encoder": "lstm"},
    "prefix": {"learning_rate": 3e-2, "tokens": 4},
}
# What stays in the network, by the key in its configuration.
STAYS = {"adapter": "penjing_adapters", "prompt": "penjing_prompt", "prefix": "penjing_prefix"}
BIAS = ("bias",)
# The last parts of the names of the base's parameters that may change, and where.
CHANGES: dict[str, Callable[[str], bool]] = {
    "bitfit": lambda name: name.endswith("bias"),
    "adapter": lambda name: "LayerNorm" in name and name.startswith("encoder.layer"),
    "ia3": lambda name: ".key." in name or ".value." in name or name.endswith(".output.dense.weight"),
    "adalora": lambda name: name.startswith("encoder.layer") and name.endswith("weight") and "LayerNorm" not in name,
    "prompt": lambda name: False,  # noqa: ARG005
    "prefix": lambda name: False,  # noqa: ARG005
}
each = pytest.mark.parametrize("name", QUICK)
# What is merged is a plain encoder, of which other tests say the same.
stays_first = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in STAYS else [pytest.mark.slow]) for name in QUICK]
)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    folder = base_folder.__wrapped__(tmp_path_factory)  # type: ignore[attr-defined]
    return Inputs(open_base(str(folder), Path("/")), table(120, 1), table(60, 2), language="en")


@pytest.fixture(scope="module")
def made(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Artifact]:
    kept: dict[str, Artifact] = {}

    def go(name: str) -> Artifact:
        if name not in kept:
            kept[name] = run_method(name, inputs, tmp_path_factory.mktemp(name))
        return kept[name]

    return go


def run_method(
    name: str, inputs: Inputs, folder: Path, *, stop: Callable[[], bool] = lambda: False, **more: Any
) -> Artifact:
    module = importlib.import_module(METHODS[name])
    given = {"epochs": 8, "head_factor": 4, "max_tokens": 16, **QUICK.get(name, {}), **more}
    made: Artifact = module.apply(
        inputs, module.Options(**given), Run(folder / "out", folder / "scratch", threads=1, stop=stop)
    )
    return made


def moved(made: Artifact, inputs: Inputs) -> list[str]:
    """The names of the base's parameters that are others in the artifact."""
    assert inputs.parent is not None
    base, tuned = load_encoder(inputs.parent).state_dict(), load_classifier(made).encoder.state_dict()
    return [name for name in base if not torch.equal(base[name], tuned[name][: len(base[name])])]


@each
def test_only_its_own_parameters_change(name: str, made: Callable[[str], Artifact], inputs: Inputs) -> None:
    artifact = made(name)
    changed = moved(artifact, inputs)
    assert [one for one in changed if not CHANGES[name](one)] == []
    assert bool(changed) == (name not in ("prompt", "prefix"))
    head = sum(one.numel() for one in load_classifier(artifact).head.parameters())
    learned = artifact.card.notes["learned_parameters"]
    assert head < learned and (name == "prompt" or learned < 0.45 * artifact.card.parameters)
    assert artifact.card.metrics["validation_macro_f1"] > 0.55, "of three labels, one in ten of them drawn at random"


@each
def test_top_layers_alone_can_be_changed(name: str, inputs: Inputs, tmp_path: Path) -> None:
    if name == "prompt":
        pytest.skip("it is below all layers")
    artifact = run_method(name, inputs, tmp_path, layers=1, epochs=1)
    changed = moved(artifact, inputs)
    assert not [one for one in changed if not one.startswith("encoder.layer.1.")]
    own = [
        one for one, _ in load_classifier(artifact).encoder.named_parameters() if ".adapter." in one or "prefix_" in one
    ]
    assert all(one.startswith("encoder.layer.1.") for one in own)
    assert bool(own) == (name in ("adapter", "prefix"))


@each
def test_the_small_folder_and_the_base_give_the_same_bits(
    name: str, made: Callable[[str], Artifact], inputs: Inputs
) -> None:
    artifact = made(name)
    assert inputs.parent is not None
    again, wanted = open_adapter(artifact.folder / FOLDER, inputs.parent), load_classifier(artifact)
    assert again.state_dict().keys() == wanted.state_dict().keys()
    assert all(torch.equal(again.state_dict()[one], tensor) for one, tensor in wanted.state_dict().items())
    ids = torch.randint(5, 40, (3, 9), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(again(ids, torch.ones_like(ids)), wanted(ids, torch.ones_like(ids)))


@each
def test_what_stays_is_in_its_config_and_what_is_merged_is_plain(name: str, made: Callable[[str], Artifact]) -> None:
    encoder = load_encoder(made(name))
    assert inserted_in(encoder.config) == ([STAYS[name]] if name in STAYS else [])
    assert not [one for one, _ in encoder.named_modules() if "lora" in one or "ia3" in one]
    assert set(STAYS.values()) == set(INSERTED)


@each
def test_stopped_and_resumed_it_is_the_same_artifact(
    name: str, made: Callable[[str], Artifact], inputs: Inputs, tmp_path: Path
) -> None:
    draw, stops, parts = random.Random(3), 0, None
    for _ in range(30):
        steps, calls = draw.randint(3, 17), iter(range(10_000))
        try:
            parts = run_method(
                name,
                inputs,
                tmp_path,
                stop=lambda calls=calls, steps=steps: next(calls) >= steps,  # type: ignore[misc]
            )
        except RunInterruptedError:
            stops += 1
        else:
            break
    assert stops > 2 and parts is not None
    assert parts.id == made(name).id


@stays_first
def test_every_engine_gives_its_answers(
    name: str, made: Callable[[str], Artifact], inputs: Inputs, tmp_path: Path
) -> None:
    artifact, texts = made(name), list(inputs.validation.texts)
    given, wanted = replace(inputs, parent=artifact), open_session(artifact, threads=1).logits(texts)
    for engine in ("onnx", "openvino"):
        run = Run(tmp_path / engine, tmp_path / f"{engine}.scratch", threads=1)
        found = open_session(export.apply(given, export.Options(engine=engine, storage="float32"), run), threads=1)
        np.testing.assert_allclose(found.logits(texts), wanted, atol=2e-4 * max(1.0, float(np.abs(wanted).max())))
    run = Run(tmp_path / "int8", tmp_path / "int8.scratch", threads=1)
    small = open_session(int8.apply(given, int8.Options(engine="onnx"), run), threads=1).logits(texts)
    assert (small.argmax(axis=1) == wanted.argmax(axis=1)).mean() > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("name", STAYS)
def test_the_steps_that_change_weights_can_follow(
    name: str, made: Callable[[str], Artifact], inputs: Inputs, tmp_path: Path
) -> None:
    artifact = made(name)
    given = replace(inputs, parent=artifact, train=table(40, 1))
    for step, options in (
        (vocabulary, vocabulary.Options()),
        (layers, layers.Options(keep=1, texts=8)),
        (width, width.Options(keep=0.5, texts=16)),
        (heads, heads.Options(keep=0.5, texts=16)),
    ):
        short = step.__name__.rpartition(".")[2]
        small = step.apply(given, options, Run(tmp_path / short, tmp_path / f"{short}.scratch", threads=1))  # type: ignore[attr-defined]
        classifier = load_classifier(small)
        assert inserted_in(classifier.encoder.config) == [STAYS[name]]
        assert sum(one.numel() for one in classifier.parameters()) == small.card.parameters
        assert short == "vocabulary" or small.card.parameters < artifact.card.parameters
        run = Run(tmp_path / f"{short}.onnx", tmp_path / f"{short}.onnx.scratch", threads=1)
        texts = list(inputs.validation.texts)
        served = export.apply(replace(given, parent=small), export.Options(engine="onnx", storage="float32"), run)
        wanted = open_session(small, threads=1).logits(texts)
        np.testing.assert_allclose(open_session(served, threads=1).logits(texts), wanted, atol=1e-3)


@pytest.mark.parametrize("name", STAYS)
def test_a_release_of_it_decides_and_is_replayed_to_the_byte(name: str, inputs: Inputs, tmp_path: Path) -> None:
    names = {"delivery": "ham", "price": "spam"}
    tables = []
    for one in (inputs.train, inputs.validation):
        found = [(text, names[gold]) for text, gold in zip(one.texts, one.labels or (), strict=True) if gold in names]
        tables.append(Table([text for text, _ in found], [gold for _, gold in found]))
    given = replace(inputs, train=tables[0], validation=tables[1])
    made = run_method(name, given, tmp_path / "made")
    run = Run(tmp_path / "onnx", tmp_path / "onnx.scratch", threads=1)
    served = export.apply(replace(given, parent=made), export.Options(engine="onnx"), run)
    decider = Decider(make_tiny_release(tmp_path / "release", artifact=served), threads=1)
    store = open_store(f"sqlite:///{tmp_path / 'cases.db'}")
    put_in_service(store, decider.release)
    answers = work(decider, [Ask(text, {"channel": "web"}, evidence=False) for text in tables[1].texts])
    with store.write() as connection:
        write_prepared(connection, [answer.record for answer in answers if answer.record])
    assert sum(one.shown["route"] == "automatic" for one in answers) > 10
    for answer in answers:
        record = get_record(store, answer.shown["id"])
        assert record is not None
        again = replay_record(record, decider)
        assert again.same and again.model is not None and again.model.exact


@pytest.mark.parametrize("name", STAYS)
def test_it_can_be_tuned_further_whole_but_not_changed_once_more(
    name: str, made: Callable[[str], Artifact], inputs: Inputs, tmp_path: Path
) -> None:
    given = replace(inputs, parent=made(name))
    options = full.Options(epochs=1, learning_rate=(1e-3,), max_tokens=16)
    further = full.apply(given, options, Run(tmp_path / "out", tmp_path / "scratch", threads=1))
    assert inserted_in(load_encoder(further).config) == [STAYS[name]]
    for other in ("lora", "adapter", "ia3", "adalora", "prompt", "prefix"):
        with pytest.raises(
            UsageError, match=f"`tune.{other}` starts from a plain encoder, and `tune.{name}`"
        ) as caught:
            run_method(other, given, tmp_path / other)
        assert caught.value.fix
