"""The chosen form: certified once on calibration rows, sealed, then tested once through the release itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from penjing.core.abilities import MarkedTask, ScopedTask
from penjing.core.certificate import Certificate
from penjing.core.folder import folder_size
from penjing.core.itemwise import MOST_ITEMS
from penjing.core.nouns import Artifact, Prediction, Progress, Release, ReleaseInfo, Table
from penjing.core.recipe import LABEL_OF, TIME, Recipe
from penjing.core.stop import check_stop, until
from penjing.core.task import Task, rare_scopes
from penjing.core.zone import find_zone
from penjing.data import fold, mask
from penjing.data.features import FieldFeatures, rows_of
from penjing.data.labels import read_as
from penjing.data.prepare import Prepared
from penjing.decide import facts
from penjing.decide.decider import Decided, Decider, Request
from penjing.decide.editions import FORMS
from penjing.decide.fired import check_fired
from penjing.decide.policy import BY_PART, Period, Policy, PolicySpec
from penjing.decide.table import RuleTable
from penjing.explain.evidence import explain, explains, of_whole_texts
from penjing.explain.faithfulness import faithfulness, piece_faithfulness
from penjing.make.choose import MEGA, SECONDS, has_pipeline, recipe_gates
from penjing.make.in_their_time import by_model, decide_in_their_time, requests_of
from penjing.make.robustness import measure_robustness
from penjing.measure.latency import Call, Latency, interleaved, latency
from penjing.prove.amend import read_certificate
from penjing.prove.by_item import with_most
from penjing.prove.by_label import few_rows
from penjing.prove.calibration_rows import open_rows
from penjing.prove.certify import CLOCK, Labelled, label_facts, table_hashes
from penjing.prove.forced import forced_gates
from penjing.prove.forecast import forecast
from penjing.prove.harm import harm_table
from penjing.prove.kinds import prove
from penjing.prove.misses import Promised
from penjing.prove.periods import Span, certify_periods, counts_days, fired_in_periods, rows_in, zone_of
from penjing.prove.scope import fit_scope, measure_scope
from penjing.prove.score import Scored, judge, score
from penjing.prove.seal import Checks, Promise, regression_suite, seal
from penjing.prove.sequence import DELTA
from penjing.prove.shared import level_of_choice
from penjing.report.found import ReleaseTest, Variant
from penjing.runtime.open import open_session
from penjing.runtime.selfcheck import make_selfcheck
from penjing.runtime.session import Session
from penjing.tasks import as_certified, described

# A text with evidence takes about as long as thirty without, and texts are processed one after another.
EVIDENCE_CALLS, MOST_EVIDENCE_CALLS = 40, 125
FAITHFUL_ROWS = 60
# For a calibration that divides outputs by one number: 1.0 does not change them.
TEMPERATURE = "temperature"
RIVAL_CALLS, MOST_RIVAL_CALLS = 40, 100
# Time for the calls with evidence, and for the rivals: no promise depends on them, so it is less than SECONDS.
FEW_SECONDS = 5.0
# The largest difference of a probability on another machine (another instruction set or engine version) that a replay
# still accepts. A score that is this close to a threshold goes to a person.
TOLERANCE = {"linear": 1e-6, "static": 1e-6, "float": 1e-4, "int8": 0.01}


def declared(recipe: Recipe) -> dict[str, str | tuple[str, ...]]:
    """The request fields of a recipe, each with its type or its allowed values."""
    return {name: kind if isinstance(kind, str) else tuple(kind) for name, kind in recipe.data.fields.items()}


@dataclass(frozen=True)
class ReleaseJob:
    """The inputs and settings from which a run makes a release. stop: whether the run was asked to stop."""

    recipe: Recipe
    data: Prepared
    rules: RuleTable | None
    threads: int
    progress: Progress
    ledger: Path
    stop: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Models:
    """The models with which the sealed one is compared.

    reference: the model to whose score `keep` refers (the teacher, or the linear model if that was sealed). student:
    the sealed model as the last torch artifact, or the linear model.
    """

    reference: Artifact
    teacher: Artifact
    linear: Artifact
    student: Artifact


@dataclass(frozen=True, eq=False)
class Sealed:
    """A sealed candidate, and the rows that fixed its thresholds as its policy sees them."""

    release: Release
    validation: Labelled
    calibration: Labelled


def open_policy(
    recipe: Recipe, task: Task, rules: RuleTable | None, tolerance: float, features: FieldFeatures | None = None
) -> Policy:
    """The policy of a release before its thresholds are known: every case that no rule decides goes to review.

    features: the declared fields that its model reads.
    """
    scoped, zone, certify = has_scope(recipe, task), find_zone(recipe.decide.time_zone), recipe.decide.certify
    task = as_certified(task, certify)
    spec = PolicySpec.model_validate(
        {
            "format": BY_PART.get(certify) or (5 if scoped or zone.name != "UTC" else 4),
            **described(task),
            "facts": facts.VERSION,
            "features": {} if features is None else features.seen,
            "masking": mask.VERSION,
            "folding": fold.VERSION,
            "rules": FORMS[-1],
            "thresholds": dict.fromkeys(task.scopes),
            "audit": recipe.decide.audit,
            "tolerance": tolerance,
            "fields": declared(recipe),
            "max_error": recipe.decide.max_error,
            "texts": recipe.decide.texts,
            "scope": scoped,
            "time_zone": zone,
            "certify": certify,
            "most_items": MOST_ITEMS if certify == "item" else 0,
            "unknown_values": recipe.decide.unknown_values if _is_enumerated(recipe) else "refuse",
        }
    )
    return Policy(spec=spec, rules=rules, release_id="")


def has_scope(recipe: Recipe, task: Task) -> bool:
    """Whether a release of this recipe says of a text that it is out of scope."""
    return recipe.decide.out_of_scope > 0 and isinstance(task, ScopedTask)


def always_reviewed(policy: Policy, data: Prepared) -> list[str]:
    """The labels that have too few rows for a promise."""
    if policy.spec.certify == "label":
        return few_rows(policy.task, data.audit.rows_by_label)
    return rare_scopes(data.task, data.audit.labels)


def _is_enumerated(recipe: Recipe) -> bool:
    """Whether a declared field has listed values."""
    return any(not isinstance(kind, str) for kind in declared(recipe).values())


def certify_and_seal(target: Path, job: ReleaseJob, chosen: Variant, trainable: str = "") -> Sealed:
    """Fix the grid on validation rows, use the calibration rows once, and seal the release as `target`.

    trainable: id of the torch artifact from which the model was made, or "".
    """
    shutil.rmtree(target, ignore_errors=True)
    recipe, data, task = job.recipe, job.data, job.data.task
    session, artifact = chosen.session, chosen.artifact
    scope = None
    if has_scope(recipe, task):
        scope = fit_scope(session, data.train.texts, data.validation, recipe.decide.out_of_scope)
        session = session.within(scope)
    selfcheck = make_selfcheck(session)
    read = FieldFeatures.from_json(artifact.card.features)
    policy = open_policy(recipe, task, job.rules, TOLERANCE[_precision(artifact)], read)
    validation = label_facts(session, policy, data.validation)
    level, decide = DELTA * recipe.data.level_share, recipe.decide
    promised = Promised(decide.max_error, decide.max_miss, tuple(always_reviewed(policy, data)), level)
    policy = with_most(policy, validation, len(data.calibration), promised)
    spec = policy.spec
    if job.rules is not None:
        for each in check_fired(job.rules, fired_in_periods(job.rules, validation.facts), "validation"):
            job.progress.say(f"{each.where}: {each.what}")
    # Where the model reads the text, a text that it learned from does not certify beside other features either.
    beside = [spec.features, *([()] if session.reads_text and spec.features else [])]
    tested = [] if data.shared else [data.test]
    tables = (data.train, data.validation, *tested, *([data.left_out] if data.left_out is not None else []))
    used = [identity for part in tables for features in beside for identity in table_hashes(part, features)]
    opened = open_rows(job.ledger, data.calibration, policy, artifact, promised, validation.hashes)
    calibration = label_facts(session, policy, opened.table)
    promised = replace(promised, delta=opened.delta)
    certificate, periods = _by_period(policy, validation, calibration, promised, [*used, *opened.left])
    certificate = certificate.model_copy(update={"openings": opened.earlier, "shared": data.shared})
    info = ReleaseInfo(
        format=3 if spec.task else 2,
        name=recipe.name,
        task=task.name,
        language=data.language,
        labels=spec.labels,
        task_state=task.state if spec.task else {},
        fields=spec.fields,
        masking=spec.masking,
        long_texts=recipe.data.long,
        texts=recipe.decide.texts,
        artifact=artifact.id,
        tolerance=spec.tolerance,
        fingerprint=dict(session.fingerprint()),
        columns={"text": recipe.data.text, "label": recipe.data.label}
        | recipe.data.further()
        | {f"{LABEL_OF}{name}": column for name, column in recipe.data.golds.items()}
        | ({} if recipe.data.time is None else {TIME: recipe.data.time}),
        labels_read_as=read_as(recipe.data),
        trainable=trainable,
    )
    suite = regression_suite(
        data.validation, chosen.scored.wrong.tolist(), recipe.decide.texts == "masked", spec.features
    )
    spec = spec.model_copy(update={"thresholds": certificate.thresholds, "periods": periods})
    release = seal(target, info, artifact, Promise(spec, job.rules, certificate, scope), Checks(suite, selfcheck))
    return Sealed(release, validation, calibration)


def _by_period(
    policy: Policy, validation: Labelled, calibration: Labelled, promised: Promised, used: Sequence[str]
) -> tuple[Certificate, tuple[Period, ...]]:
    """The certificate, and what is proven in each period between the dates of the rules."""
    rules = policy.rules if isinstance(policy.rules, RuleTable) else None
    timed = counts_days(rules)

    def proven(period: Span, rows: Labelled, level: float) -> Certificate:
        known = rows_in(validation, period, zone_of(rules), timed=timed)
        return prove(policy, known, rows, replace(promised, delta=level), used)

    return certify_periods(rules, calibration, proven, promised.delta)


def test_release(sealed: Sealed, job: ReleaseJob, models: Models) -> ReleaseTest:
    """Open the sealed folder as the service does, and test every promise once on the test rows.

    Raises RunInterruptedError when stopped: the rows stay opened for the same promise, which is tested again.
    """
    release, table, threads, progress = sealed.release, job.data.test, job.threads, job.progress
    decider = Decider(release, threads=threads)
    progress.start("testing the sealed release", 6)
    rows = job.data.audit.rows_by_label
    scored = score(decider.session, table, rows)
    decided = decide_in_their_time(decider, requests_of(table))
    progress.advance(note="decisions")
    others = {
        artifact.id: score(_open(artifact, job), table, rows)
        for artifact in {one.id: one for one in (models.reference, models.teacher, models.linear)}.values()
    }
    progress.advance(note="teacher and baseline")
    speed, speed_evidence = _timed(decider, models.teacher, table.texts, job)
    rivals = _rivals(decider, models, table.texts, job)
    check_stop(job.stop)
    progress.advance(note="the same without Penjing")
    size_mb = folder_size(release.folder) / MEGA
    # Against itself a model keeps everything: that tests nothing.
    other = None if models.reference.id == release.artifact.id else others[models.reference.id]
    gates = recipe_gates(scored, other, speed, size_mb, job.recipe.gates, _note(models), shared=job.data.shared)
    faithful = _faithful(decider.session, models.linear, table, job)
    check_stop(job.stop)
    progress.advance(note="evidence")
    certificate, outcomes = read_certificate(release), tuple(each.decision.outcome for each in decided)
    automated = np.array([by_model(each.decision) for each in decided], dtype=bool)
    forced = np.array([each.decision.forced for each in decided], dtype=bool)
    seen = Labelled((), scored.golds, tuple(each.decision.facts for each in decided))
    # Rows that are test and calibration at once count once, and their bounds allow for the thresholds chosen on them.
    beside, level = (Labelled((), (), ()), level_of_choice(certificate)) if job.data.shared else (seen, DELTA)
    return ReleaseTest(
        release=release,
        certificate=certificate,
        scored=scored,
        teacher=others[models.teacher.id],
        linear=others[models.linear.id],
        uncalibrated=_uncalibrated(decider, scored, table),
        outcomes=outcomes,
        automated=automated,
        forced=forced,
        speed=speed,
        speed_evidence=speed_evidence,
        size_mb=size_mb,
        gates=(*gates, *forced_gates(decider.policy, seen, certificate.max_miss)),
        faithful=faithful,
        rivals=rivals,
        fired=fired_in_periods(job.rules, seen.facts) if job.rules is not None else (),
        harm=harm_table(scored.task, outcomes, scored.golds, automated, forced, level),
        level=level,
        scope=measure_scope(decider.session, scored.predictions, job.data.outside),
        forecast=forecast(decider.policy, certificate, sealed.validation, sealed.calibration, beside),
        robust=measure_robustness(decider, scored, decided, job.data, job.recipe, models.teacher, progress),
    )


def _timed(decider: Decider, teacher: Artifact, texts: Sequence[str], job: ReleaseJob) -> tuple[Latency, Latency]:
    """The times of decisions, without and with evidence, end to end: masking, tokens, engine, calibration, rules,
    outcome. Raises RunInterruptedError when stopped."""
    pipeline = promised_against(job.recipe, teacher, job.threads)
    one_by_one = until(job.stop, partial(_decide, decider))
    speed = latency(one_by_one, texts, seconds=SECONDS, reference=pipeline)
    job.progress.advance(note="latency")
    with_evidence = until(job.stop, partial(_decide_with_evidence, decider))
    speed_evidence = latency(
        with_evidence, texts, EVIDENCE_CALLS, batch=1, seconds=FEW_SECONDS, most=MOST_EVIDENCE_CALLS
    )
    job.progress.advance(note="latency with evidence")
    return speed, speed_evidence


def _faithful(session: Session, linear: Artifact, table: Table, job: ReleaseJob) -> dict[str, Any]:
    """The faithfulness of evidence on the first rows that are neither very short nor long."""
    short = table.take([i for i, text in enumerate(table.texts) if 8 <= len(text) <= 400][:FAITHFUL_ROWS])
    if of_whole_texts(session.task):
        return faithfulness(session, _open(linear, job), short.texts, job.recipe.seed, rows_of(short))
    return piece_faithfulness(session, short.texts, job.recipe.seed) if explains(session.task) else {}


def _open(artifact: Artifact, job: ReleaseJob) -> Session:
    return open_session(artifact, threads=job.threads, long_texts=job.recipe.data.long)


def _uncalibrated(decider: Decider, scored: Scored, table: Table) -> Scored | None:
    """The same answers as the outputs are; None if these are no probabilities before the calibration."""
    session = decider.session
    if TEMPERATURE not in session.calibration and not isinstance(session.task, MarkedTask):
        return None
    plain = {**session.calibration, **session.task.plain()}
    outputs = session.outputs(table.texts, rows_of(table))
    answers = session.task.decode(outputs, plain, session.items(table.texts))
    return judge(scored.task, [Prediction(session.artifact.id, answer) for answer in answers], scored.golds)


def _precision(artifact: Artifact) -> str:
    if artifact.card.form in {"linear", "static"}:
        return artifact.card.form
    return "int8" if artifact.card.precision == "int8" else "float"


def _decide(decider: Decider, texts: Sequence[str]) -> list[Decided]:
    blank = dict.fromkeys(decider.release.info.fields)
    return decider.decide([Request(text, blank) for text in texts], clock=CLOCK)


def _decide_with_evidence(decider: Decider, texts: Sequence[str]) -> None:
    for decided in _decide(decider, texts):
        if not explains(decider.session.task):
            continue
        explain(decider.session.given(decided.decision.facts["fields"]), decided.masked.text)


def promised_against(recipe: Recipe, teacher: Artifact, threads: int) -> Call | None:
    """The tuned model's Hugging Face pipeline if the recipe has the promise `times_faster`, else None."""
    if recipe.gates.times_faster is None:
        return None
    # Loads torch, which a linear model does without.
    from penjing.measure.rivals import hugging_face_pipeline

    return hugging_face_pipeline(teacher, threads)


def _rivals(decider: Decider, models: Models, texts: Sequence[str], job: ReleaseJob) -> dict[str, Latency]:
    """Times of the release, the teacher's pipeline, and a well-configured INT8 student; empty without an encoder."""
    teacher, student, threads = models.teacher, models.student, job.threads
    if teacher.card.form != "torch" or not has_pipeline(decider.session.task):
        return {}
    # Loads torch, which a linear model does without.
    from penjing.measure.rivals import hugging_face_pipeline, onnx_int8

    with TemporaryDirectory() as folder:
        systems: dict[str, Call] = {"penjing": lambda each: _decide(decider, each)}
        systems["pipeline"] = hugging_face_pipeline(teacher, threads)
        if student.card.form == "torch":
            systems["onnx_int8"] = onnx_int8(student, threads, Path(folder))
        timed = {name: until(job.stop, call) for name, call in systems.items()}
        return interleaved(timed, texts, calls=RIVAL_CALLS, seconds=FEW_SECONDS, most=MOST_RIVAL_CALLS)


def _note(models: Models) -> str:
    return f"of {models.reference.card.method}"
