"""A tuned encoder as an artifact: its card says how it was trained, and a merge adds its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.tune.test_full import QUICK, base_folder, inputs  # noqa: F401 - fixtures

from penjing.core.nouns import Inputs, Run
from penjing.engines.torch import TorchEngine
from penjing.runtime.open import open_session
from penjing.train.loop import Outcome
from penjing.tune.full import Options
from penjing.tune.job import Job, prepare_job, whole_model
from penjing.tune.writing import Files, Trained, write_tuned


def outcome(score: float, **changes: Any) -> Outcome:
    given: dict[str, Any] = {"losses": [0.9, 0.5], "evaluations": [{"score": score}], "scores": {"score": score}}
    return Outcome(**(given | changes))


@pytest.fixture
def job(inputs: Inputs, tmp_path: Path) -> Job:  # noqa: F811
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    return prepare_job("tune.full", inputs, Options(**(QUICK | {"learning_rate": [1e-3, 2e-3]})), run)


def test_the_artifact_answers_and_its_card_says_what_learned(job: Job) -> None:
    model, _ = whole_model(job)
    made = write_tuned(job, Trained(model, 2e-3, outcome(0.5)))
    assert made.card.notes["learning_rate"] == 2e-3
    assert made.card.notes["learned_parameters"] == sum(one.numel() for one in model.parameters() if one.requires_grad)
    assert made.card.lineage[-1]["method"] == "tune.full" and made.card.lineage[-1]["parent"] == job.parent.id
    assert made.card.metrics and set(made.card.curves.model_dump()) >= {"loss", "validation"}
    session = open_session(made, threads=1)
    assert isinstance(session.engine, TorchEngine)
    texts = list(job.inputs.validation.texts[:3])
    assert [one.answer for one in session.predict(texts)] == [session.predict([text])[0].answer for text in texts]


def test_every_rate_that_was_compared_has_its_result(job: Job) -> None:
    model, _ = whole_model(job)
    tries = (outcome(0.4, rung={"score": 0.3}), outcome(0.6, rung={"score": 0.5}))
    made = write_tuned(job, Trained(model, 2e-3, tries[1], tries))
    rates = made.card.notes["learning_rates"]
    assert [row["learning_rate"] for row in rates] == [1e-3, 2e-3]
    assert [row["rung"] for row in rates] == [{"score": 0.3}, {"score": 0.5}]
    assert rates[1]["score"] == 0.6, "of the chosen one at its end"


def test_a_merge_adds_its_files(job: Job) -> None:
    def merge(_classifier: Any, of: Job) -> Files:
        return lambda folder: (folder / "beside.txt").write_text(of.method, encoding="utf-8") and None

    model, _ = whole_model(job)
    made = write_tuned(job, Trained(model, 1e-3, outcome(0.5)), merge)
    assert (made.folder / "beside.txt").read_text(encoding="utf-8") == "tune.full"
