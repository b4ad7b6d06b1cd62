"""The n-gram branch: its weights, its table, and one answer of both parts wherever it is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.compress import cascade, export
from penjing.compress.ngrams import MOST, Options, apply, fit_weights
from penjing.core.artifact import open_artifact
from penjing.core.errors import DamageError, RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.explain.evidence import explain
from penjing.runtime.cascade import SECOND, CascadeSession
from penjing.runtime.ngrams import ENCODER, NGRAMS, WEIGHTS, BranchedSession, read_weights
from penjing.runtime.open import open_session
from penjing.runtime.paced import paced
from penjing.runtime.selfcheck import make_selfcheck, run_selfcheck
from penjing.tasks import task_of_labels
from penjing.tasks.metrics import softmax
from penjing.tune import full

QUICK = Options(bits=12, engine="onnx")
LABELS = ("a", "b", "c")


def branched(inputs: Inputs, folder: Path, options: Options = QUICK) -> Artifact:
    return apply(inputs, options, Run(out=folder / "out", scratch=folder / "scratch", threads=1))


def opened(artifact: Artifact) -> BranchedSession:
    session = open_session(artifact, threads=1)
    assert isinstance(session, BranchedSession)
    return session


def logits(rows: int, right: float, seed: int, scale: float = 3.0) -> tuple[np.ndarray, list[str]]:
    """Logits that are near the truth for that share of the rows, and far from it for the others."""
    drawn, truth = np.random.default_rng(seed), np.arange(rows) % 3
    told = np.where(drawn.uniform(size=rows) < right, truth, drawn.integers(0, 3, rows))
    return (scale * np.eye(3)[told] + drawn.normal(size=(rows, 3))).astype(np.float32), [LABELS[i] for i in truth]


def test_the_weights_have_the_least_loss_with_the_prior() -> None:
    task = task_of_labels(LABELS)
    one, golds = logits(200, 0.8, 1)
    other, _ = logits(200, 0.5, 2, scale=9.0)
    found = fit_weights((one, other), task, golds)
    truth = np.arange(200) % 3

    def loss(a: float, b: float) -> float:
        (f, g) = found.factors
        both = a * f * one.astype(np.float64) + b * g * other
        # Of the gold 201 of 202, of both other labels half of what is left.
        right, wrong = 201 / 202, 0.5 / 202
        parts = [float(-np.log(softmax(both))[np.arange(200), (truth + turn) % 3].mean()) for turn in range(3)]
        return 200 * (right * parts[0] + wrong * (parts[1] + parts[2])) + (a - b) ** 2 / 0.125

    a, b = found.weights
    assert a > 0.5 and b > 0.5, "two parts that err apart count each in full"
    for near in ((a + 0.02, b), (a - 0.02, b), (a, b + 0.02), (a, b - 0.02)):
        assert loss(*near) > loss(a, b)
    # Rows without an error do not make the sum as sure as the bounds allow.
    sure = fit_weights((one[:30] * 0 + 9 * np.eye(3, dtype=np.float32)[truth[:30]],) * 2, task, golds[:30])
    assert max(sure.factors) < 2 and sure.factors[0] == pytest.approx(np.log(31 / (1 / 2)) / 9, rel=1e-3)
    # Each factor is that of its part alone, whatever the scale of its outputs is.
    again = fit_weights((one / 7, other * 2), task, golds)
    assert again.factors == pytest.approx((7 * found.factors[0], found.factors[1] / 2), rel=1e-3)
    assert again.weights == pytest.approx(found.weights, abs=1e-3)
    assert found.of_outputs.encoder == pytest.approx(a * found.factors[0], abs=1e-6)
    assert found.of_outputs.ngrams == pytest.approx(b * found.factors[1], abs=1e-6)


def test_few_rows_leave_the_weights_near_each_other() -> None:
    """The second part is the first with noise: it adds nothing, and many rows are needed to see that."""
    task, apart = task_of_labels(LABELS), []
    for rows in (12, 6000):
        one, golds = logits(rows, 0.8, 3)
        noise = np.random.default_rng(4).normal(scale=2, size=one.shape)
        a, b = fit_weights((one, (one + noise).astype(np.float32)), task, golds).weights
        apart.append(a - b)
    assert abs(apart[0]) < 0.4 and apart[1] > 0.7


def test_a_part_of_noise_gets_next_to_nothing_and_all_right_stays_within_bounds() -> None:
    task = task_of_labels(LABELS)
    one, golds = logits(2000, 0.9, 5)
    noise = np.random.default_rng(6).normal(size=one.shape).astype(np.float32)
    found = fit_weights((one, noise), task, golds)
    assert found.of_outputs.ngrams < 0.1 and found.weights[0] == pytest.approx(1, abs=0.1)
    certain = np.eye(3, dtype=np.float32)[np.arange(30) % 3]
    a, b = fit_weights((certain, certain), task, golds[:30]).weights
    assert 0 < a <= MOST and 0 < b <= MOST


def test_its_logits_are_the_weighted_sum_of_those_of_its_parts(inputs: Inputs, tmp_path: Path) -> None:
    made = branched(inputs, tmp_path)
    assert made.card.form == "ngrams"
    session, weights = opened(made), read_weights(made.folder)
    encoder, ngrams = (open_session(open_artifact(made.folder / name), threads=1) for name in (ENCODER, NGRAMS))
    texts = [*inputs.validation.texts[:20], "room " * 200, "", "words that nobody knows"]
    wanted = weights.encoder * encoder.logits(texts).astype(np.float64) + weights.ngrams * ngrams.logits(texts)
    assert session.logits(texts) == pytest.approx(wanted, abs=1e-5)
    assert [session.predict([text])[0] for text in texts] == session.predict(texts)
    assert made.card.notes["encoder_weight"] > 0 and made.card.notes["ngrams_weight"] > 0
    assert made.card.parameters == encoder.artifact.card.parameters + ngrams.artifact.card.parameters
    assert 0.9 < made.card.metrics["validation_agreement"] <= 1
    assert session.fingerprint()["engine"] == "static + onnxruntime"
    session.warm()


def test_it_learns_what_the_encoder_does_not_know(inputs: Inputs, tmp_path: Path) -> None:
    """Words outside the encoder's vocabulary decide half of the rows: it must guess there, and its branch knows."""

    def mixed(table: Table) -> Table:
        texts = [
            ("filler excellent" if label == "good" else "filler dreadful") if place % 4 < 2 else text
            for place, (text, label) in enumerate(zip(table.texts, table.labels or (), strict=True))
        ]
        return replace(table, texts=texts)

    given = replace(inputs, train=mixed(inputs.train), validation=mixed(inputs.validation))
    run = Run(tmp_path / "onnx", tmp_path / "onnx.scratch", threads=1)
    alone = export.apply(given, export.Options(engine="onnx"), run).card.metrics["validation_accuracy"]
    both = branched(given, tmp_path / "both").card.metrics["validation_accuracy"]
    assert alone < 0.85 < 0.95 < both


