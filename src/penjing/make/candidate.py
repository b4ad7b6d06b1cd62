"""The frozen pick: certified once on calibration rows, sealed, then tested once through the release itself."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from penjing.core.folder import folder_size
from penjing.core.nouns import Artifact, Progress, Release, ReleaseInfo, Table
from penjing.core.recipe import Recipe
from penjing.data import fold, mask
from penjing.data.labels import read_as
from penjing.data.prepare import Prepared
from penjing.decide.decider import Decided, Decider, Request
from penjing.decide.policy import Policy, PolicySpec
from penjing.decide.rules import FORMS
from penjing.decide.table import RuleTable
from penjing.explain.evidence import explain
from penjing.explain.faithfulness import faithfulness
from penjing.make.choose import MEGA, SECONDS, recipe_gates
from penjing.measure.latency import Call, Latency, interleaved, latency
from penjing.prove.amend import read_certificate
from penjing.prove.certify import CLOCK, certify, fix_grid, label_facts, row_hash
from penjing.prove.score import SMALL, score
from penjing.prove.seal import regression_suite, seal
from penjing.report.found import ReleaseTest, Variant
from penjing.runtime.open import open_session
from penjing.runtime.selfcheck import make_selfcheck
from penjing.tasks.metrics import softmax

# A text with evidence takes as long as some thirty without, one after another whatever the batch.
EVIDENCE_CALLS = 125
FAITHFUL_ROWS = 60
# Nothing is promised by these two: seconds are for what is.
RIVAL_CALLS, RIVAL_SECONDS = 100, 5.0
# By how much a probability may differ on another machine (another instruction set, another version of the engine)
# before a replay there counts as different; a score so near a threshold goes to a person.
TOLERANCE = {"linear": 1e-6, "static": 1e-6, "float": 1e-4, "int8": 0.01}


def declared(recipe: Recipe) -> dict[str, str | tuple[str, ...]]:
    """The request fields of a recipe with their types, or with their values."""
    return {name: kind if isinstance(kind, str) else tuple(kind) for name, kind in recipe.data.fields.items()}


def open_policy(recipe: Recipe, labels: tuple[str, ...], rules: RuleTable | None, tolerance: float) -> Policy:
    """The policy of a release before its thresholds are known: every case goes to review, by rules or without."""
    spec = PolicySpec(
        format=2,
        masking=mask.VERSION,
        folding=fold.VERSION,
        rules=FORMS[-1],
        labels=labels,
        thresholds=dict.fromkeys(labels),
        audit=recipe.decide.audit,
        tolerance=tolerance,
        fields=declared(recipe),
        max_error=recipe.decide.max_error,
        texts=recipe.decide.texts,
    )
    return Policy(spec=spec, rules=rules, release_id="")


def certify_and_seal(
    target: Path,
    recipe: Recipe,
    data: Prepared,
    picked: Variant,
    rules: RuleTable | None,
    trainable: str = "",
) -> Release:
    """Fix the grid on validation, open the calibration rows once, seal the release as `target`.

    trainable: the id of the torch artifact that the model was made of, if it was.
    """
    shutil.rmtree(target, ignore_errors=True)
    session, artifact = picked.session, picked.artifact
    selfcheck = make_selfcheck(session)
    tolerance = TOLERANCE[_precision(artifact)]
    reviewed = [label for label in data.labels if data.audit.labels.get(label, 0) < SMALL]
    policy = open_policy(recipe, data.labels, rules, tolerance)
    spec = policy.spec
    limit = recipe.decide.max_error
    validation = label_facts(session, policy, data.validation)
    calibration = label_facts(session, policy, data.calibration)
    grid = fix_grid(policy, validation, len(calibration), limit, reviewed)
    used = [row_hash(text) for part in (data.train, data.validation, data.test) for text in part.texts]
    certificate = certify(policy, grid, calibration, limit, reviewed=reviewed, used=used)
    info = ReleaseInfo(
        format=2,
        name=recipe.name,
        language=data.language,
        labels=data.labels,
        fields=spec.fields,
        masking=spec.masking,
        long_texts=recipe.data.long,
        texts=recipe.decide.texts,
        artifact=artifact.id,
        tolerance=tolerance,
        fingerprint=dict(session.fingerprint()),
        columns={"text": recipe.data.text, "label": recipe.data.label},
        labels_read_as=read_as(recipe.data),
        trainable=trainable,
    )
    guesses = [picked.scored.labels[position] for position in picked.scored.guess]
    suite = regression_suite(data.validation, guesses, recipe.decide.texts == "masked")
    spec = spec.model_copy(update={"thresholds": certificate.thresholds})
    return seal(target, info, artifact, spec, rules, certificate, suite, selfcheck)


def test_release(
    release: Release,
    recipe: Recipe,
    data: Prepared,
    reference: Artifact,
    teacher: Artifact,
    linear: Artifact,
    student: Artifact,
    over: list[int],
    threads: int,
    progress: Progress,
) -> ReleaseTest:
    """Open the sealed folder as the service does and test every promise on the test rows, once.

    reference: the model whose share is kept (the teacher, or the linear model where that was sealed); student: the
    sealed model before it left torch, or the linear model.
    """
    table, long_texts = data.test, recipe.data.long
    decider = Decider(release, threads=threads)
    progress.start("testing the sealed release", 6)
    scored = score(decider.session, table)
    decided = decider.decide(_requests(table), clock=CLOCK)
    progress.advance(note="decisions")
    others = {
        artifact.id: score(open_session(artifact, threads=threads, long_texts=long_texts), table)
        for artifact in {one.id: one for one in (reference, teacher, linear)}.values()
    }
    progress.advance(note="teacher and baseline")
    slow_one = promised_against(recipe, teacher, threads)
    # Measured on the sealed path: masking, tokens, engine, calibration, rules, outcome.
    speed = latency(lambda texts: _decide(decider, texts), table.texts, seconds=SECONDS, reference=slow_one)
    progress.advance(note="latency")
    slow = latency(lambda texts: _decide_with_evidence(decider, texts), table.texts, calls=EVIDENCE_CALLS, batch=1)
    progress.advance(note="latency with evidence")
    rivals = _rivals(decider, teacher, student, table.texts, threads)
    progress.advance(note="the same without Penjing")
    size_mb = folder_size(release.folder) / MEGA
    gates = recipe_gates(
        scored, others[reference.id], speed, size_mb, recipe.gates, over, f"of {reference.card.method}"
    )
    short = [text for text in table.texts if 8 <= len(text) <= 400][:FAITHFUL_ROWS]
    faithful = faithfulness(
        decider.session, open_session(linear, threads=threads, long_texts=long_texts), short, recipe.seed
    )
    progress.advance(note="evidence")
    return ReleaseTest(
        release=release,
        certificate=read_certificate(release),
        scored=scored,
        teacher=others[teacher.id],
        linear=others[linear.id],
        uncalibrated=softmax(decider.session.logits(table.texts)),
        outcomes=tuple(each.decision.outcome for each in decided),
        automated=np.array([_by_model(each.decision.decided_by, each.decision.reason) for each in decided], dtype=bool),
        forced=np.array([each.decision.forced for each in decided], dtype=bool),
        speed=speed,
        speed_evidence=slow,
        size_mb=size_mb,
        gates=tuple(gates),
        faithful=faithful,
        rivals=rivals,
    )


def _precision(artifact: Artifact) -> str:
    if artifact.card.form in {"linear", "static"}:
        return artifact.card.form
    return "int8" if artifact.card.precision == "int8" else "float"


def _requests(table: Table) -> list[Request]:
    return [
        Request(text, {name: column[i] for name, column in table.fields.items()}) for i, text in enumerate(table.texts)
    ]


def _decide(decider: Decider, texts: Sequence[str]) -> list[Decided]:
    blank = dict.fromkeys(decider.release.info.fields)
    return decider.decide([Request(text, blank) for text in texts], clock=CLOCK)


def _decide_with_evidence(decider: Decider, texts: Sequence[str]) -> None:
    for decided in _decide(decider, texts):
        explain(decider.session, decided.masked.text)


def promised_against(recipe: Recipe, teacher: Artifact, threads: int) -> Call | None:
    """The tuned model's Hugging Face pipeline, where the recipe promises to be so many times faster; else None."""
    if recipe.gates.times_faster is None:
        return None
    # Loads torch, which a linear model does without.
    from penjing.measure.rivals import hugging_face_pipeline

    return hugging_face_pipeline(teacher, threads)


def _rivals(
    decider: Decider, teacher: Artifact, student: Artifact, texts: Sequence[str], threads: int
) -> dict[str, Latency]:
    """The release beside the pipeline of its teacher and a careful INT8 of its student; empty without an encoder."""
    if teacher.card.form != "torch":
        return {}
    # Loads torch, which a linear model does without.
    from penjing.measure.rivals import hugging_face_pipeline, onnx_int8

    with TemporaryDirectory() as folder:
        subjects: dict[str, Call] = {"penjing": lambda each: _decide(decider, each)}
        subjects["pipeline"] = hugging_face_pipeline(teacher, threads)
        if student.card.form == "torch":
            subjects["onnx_int8"] = onnx_int8(student, threads, Path(folder))
        return interleaved(subjects, texts, calls=RIVAL_CALLS, seconds=RIVAL_SECONDS)


def _by_model(by: str, reason: str) -> bool:
    # A case drawn for audit is one that the policy decided by itself; the draw only checks it.
    return by == "model" and reason in {"above_threshold", "audit"}
