"""A smaller base takes the place of the teacher's encoder and answers at once; what does not fit is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.compress.conftest import table

from penjing.compress.parts.pooled import pooled_states
from penjing.compress.student import Options, apply, check_student, set_heads
from penjing.core.artifact import open_artifact
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.task import Head
from penjing.model.base import config_of
from penjing.model.encoder import load_classifier
from penjing.model.heads import build_heads
from penjing.runtime.open import open_session
from penjing.text.tokens import open_tokenizer


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


def test_it_has_the_encoder_and_the_tokenizer_of_the_base_and_answers_as_its_teacher(
    inputs: Inputs, other_base: Artifact, tmp_path: Path
) -> None:
    assert inputs.parent is not None
    given = replace(inputs, base=other_base, unlabelled=table(40, seed=9).texts)
    made = apply(given, Options(), run(tmp_path / "a"))
    card = open_artifact(made.folder).card
    assert (card.base, card.notes["base_id"], card.notes["teacher"]) == ("other", other_base.id, inputs.parent.id)
    assert (card.labels, card.max_tokens, card.padding_id) == (("bad", "good"), 48, 1)
    assert config_of(made)["hidden_size"] == 24 and card.notes["head_texts"] == 160
    assert open_tokenizer(made.folder).get_vocab() == open_tokenizer(other_base.folder).get_vocab()
    # The encoder is that of the base, bit for bit, and the head is fitted: no step was trained.
    texts = list(inputs.validation.texts)
    states = [pooled_states(one, texts, 48, run(tmp_path / "p"), "") for one in (made, other_base)]
    assert (states[0] == states[1]).all()
    assert card.metrics["validation_accuracy"] > 0.85 and card.metrics["validation_agreement"] > 0.85
    wanted = open_session(inputs.parent, threads=1).logits(texts)
    found = open_session(made, threads=1).logits(texts)
    assert np.corrcoef((found[:, 0] - found[:, 1]), (wanted[:, 0] - wanted[:, 1]))[0, 1] > 0.8
    assert card.notes["head_error"] < 0.5
    assert apply(given, Options(), run(tmp_path / "b")).id == made.id


def test_the_head_is_fitted_on_a_bounded_number_of_texts(inputs: Inputs, other_base: Artifact, tmp_path: Path) -> None:
    given = replace(inputs, base=other_base, unlabelled=table(40, seed=9).texts)
    made = apply(given, Options(texts=130), run(tmp_path / "a"))
    assert made.card.notes["head_texts"] == 130
    fewer = apply(given, Options(texts=50), run(tmp_path / "b"))
    assert fewer.card.notes["head_texts"] == 50 and fewer.id != made.id


def test_what_does_not_fit_is_refused(inputs: Inputs, other_base: Artifact, tmp_path: Path) -> None:
    assert inputs.parent is not None
    with pytest.raises(UsageError, match="was given no base"):
        apply(inputs, Options(), run(tmp_path))
    fields = inputs.parent.card.model_copy(update={"features": {"amount": {"mean": 0.0, "scale": 1.0}}})
    reading = replace(inputs.parent, card=fields)
    with pytest.raises(UsageError, match="its teacher reads declared fields"):
        apply(replace(inputs, parent=reading, base=other_base), Options(), run(tmp_path))
    longer = replace(inputs.parent, card=inputs.parent.card.model_copy(update={"max_tokens": 65}))
    with pytest.raises(UsageError, match="at most 64 tokens, and its teacher 65") as caught:
        apply(replace(inputs, parent=longer, base=other_base), Options(), run(tmp_path))
    assert caught.value.where == "base"
    with pytest.raises(UsageError, match="needs training texts"):
        apply(replace(inputs, base=other_base, train=inputs.train.take([])), Options(), run(tmp_path))
    check_student(load_classifier(inputs.parent).encoder, 48)


def test_a_map_is_divided_among_several_heads() -> None:
    from penjing.compress.parts.ridge import LinearMap

    heads = build_heads({"topic": Head("pooled", 2, "cross_entropy"), "mood": Head("pooled", 1, "ordinal")}, 3)
    weight, bias = torch.arange(9.0).view(3, 3), torch.tensor([1.0, 2.0, 3.0])
    set_heads(heads, LinearMap(weight, bias, 0.1, 0.0))
    assert torch.equal(heads["topic"].weight, weight[:2]) and torch.equal(heads["mood"].weight, weight[2:])  # type: ignore[index]
    assert torch.equal(heads["topic"].bias, bias[:2]) and torch.equal(heads["mood"].bias, bias[2:])  # type: ignore[index]
    one = build_heads(3, 3)
    set_heads(one, LinearMap(weight, bias, 0.1, 0.0))
    assert torch.equal(one.weight, weight)