def test_an_encoder_in_int8_stays_what_it_is(inputs: Inputs, tmp_path: Path) -> None:
    run = Run(tmp_path / "onnx", tmp_path / "onnx.scratch", threads=1)
    exported = export.apply(inputs, export.Options(engine="onnx"), run)
    int8 = replace(exported, card=exported.card.model_copy(update={"precision": "int8"}))
    made = branched(replace(inputs, parent=int8), tmp_path)
    assert made.card.precision == "int8" and made.card.notes["encoder_form"] == "onnx"
    assert open_artifact(made.folder / ENCODER).id == exported.id


def test_evidence_is_of_both_parts(inputs: Inputs, tmp_path: Path) -> None:
    session = opened(branched(inputs, tmp_path))
    text = "the room was slow and late, the staff kind and very clean today"
    found = explain(session, text)
    assert (found.to_json()["label"], found.to_json()["p"]) == session.predict([text])[0].answer.ranked()[0]
    assert found.spans


def test_both_parts_are_checked_at_load(inputs: Inputs, tmp_path: Path) -> None:
    session = opened(branched(inputs, tmp_path))
    stored = make_selfcheck(session)
    assert stored["kind"] == "ngrams"
    assert run_selfcheck(session, stored) < 1e-5
    for part in (ENCODER, NGRAMS):
        broken = json.loads(json.dumps(stored))
        broken[part]["logits"][0][0] += 1
        with pytest.raises(DamageError, match="does not agree"):
            run_selfcheck(session, broken)


