"""Stages say what the whole says, texts exit only where the teacher agrees, and nobody's neighbour matters."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from penjing.compress.exit import Exiting, Options, apply, ends_of
from penjing.core.errors import DamageError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.engines.early_exit import EXITS, ExitEngine
from penjing.model.encoder import load_classifier
from penjing.runtime.open import open_session
from penjing.runtime.selfcheck import make_selfcheck, run_selfcheck

QUICK = Options(epochs=2, learning_rate=3e-4, agreement=0.9)


def run(folder: Path) -> Run:
    return Run(out=folder / "out", scratch=folder / "scratch", threads=1)


@pytest.fixture(scope="module")
def made(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The tiny parent with an exit after the first of its two layers."""
    return apply(inputs, QUICK, run(tmp_path_factory.mktemp("exit")))


def test_texts_leave_early_and_keep_their_labels(made: Artifact, inputs: Inputs) -> None:
    assert inputs.parent is not None
    texts = list(inputs.validation.texts)
    session = open_session(made, threads=1)
    assert isinstance(session.engine, ExitEngine)
    depths = session.engine.depths(session.engine.encode(texts))
    assert set(depths) <= {0, 1} and 0 in depths
    assert np.mean(np.array(depths) == 0) == pytest.approx(made.card.notes["exit_share"][0], abs=1e-6)
    wanted = open_session(inputs.parent, threads=1).logits(texts).argmax(axis=1)
    same = session.logits(texts).argmax(axis=1) == wanted
    assert same[np.array(depths) == 0].mean() >= 0.9 and same.mean() >= 0.8
    assert made.card.notes["exits_after"] == [1] and made.card.form == "exit"
    assert made.card.metrics["validation_agreement"] == pytest.approx(float(same.mean()), abs=1e-6)


def test_neighbours_change_nothing_and_its_self_check_holds(made: Artifact, inputs: Inputs) -> None:
    session = open_session(made, threads=1)
    texts = [*inputs.validation.texts[:20], "good " * 100]
    assert session.predict(texts) == [session.predict([text])[0] for text in texts]
    stored = make_selfcheck(session)
    assert len(stored["logits"][0]) == 2 * len(made.card.labels), "both stages are checked"
    assert run_selfcheck(session, stored) < 1e-6
    stored["logits"][0][0] += 10
    with pytest.raises(DamageError, match="does not agree"):
        run_selfcheck(session, stored)


def test_in_float32_each_stage_is_the_torch_model_up_to_there(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    options = QUICK.model_copy(update={"int8": False, "epochs": 0.01, "learning_rate": 1e-9, "agreement": 0.999})
    made = apply(inputs, options, run(tmp_path))
    engine = open_session(made, threads=1).engine
    assert isinstance(engine, ExitEngine)
    rows = engine.encode(list(inputs.validation.texts[:10]))
    (found,) = engine.every(rows).values()
    found = np.split(found, 2, axis=1)
    model = Exiting(load_classifier(inputs.parent), [1, 2]).eval()
    for row, first, last in zip(rows, *found, strict=True):
        with torch.inference_mode():
            wanted = model(torch.from_numpy(row)[None], torch.ones(1, len(row), dtype=torch.int64)).chunk(2, dim=1)
        for one, other in ((first, wanted[0][0].numpy()), (last, wanted[1][0].numpy())):
            # Each stage is divided by its own temperature: the same up to a factor.
            factor = float(one @ other / (other @ other))
            np.testing.assert_allclose(one, factor * other, atol=0.02 * float(np.abs(one).max()))


def test_a_killed_step_goes_on_to_the_same_id(made: Artifact, inputs: Inputs, tmp_path: Path) -> None:
    first = run(tmp_path)
    again = apply(inputs, QUICK, first)
    assert again.id == made.id
    assert apply(inputs, QUICK, replace(first, out=tmp_path / "b")).id == made.id


def test_where_a_text_may_exit() -> None:
    assert ends_of([], 12) == [6, 12] and ends_of([4, 2, 4], 6) == [2, 4, 6] and ends_of([], 3) == [1, 3]
    for after, total in (([0], 4), ([4], 4), ([], 1)):
        with pytest.raises(UsageError, match="cannot exit early"):
            ends_of(after, total)


def test_thresholds_that_cannot_be_read_are_damage(made: Artifact, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    folder.mkdir()
    for path in made.folder.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / EXITS).write_text(json.dumps({"format": 1, "thresholds": []}))
    with pytest.raises(DamageError, match=r"exits\.json cannot be used"):
        ExitEngine.load(replace(made, folder=folder), 1)
    (folder / EXITS).write_text(json.dumps({"format": 1, "thresholds": [0.9, 0.9]}))
    with pytest.raises(DamageError, match=r"cannot read stage2\.onnx"):
        ExitEngine.load(replace(made, folder=folder), 1)
