"""Fewer entries, the same answers on texts like those given; and what is lost where characters go too."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.compress.vocabulary import Options, apply
from penjing.core.errors import UsageError
from penjing.core.nouns import Inputs, Run, Table
from penjing.model.encoder import load_classifier
from penjing.runtime.open import open_session


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


def test_the_answers_stay_and_the_folder_shrinks(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    few = replace(inputs, train=inputs.train.take(range(3)))
    made = apply(few, Options(), run(tmp_path))
    sizes = made.card.notes["vocabulary"]
    assert sizes["after"] < sizes["before"]
    table = load_classifier(made).encoder.get_input_embeddings().weight
    assert len(table) == sizes["after"]
    assert made.card.parameters == sum(one.numel() for one in load_classifier(made).parameters())
    texts = few.train.texts
    found, wanted = (open_session(each, threads=1).logits(texts) for each in (made, inputs.parent))
    assert np.allclose(found, wanted, atol=1e-5)
    assert apply(few, Options(), run(tmp_path / "again")).id == made.id


def test_a_piece_must_be_seen_often_enough(inputs: Inputs, tmp_path: Path) -> None:
    every = apply(inputs, Options(), run(tmp_path / "a")).card.notes["vocabulary"]["after"]
    few = apply(inputs, Options(seen=10_000), run(tmp_path / "b")).card.notes["vocabulary"]["after"]
    assert few < every


def test_without_texts_nothing_is_known(inputs: Inputs, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs texts"):
        apply(replace(inputs, train=Table([], [])), Options(), run(tmp_path))