def test_it_may_be_the_second_stage_of_a_cascade(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    made = branched(inputs, tmp_path / "both")
    given = replace(inputs, parent=made, teachers={"tuned": inputs.parent})
    run = Run(tmp_path / "out", tmp_path / "scratch", threads=1)
    both = cascade.apply(given, cascade.Options(bits=12, epochs=1, copies=0, agreement=0.97), run)
    assert open_artifact(both.folder / SECOND).id == made.id
    session, second = open_session(both, threads=1), opened(made)
    assert isinstance(session, CascadeSession)
    texts = list(inputs.validation.texts)
    later = [text for text, early in zip(texts, session.exits_early(texts), strict=True) if not early]
    assert later
    told = [one.answer.ranked()[0][0] for one in session.predict(later)]
    assert told == [one.answer.ranked()[0][0] for one in second.predict(later)]
    stored = make_selfcheck(session)
    assert set(stored["second"]) == {"format", "kind", ENCODER, NGRAMS}
    assert run_selfcheck(session, stored) < 1e-5
    turns: list[int] = []

    class Turn:
        def __enter__(self) -> None:
            turns.append(1)

        def __exit__(self, *_: object) -> None: ...

    assert paced(session, Turn).predict(texts) == session.predict(texts)
    assert len(turns) > len(texts)


def test_killed_after_its_branch_it_goes_on_and_ends_in_the_same_id(inputs: Inputs, tmp_path: Path) -> None:
    whole = branched(inputs, tmp_path / "a")
    run = Run(tmp_path / "b" / "out", tmp_path / "b" / "scratch", threads=1)
    made = run.scratch / NGRAMS / "static.json"
    with pytest.raises(RunInterruptedError):
        apply(inputs, QUICK, replace(run, stop=made.exists))
    assert made.exists() and not run.out.exists()
    # What was made is found; damaged, it is made again.
    made.write_text("{}")
    assert apply(inputs, QUICK, run).id == whole.id


def test_without_validation_rows_both_count_alike(inputs: Inputs, tmp_path: Path) -> None:
    made = branched(replace(inputs, validation=Table([], [])), tmp_path)
    assert read_weights(made.folder).model_dump() == {"format": 1, "encoder": 0.5, "ngrams": 0.5}


def test_only_a_cascade_follows_it(inputs: Inputs, tmp_path: Path) -> None:
    made = branched(inputs, tmp_path / "a")
    with pytest.raises(UsageError, match=r"before it is an artifact by `compress\.ngrams`"):
        branched(replace(inputs, parent=made), tmp_path / "b")
    with pytest.raises(UsageError, match="needs training texts"):
        branched(replace(inputs, train=Table([], [])), tmp_path / "c")


def test_parts_of_different_tasks_are_damage(inputs: Inputs, tmp_path: Path) -> None:
    made = branched(inputs, tmp_path)
    (made.folder / WEIGHTS).write_text('{"format": 1, "encoder": 1, "ngrams": -1}')
    with pytest.raises(DamageError, match=r"ngrams\.json cannot be used"):
        open_session(made, threads=1)
    other = replace(made, card=made.card.model_copy(update={"labels": ("bad", "fair")}))
    with pytest.raises(DamageError, match="different tasks"):
        open_session(other, threads=1)


def test_declared_fields_are_read_by_the_encoder_alone(inputs: Inputs, tmp_path: Path) -> None:
    def with_field(table: Table) -> Table:
        """Half of the texts say nothing: there the field decides."""
        texts = ["the room" if place % 4 < 2 else text for place, text in enumerate(table.texts)]
        texts = [f"{text} {'box ' * (place % 7)}" for place, text in enumerate(texts)]
        return replace(table, texts=texts, fields={"amount": [float(label == "good") for label in table.labels or ()]})

    train, validation = with_field(inputs.train), with_field(inputs.validation)
    given = replace(inputs, train=train, validation=validation, features={"amount": "float"})
    chosen = full.Options(epochs=6, learning_rate=(3e-3,), max_tokens=48)
    tuned = full.apply(given, chosen, Run(tmp_path / "t", tmp_path / "ts", threads=1))
    made = branched(replace(given, parent=tuned), tmp_path)
    assert set(made.card.features) == {"amount"}
    assert not open_artifact(made.folder / NGRAMS).card.features
    session = opened(made)
    low, high = session.predict(["the room"] * 2, [{"amount": 0.0}, {"amount": 1.0}])
    assert [one.answer.ranked()[0][0] for one in (low, high)] == ["bad", "good"]
    assert session.given({"amount": 1.0}).predict(["the room"])[0] == high
    assert run_selfcheck(session, make_selfcheck(session)) < 1e-5
