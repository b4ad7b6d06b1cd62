"""Columns of a linear model by unit, one a tag or one for each end of a span; and tags that are learned as a chain."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from penjing.core.answers import Spans
from penjing.core.artifact import open_artifact
from penjing.core.errors import PenjingError
from penjing.core.nouns import Artifact, Card, Inputs, Run, Table
from penjing.core.task import IGNORED, Head
from penjing.runtime.open import open_session
from penjing.tasks import open_reader, tag_following
from penjing.tune import linear
from penjing.tune.linear_tokens import _columns

# A code is two or three marks, and only where one begins tells that the next one belongs to it.
CODES = ("x x x", "x x")


def rows(count: int, seed: int) -> Table:
    draw = np.random.default_rng(seed)
    texts, golds = [], []
    for number in range(count):
        parts, entities, start = [], [], 0
        for _ in range(3):
            code = str(draw.choice(CODES))
            for word in ("code", code, str(draw.choice(["ends", "now", "here"]))):
                if word == code:
                    entities.append({"start": start, "end": start + len(word), "label": "code"})
                parts.append(word)
                start += len(word) + 1
        texts.append(f"{' '.join(parts)} {number}")
        golds.append(json.dumps(entities))
    return Table(texts, golds)


def fitted(folder: Path, *, chain: bool) -> Artifact:
    train, validation = rows(60, 0), rows(20, 1)
    reader = open_reader("tag", {})
    train, validation = (
        Table(one.texts, [reader.read(gold) for gold in one.labels or ()]) for one in (train, validation)
    )
    inputs = Inputs(None, train, validation, task=reader.learn(train.labels or ()))
    options = linear.Options(c=(4.0, 16.0), folds=2, chain=chain)
    return linear.apply(inputs, options, Run(folder / "out", folder / "scratch"))


def test_a_chain_has_weights_in_its_calibration_and_the_same_bytes_again(tmp_path: Path) -> None:
    made, again = fitted(tmp_path / "a", chain=True), fitted(tmp_path / "b", chain=True)
    assert made.id == again.id
    written = json.loads((made.folder / "card.json").read_text("utf-8"))
    assert written["format"] == 3 and written["chained"]
    assert np.array(written["calibration"]["following"]).shape == (3, 3)
    assert "following" not in written["task_state"]
    assert made.card.metrics["validation_entity_f1"] > 0.95


def test_a_model_whose_tags_teach_nothing_of_each_other_keeps_the_card_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_following, "fit_following", lambda *_: None)
    written = json.loads((fitted(tmp_path / "a", chain=False).folder / "card.json").read_text("utf-8"))
    assert written["format"] == 2 and "chained" not in written and "following" not in written["calibration"]


def test_without_a_chain_what_follows_what_is_learned_on_validation_rows(tmp_path: Path) -> None:
    made = fitted(tmp_path / "a", chain=False)
    written = json.loads((made.folder / "card.json").read_text("utf-8"))
    assert written["format"] == 3 and written["chained"]
    assert np.array(written["calibration"]["following"]).shape == (3, 3)


def test_a_chain_answers_alike_alone_and_among_others(tmp_path: Path) -> None:
    session, texts = open_session(fitted(tmp_path, chain=True)), [*rows(12, 2).texts, ""]
    together = session.predict(texts)
    for text, one in zip(texts, together, strict=True):
        assert isinstance(one.answer, Spans)
        assert session.predict([text])[0].answer == one.answer
        assert all(0 <= span.p <= 1 for span in one.answer.spans) and 0 <= one.answer.p <= 1


def test_a_card_of_a_later_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="format 4; this installation reads 1 to 3"):
        Card.model_validate({"format": 4, "form": "linear", "method": "tune.linear"})
    made = fitted(tmp_path, chain=True)
    with (made.folder / "card.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(PenjingError):
        open_artifact(made.folder)


def test_a_column_a_tag() -> None:
    head = Head("token", 3, "cross_entropy")
    columns = _columns(head, [np.array([0, 2]), np.array([1])], [2, 1])
    assert [column.tolist() for _, column in columns] == [
        [True, False, False],
        [False, False, True],
        [False, True, False],
    ]
    (_, first), *_ = _columns(head, [np.array([0, IGNORED]), np.array([1])], [2, 1])
    np.testing.assert_array_equal(first, [1.0, np.nan, 0.0])


def test_a_column_for_each_end_of_a_span() -> None:
    head = Head("span", 2, "cross_entropy")
    begin, end = _columns(head, np.array([[1, 2], [0, 0]]), [3, 2])
    assert begin[1].tolist() == [False, True, False, True, False]
    assert end[1].tolist() == [False, False, True, True, False]
