"""The linear engine of tags: a sum of weights, the same alone and in a batch, and its files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from penjing.core.artifact import write_artifact
from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact, Card
from penjing.engines.linear_tokens import WEIGHT, TokenLinearEngine
from penjing.runtime.open import open_session
from penjing.runtime.selfcheck import make_selfcheck, run_selfcheck
from penjing.tasks import card_fields
from penjing.tasks.tag import Tag
from penjing.text.units import fit_surroundings

TEXTS = ["房间 很干净", "服务很好，", "the room is 12 m²", "干净"]
TASK = Tag(("a", "b"))


def engine() -> TokenLinearEngine:
    features = fit_surroundings(TEXTS, 1, 1000, lambda: None)
    random = np.random.default_rng(0)
    coef = random.normal(0, 2, (len(features), 5)).astype(np.float16)
    return TokenLinearEngine(features, coef, random.normal(0, 1, 5).astype(np.float32), TASK.heads)


def artifact(folder: Path) -> Artifact:
    card = Card(form="linear", method="tune.linear", **card_fields(TASK, TASK.plain()))
    return write_artifact(folder, card, engine().write)


def test_outputs_are_sums_of_weights_and_unknown_features_add_nothing() -> None:
    model = engine()
    (row,) = model.encode(["干净 xyz"])
    (table,) = model.run([row])["tags"]
    for unit, places in enumerate(row):
        known = places[places >= 0]
        wanted = model._coef[known].astype(np.float64).sum(axis=0) * WEIGHT + model._bias
        np.testing.assert_allclose(table[unit], wanted, rtol=1e-6)


def test_a_text_has_the_same_outputs_alone_and_in_a_batch() -> None:
    model = engine()
    rows = model.encode(TEXTS)
    together = model.run(rows)["tags"]
    for place, row in enumerate(rows):
        assert (together[place, : len(row)] == model.run([row])["tags"][0]).all()


def test_a_session_answers_with_places_in_the_text_and_checks_itself(tmp_path: Path) -> None:
    session = open_session(artifact(tmp_path / "a"))
    for text, prediction in zip(TEXTS, session.predict(TEXTS), strict=True):
        for span in prediction.answer.spans:  # type: ignore[union-attr]
            assert text[span.start : span.end].strip() == text[span.start : span.end] != ""
    assert run_selfcheck(session, make_selfcheck(session)) == pytest.approx(0, abs=1e-6)
    assert session.predict([""])[0].answer.spans == ()  # type: ignore[union-attr]


def test_weights_that_do_not_fit_are_damage(tmp_path: Path) -> None:
    made = artifact(tmp_path / "a")
    (made.folder / "units.txt").write_text("x\n", encoding="utf-8")
    with pytest.raises(DamageError, match="does not fit"):
        TokenLinearEngine.load(made)
