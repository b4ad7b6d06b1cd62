"""Layers that change nothing go first; what is left is the same model without them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from penjing.compress import layers as layers_module
from penjing.compress.layers import Options, apply
from penjing.core.artifact import write_artifact
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.model.encoder import Classifier, load_classifier, save_classifier
from penjing.model.layers import keep_layers, layers_of
from penjing.runtime.open import open_session
from penjing.tasks import card_fields
from penjing.tasks.tag import Tag
from penjing.text.tokens import open_tokenizer


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


def idle(parent: Artifact, place: int, folder: Path) -> Artifact:
    """The parent with one layer more at `place`, whose own part of the sum is almost nothing."""
    classifier = load_classifier(parent)
    longer = keep_layers(classifier, [0, 1, 1])
    layers = layers_of(longer.encoder)
    extra = type(layers[0])(longer.encoder.config)
    with torch.no_grad():
        for name, parameter in extra.named_parameters():
            if name.endswith(("output.dense.weight", "output.dense.bias")):
                parameter.zero_()
    others = [layer for number, layer in enumerate(layers) if number < 2]
    for number, layer in enumerate([*others[:place], extra, *others[place:]]):
        layers[number] = layer
    tokenizer = open_tokenizer(parent.folder)
    return write_artifact(folder, parent.card, lambda inside: save_classifier(inside, longer, tokenizer))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_the_layer_that_does_nothing_goes_first(parent: Artifact, inputs: Inputs, tmp_path: Path, place: int) -> None:
    longer = idle(parent, place, tmp_path / "longer")
    made = apply(replace(inputs, parent=longer), Options(keep=2, texts=16), run(tmp_path))
    assert made.card.notes["layers"] == [number for number in range(3) if number != place]
    texts = inputs.validation.texts
    found, wanted = (open_session(each, threads=1).logits(texts) for each in (made, parent))
    assert found == pytest.approx(wanted, abs=1e-4)
    assert made.card.parameters == sum(one.numel() for one in load_classifier(made).parameters())


def test_a_deeper_cut_goes_on_from_where_the_last_one_ended(
    parent: Artifact, inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = replace(inputs, parent=idle(parent, 1, tmp_path / "longer"))
    alone = apply(longer, Options(keep=1, texts=16), run(tmp_path / "alone"))
    shared = replace(run(tmp_path / "a"), shared=tmp_path / "shared")
    apply(longer, Options(keep=2, texts=16), shared)
    seen: list[int] = []
    counted = layers_module.predict_outputs
    monkeypatch.setattr(layers_module, "predict_outputs", lambda *given: seen.append(1) or counted(*given))
    deeper = apply(longer, Options(keep=1, texts=16), replace(run(tmp_path / "b"), shared=tmp_path / "shared"))
    assert deeper.id == alone.id
    assert len(seen) == 1 + 2, "the whole model, and each of the two layers that were left"
    seen.clear()
    again = apply(longer, Options(keep=2, texts=16), replace(run(tmp_path / "c"), shared=tmp_path / "shared"))
    assert not seen and again.card.notes["layers"] == [0, 2]
    next((tmp_path / "shared" / "layers").iterdir()).write_text("[0, 0]")
    assert (
        apply(longer, Options(keep=1, texts=16), replace(run(tmp_path / "d"), shared=tmp_path / "shared")).id
        == alone.id
    )


def test_one_layer_is_left_and_no_fewer_than_asked(inputs: Inputs, tmp_path: Path) -> None:
    made = apply(inputs, Options(keep=1, texts=8), run(tmp_path))
    assert len(layers_of(load_classifier(made).encoder)) == 1
    assert apply(inputs, Options(keep=1, texts=8), run(tmp_path / "again")).id == made.id
    with pytest.raises(UsageError, match="this model has 2 layers"):
        apply(inputs, Options(keep=2), run(tmp_path / "more"))


def test_layers_of_a_model_that_tags_tokens_are_chosen_by_its_tags(
    parent: Artifact, inputs: Inputs, tmp_path: Path
) -> None:
    task = Tag(("bad", "good"))
    classifier = load_classifier(idle(parent, 0, tmp_path / "longer"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        tagger = Classifier(classifier.encoder, task.heads).eval()
    fields = {**card_fields(task, task.plain()), "labels": ()}
    longer = write_artifact(
        tmp_path / "tagger",
        parent.card.model_copy(update=fields),
        lambda inside: save_classifier(inside, tagger, open_tokenizer(parent.folder)),
    )
    golds = {
        "train": replace(inputs.train, labels=["[]"] * len(inputs.train)),
        "validation": replace(inputs.validation, labels=["[]"] * len(inputs.validation)),
    }
    made = apply(replace(inputs, parent=longer, task=task, **golds), Options(keep=2, texts=16), run(tmp_path))
    assert made.card.notes["layers"] == [1, 2]
    texts = inputs.validation.texts[:20]
    found, wanted = (open_session(each, threads=1).outputs(texts)["tags"] for each in (made, longer))
    assert all(one.shape == other.shape for one, other in zip(found, wanted, strict=True))
    assert all(one == pytest.approx(other, abs=1e-4) for one, other in zip(found, wanted, strict=True))
