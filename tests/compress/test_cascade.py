"""A cascade: the threshold by agreement, which stage answers what, and one answer whatever texts are beside a text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from penjing.compress import export, static
from penjing.compress.cascade import Options, apply, rarity
from penjing.compress.parts.deferral import FirstAnswers, choose_deferral, deferral_rows, rare_labels
from penjing.core.artifact import open_artifact
from penjing.core.canon import unit_hash
from penjing.core.errors import DamageError, RunInterruptedError, UsageError
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.engines.static import StaticEngine
from penjing.explain.evidence import explain
from penjing.runtime.cascade import (
    EXITS,
    FIRST,
    SECOND,
    CascadeExit,
    CascadeSession,
    divided,
    open_cascade,
    read_exits,
    sureness,
)
from penjing.runtime.deferral import DeferralRule
from penjing.runtime.open import open_session
from penjing.runtime.selfcheck import make_selfcheck, run_selfcheck
from penjing.tasks.metrics import softmax

QUICK = Options(bits=12, epochs=4, copies=1, agreement=0.9)


def cascade(inputs: Inputs, folder: Path, options: Options = QUICK) -> Artifact:
    return apply(inputs, options, Run(out=folder / "out", scratch=folder / "scratch", threads=1))


def cutoff(made: Artifact) -> float:
    exits = read_exits(made.folder)
    assert exits.deferral is not None
    return max(exits.deferral.cutoffs)


def test_each_text_is_answered_by_the_stage_that_its_threshold_says(inputs: Inputs, tmp_path: Path) -> None:
    weak = Options(bits=12, epochs=1, copies=0, agreement=0.97)
    made = cascade(inputs, tmp_path, weak)
    assert made.card.form == "cascade"
    session = open_session(made, threads=1)
    assert isinstance(session, CascadeSession)
    first, second = (open_session(open_artifact(made.folder / name), threads=1) for name in (FIRST, SECOND))
    exits = read_exits(made.folder)
    texts = list(inputs.validation.texts)
    early = session.exits_early(texts)
    assert exits.format == 2 and exits.deferral is not None
    assert isinstance(first.engine, StaticEngine)
    rule = DeferralRule(exits.deferral, np.array(exits.weights), first.engine.seen())
    scaled = divided(first.logits(texts), first.artifact.card.temperature)
    assert early == [rule.exits_early(*pair) for pair in zip(scaled, first.engine.encode(texts), strict=True)]
    assert 0 < sum(early) < len(texts), "the test needs texts of both kinds"
    stages = [first if each else second for each in early]
    wanted = [stage.predict([text])[0].answer.ranked()[0][0] for stage, text in zip(stages, texts, strict=True)]
    together = session.predict(texts)
    assert [one.answer.ranked()[0][0] for one in together] == wanted
    assert [session.predict([text])[0] for text in texts] == together
    assert made.card.notes["exit_share"] == pytest.approx(sum(early) / len(texts), abs=1e-6)


def test_a_second_stage_may_be_in_int8(inputs: Inputs, tmp_path: Path) -> None:
    assert inputs.parent is not None
    run = Run(tmp_path / "onnx", tmp_path / "onnx.scratch", threads=1)
    exported = export.apply(inputs, export.Options(engine="onnx"), run)
    card = exported.card.model_copy(update={"precision": "int8"})
    int8 = replace(exported, card=card)
    made = cascade(replace(inputs, parent=int8, teachers={"tuned": inputs.parent}), tmp_path)
    assert made.card.precision == "int8" and made.card.notes["second_form"] == "onnx"
    assert set(open_session(made, threads=1).fingerprint()) == {"engine", "version", "instruction_set", "threads"}
    assert open_session(made, threads=1).fingerprint()["engine"] == "static + onnxruntime"


def test_evidence_is_of_the_stage_that_answered(inputs: Inputs, tmp_path: Path) -> None:
    made = cascade(inputs, tmp_path, Options(bits=12, epochs=1, copies=0, agreement=0.97))
    session = open_session(made, threads=1)
    assert isinstance(session, CascadeSession)
    texts = list(inputs.validation.texts)
    early = session.exits_early(texts)
    for kind in (True, False):
        text = texts[early.index(kind)]
        prediction = session.predict([text])[0]
        found = explain(session, text)
        assert (found.to_json()["label"], found.to_json()["p"]) == prediction.answer.ranked()[0]
        stage = session.first if kind else session.second
        # One word fewer, scored by the stage that answered the whole, wherever that variant itself would go.
        cut = text.split(" ", 1)[1]
        assert softmax(session.answering(text).logits([cut])) == pytest.approx(
            softmax(stage.logits([cut]), stage.artifact.card.temperature), abs=1e-6
        )


def test_both_stages_are_checked_at_load(inputs: Inputs, tmp_path: Path) -> None:
    session = open_session(cascade(inputs, tmp_path), threads=1)
    assert isinstance(session, CascadeSession)
    stored = make_selfcheck(session)
    assert run_selfcheck(session, stored) < 1e-5
    for stage in (FIRST, SECOND):
        broken = json.loads(json.dumps(stored))
        broken[stage]["logits"][0][0] += 1
        with pytest.raises(DamageError, match="does not agree"):
            run_selfcheck(session, broken)
    with pytest.raises(DamageError, match="does not fit the model"):
        run_selfcheck(session, {"format": 1, "kind": "cascade"})


def test_killed_between_its_stages_it_goes_on_and_ends_in_the_same_id(inputs: Inputs, tmp_path: Path) -> None:
    whole = cascade(inputs, tmp_path / "a")
    run = Run(tmp_path / "b" / "out", tmp_path / "b" / "scratch", threads=1)

    def made() -> list[Path]:
        return list(run.scratch.glob(f"{FIRST}/*/{FIRST}/static.json"))

    with pytest.raises(RunInterruptedError):
        apply(inputs, QUICK, replace(run, stop=lambda: bool(made())))
    assert not run.out.exists()
    # What was made is found; damaged, it is made again.
    made()[0].write_text("{}")
    assert apply(inputs, QUICK, run).id == whole.id


def test_cascades_of_one_run_that_differ_in_agreement_learn_their_first_stage_once(
    inputs: Inputs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weak = Options(bits=12, epochs=1, copies=0, agreement=0.97)

    def one(name: str, seed: int, **changes: object) -> Artifact:
        run = Run(tmp_path / name, tmp_path / f"{name}.scratch", seed=seed, threads=1, shared=tmp_path / "shared")
        return apply(inputs, weak.model_copy(update=changes), run)

    def never(*_: object) -> None:
        raise AssertionError("it was learnt already")

    strict = one("strict", 0)
    alone = cascade(inputs, tmp_path / "alone", weak.model_copy(update={"agreement": 0.6}))
    with monkeypatch.context() as patched:
        patched.setattr(static, "apply", never)
        patched.setattr(static, "out_of_fold", never)
        mild = one("mild", 0, agreement=0.6)
    assert mild.id == alone.id != strict.id, "the same as where nothing is shared"
    assert cutoff(mild) > cutoff(strict)
    # Another seed, or another first stage, is another one.
    for name, seed, changes in (("seed", 1, {}), ("bits", 0, {"bits": 11})):
        other = one(name, seed, **changes)
        assert open_artifact(other.folder / FIRST).id != open_artifact(mild.folder / FIRST).id


def test_it_counts_what_leaves_and_audits_the_share_that_a_hash_chooses(inputs: Inputs, tmp_path: Path) -> None:
    made = cascade(inputs, tmp_path, QUICK.model_copy(update={"audit": 0.5}))
    session = open_session(made, threads=1)
    assert isinstance(session, CascadeSession)
    texts = list(inputs.validation.texts)
    early = session.exits_early(texts)
    session.predict(texts)
    session.logits(texts)
    explain(session, texts[0])
    tally = session.tally
    assert (tally.texts, tally.exits) == (len(texts), sum(early))
    audited = [text for text, exits in zip(texts, early, strict=True) if exits and unit_hash(text) < 0.5]
    assert tally.audited == len(audited) > 0
    stages = session.first, session.second
    said = [[stage.predict([text])[0].answer.ranked()[0][0] for stage in stages] for text in audited]
    differ = [first != second for first, second in said]
    assert tally.differed == sum(differ)


def test_it_never_learns_from_the_texts_that_set_its_threshold(inputs: Inputs, tmp_path: Path) -> None:
    more = replace(inputs, unlabelled=[f"the room was {n} slow and the box {n} late" for n in range(40)])
    made = cascade(more, tmp_path / "a")
    held = {text for text in more.unlabelled if unit_hash(text) < 0.2}
    assert 0 < len(held) < 40
    fewer = replace(more, unlabelled=[text for text in more.unlabelled if text not in held])
    alone = cascade(fewer, tmp_path / "b", QUICK)
    # Of the fewer ones a fifth is held out again, so only the first stages' texts differ in what was held out twice.
    again = {text for text in fewer.unlabelled if unit_hash(text) < 0.2}
    assert not again
    assert open_artifact(made.folder / FIRST).id == open_artifact(alone.folder / FIRST).id


def test_without_validation_rows_the_train_texts_set_the_threshold(inputs: Inputs, tmp_path: Path) -> None:
    alone = replace(inputs, validation=Table([], []))
    made = cascade(alone, tmp_path)
    assert inputs.parent is not None
    first = open_artifact(made.folder / FIRST)
    chosen = static.Options(bits=QUICK.bits, copies=QUICK.copies, epochs=QUICK.epochs)
    run = Run(tmp_path / "other", tmp_path / "other.scratch", threads=1)
    said, unseen = static.out_of_fold(alone, chosen, run)
    texts = list(inputs.train.texts)
    meant = open_session(inputs.parent, threads=1).logits(texts).argmax(axis=1)
    exits = read_exits(made.folder)
    lengths = np.array([len(row) for row in open_session(first, threads=1).engine.encode(texts)])
    answers, weights = FirstAnswers(said, unseen, lengths), np.array(exits.weights)
    given = deferral_rows(answers, first.card.temperature, weights, meant, inputs.train.units)
    truth = np.array([made.card.labels.index(label) for label in inputs.train.labels or ()])
    assert exits.deferral == choose_deferral(given, rare_labels(meant, truth, 2), QUICK.agreement)


def test_a_label_weighs_more_the_rarer_it_is(inputs: Inputs, tmp_path: Path) -> None:
    assert rarity(np.array([0] * 9 + [1] * 4), 3).tolist() == [1.0, 2.0, 10.0]
    made = cascade(inputs, tmp_path)
    session = open_session(made, threads=1)
    assert isinstance(session, CascadeSession)
    texts = list(inputs.validation.texts)
    logits, temperature = session.first.logits(texts), session.first.artifact.card.temperature
    sure = sureness(divided(logits, temperature), np.array([1.0, 50.0]))
    middle = float(np.median(sure))
    exits = CascadeExit(threshold=middle, weights=(1.0, 50.0), audit=0)
    (made.folder / EXITS).write_text(exits.model_dump_json())
    early = np.array(open_session(made, threads=1).exits_early(texts))
    assert early.tolist() == (sure >= middle).tolist()
    # Without the weights more of the frequent label would exit, and fewer of the rare one.
    plain, said = sureness(divided(logits, temperature), np.ones(2)) >= middle, logits.argmax(axis=1)
    assert early[said == 0].sum() < plain[said == 0].sum()
    assert early[said == 1].sum() >= plain[said == 1].sum()
    (made.folder / EXITS).write_text(exits.model_copy(update={"weights": (1.0,)}).model_dump_json())
    with pytest.raises(DamageError, match="weights for other labels"):
        open_session(made, threads=1)


def test_a_model_of_the_errors_that_does_not_fit_the_stages_is_damage(inputs: Inputs, tmp_path: Path) -> None:
    made = cascade(inputs, tmp_path)
    stored = json.loads((made.folder / EXITS).read_bytes())
    assert stored["format"] == 2 and "threshold" not in stored
    stored["deferral"]["cutoffs"].append(0.5)
    (made.folder / EXITS).write_text(json.dumps(stored))
    with pytest.raises(DamageError, match="weights for other labels"):
        open_session(made, threads=1)
    stored["deferral"]["cutoffs"].pop()
    exits = CascadeExit.model_validate(stored)
    (made.folder / EXITS).write_text(exits.model_dump_json())
    second = open_session(open_artifact(made.folder / SECOND), threads=1)
    with pytest.raises(DamageError, match="does not fit the first stage"):
        open_cascade(made, second, second, "chunk")


def test_a_model_without_an_encoder_is_no_second_stage(inputs: Inputs, tmp_path: Path) -> None:
    made = cascade(inputs, tmp_path / "a")
    with pytest.raises(UsageError, match=r"before it is an artifact by `compress\.cascade`"):
        cascade(replace(inputs, parent=made), tmp_path / "b")
