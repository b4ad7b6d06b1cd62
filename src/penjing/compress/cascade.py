"""A cascade: a model of hashed n-grams answers texts on which it agrees with the teacher; a second model the rest.

    q(x) = the probability that the first stage and the teacher give x different labels    (`runtime/deferral.py`)
    x exits at the first stage with its label s if   q(x) <= u[s];   fitted and chosen in `parts/deferral.py` so that
    (k + 1/2) / (n + 1) <= 1 - a  and  macro-F1 >= a  over texts that the first stage was not trained on, n of which
    exit, k of them with another label than the teacher's; macro-F1 compares all these texts with the teacher's labels,
    and counts the texts that do not exit as equal to them

Source: Viola and Jones, Rapid Object Detection using a Boosted Cascade of Simple Features, 2001; Varshney and Baylor,
Model Cascading: Towards Jointly Improving Efficiency and Accuracy of NLP Systems, 2022; Saerens, Latinne and
Decaestecker, Adjusting the Outputs of a Classifier to New a Priori Probabilities, 2002 (the weights w[l] = max_k n[k] /
n[l], with n[l] the texts that the teacher gives l, plus one). The first stage is `compress.static`, trained here with
the teacher. The second stage is the step before, exported first if it is still in torch.
The exits are set on validation texts, on every fifth unlabelled text (which the first stage is not trained on), and
on the train texts. Each train text is answered by a student of the other two thirds. The train texts are needed because
the validation rows of a rare label are too few. They differ from new texts: the teacher was fitted to them, and the
students have less data than the first stage. So the share of new texts that agree may be a point lower or higher than
asked (LOG.md, 2026-11-27). Agreement with the teacher needs no label. Its share
alone does not protect a rare label: its few texts may all get another label, and the share hardly changes. Macro-F1
changes then, and two rules protect these labels: the model of q has a feature that grows if a text may have a rarer
label, and a text whose first answer is a label of fewer than 30 rows always goes to the second stage. The certificate
bounds the errors of the whole cascade.
When: the mean time must be tens of microseconds, most texts are easy, and the second stage alone keeps the promise.
When not: p99 must fall too (slow texts stay slow), few texts exit early, or the inputs are pairs of texts.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pydantic import Field

from penjing.compress import export, static
from penjing.compress.distill import TEACHER
from penjing.compress.parts.agreement import AGREEMENT
from penjing.compress.parts.deferral import (
    DeferralRows,
    FirstAnswers,
    choose_deferral,
    deferral_rows,
    early_exits,
    rare_labels,
)
from penjing.compress.parts.sealing import Compression, complete_folder, encoder_parent, seal
from penjing.compress.parts.slices import store_rows, stored_rows
from penjing.compress.parts.stages import serving, stage
from penjing.compress.parts.teacher import teacher_outputs
from penjing.core.canon import canonical_json, digest, digest_lines, unit_hash
from penjing.core.methods import check_heads
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.stop import check_stop
from penjing.core.task import HeadKind, Loss
from penjing.engines.static import StaticEngine, unseen_share
from penjing.runtime.cascade import EXITS, FIRST, SECOND, CascadeExit
from penjing.runtime.open import open_session
from penjing.runtime.session import DIGITS
from penjing.tasks import calibration_of, card_fields, task_of
from penjing.tasks.metrics import Floats, Ints, encode_labels

HELD_OUT = 0.2
# Logits of each train text, and last the share of its n-grams that the student of the other texts did not see.
UNLEARNT = "unlearnt.npy"
_SLICE = 256
HEADS: tuple[HeadKind, ...] = ("pooled",)
LOSSES: tuple[Loss, ...] = ("cross_entropy",)


class Options(BaseOptions):
    """The options of `compress.cascade`."""

    agreement: float = Field(0.99, ge=0.5, lt=1, description=AGREEMENT)
    audit: float = Field(
        0.01,
        ge=0,
        le=1,
        description="share of early-exit texts that the second stage answers too, to measure the agreement",
    )
    engine: export.EngineChoice = Field(
        "auto",
        description="engine of the second stage if the step before is in torch, as in `compress.export`",
    )
    bits: int = Field(17, ge=10, le=20, description="the first stage's table has 2^bits rows")
    copies: int = Field(2, ge=0, le=20, description="augmented texts for each train text, for the first stage")
    epochs: int = Field(12, ge=1, le=200, description="the first stage's passes over all texts")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent as the second stage of a cascade. Raises UsageError for a parent that is no tuned encoder."""
    parent = encoder_parent(inputs, "compress.cascade", int8=True, ngrams=True)
    check_heads("compress.cascade", HEADS, LOSSES, task_of(parent.card))
    teacher = inputs.teachers.get(TEACHER, parent)
    held_out = {text for text in inputs.unlabelled if unit_hash(text) < HELD_OUT}
    apart = replace(inputs, parent=teacher, unlabelled=[text for text in inputs.unlabelled if text not in held_out])
    beside = replace(run, shared=run.shared or run.scratch)
    first, of_train = _first_stage(apart, options, beside)
    second = serving(parent, inputs, options.engine, beside, SECOND)
    fresh = [*inputs.validation.texts, *sorted(held_out)]
    teacher_logits = teacher_outputs(
        teacher,
        (inputs.validation.texts, sorted(held_out), inputs.train.texts),
        beside,
        "compress.cascade: the teacher on the texts that set the threshold",
    )
    answers = _answers(first, fresh, run).and_then(of_train)
    units = [*inputs.validation.units, *sorted(held_out), *inputs.train.units]
    exits, given = _exits(first, answers, teacher_logits.argmax(axis=1), units, inputs, options)
    assert exits.deferral is not None
    early = early_exits(exits.deferral, given)[: len(fresh)]
    agrees = (given.predicted == given.wanted)[: len(fresh)]

    def fill(folder: Path) -> None:
        shutil.copytree(first.folder, folder / FIRST)
        shutil.copytree(second.folder, folder / SECOND)
        (folder / EXITS).write_bytes(canonical_json(exits.model_dump(mode="json", exclude_none=True)))

    notes = {
        "exit_share": round(float(early.mean()), 6) if len(early) else 0.0,
        "exit_agreement": round(float(agrees[early].mean()), 6) if early.any() else 1.0,
        "second_form": second.card.form,
        "parameters": first.card.parameters + second.card.parameters,
    }
    # Both stages are calibrated already, so the cascade gets no validation rows and no temperature of its own.
    plain = card_fields(task_of(parent.card), {**calibration_of(parent.card), "temperature": 1.0})
    calibrated = replace(parent, card=parent.card.model_copy(update=plain))
    return seal(
        Compression(inputs, options, run, calibrated, "compress.cascade"),
        form="cascade",
        folder=complete_folder(run.scratch / "cascade", fill),
        notes=notes,
        compare=teacher_logits[: len(inputs.validation)],
    )


def rarity(wanted: Ints, labels: int) -> Floats:
    """The count of the most frequent label in `wanted` divided by the count of each label, with 1 added to every
    count."""
    counts = np.bincount(wanted, minlength=labels) + 1
    weights: Floats = (counts.max() / counts).round(DIGITS)
    return weights


def _answers(first: Artifact, texts: Sequence[str], run: Run) -> FirstAnswers:
    session = open_session(first, threads=run.threads)
    engine = session.engine
    assert isinstance(engine, StaticEngine)
    seen, logits = engine.seen(), [session.logits([])]
    unseen: list[float] = []
    lengths: list[int] = []
    for start in range(0, len(texts), _SLICE):
        check_stop(run.stop)
        rows = engine.encode(texts[start : start + _SLICE])
        logits += engine.run(rows).values()
        unseen += [unseen_share(seen, row) for row in rows]
        lengths += map(len, rows)
    return FirstAnswers(np.concatenate(logits), np.array(unseen, dtype=np.float32), np.array(lengths, dtype=np.int64))


def _exits(
    first: Artifact, answers: FirstAnswers, wanted: Ints, units: Sequence[str], inputs: Inputs, options: Options
) -> tuple[CascadeExit, DeferralRows]:
    """When the first stage answers, and what was known of the texts that set it: validation, held-out, train."""
    labels, size = list(first.card.labels), answers.logits.shape[1]
    weights = rarity(wanted, size)
    given = deferral_rows(answers, calibration_of(first.card)["temperature"], weights, wanted, units)
    validation, train = inputs.validation, inputs.train
    by_teacher = np.concatenate([wanted[: len(validation)], wanted[len(wanted) - len(train) :]])
    truth = [*(validation.labels or ()), *(train.labels or ())]
    rare = rare_labels(by_teacher, encode_labels(truth, labels) if truth else None, size)
    rule = choose_deferral(given, rare, options.agreement)
    return CascadeExit(format=2, deferral=rule, weights=tuple(weights.tolist()), audit=options.audit), given


def _first_stage(inputs: Inputs, options: Options, run: Run) -> tuple[Artifact, FirstAnswers]:
    """The static student of the teacher, and answers for the train texts by students that were not trained on them.

    They do not depend on the required agreement or on the second stage, so all cascades of a run share them.
    """
    assert inputs.parent is not None and run.shared is not None
    chosen = static.Options(bits=options.bits, copies=options.copies, epochs=options.epochs)
    train, validation = inputs.train, inputs.validation
    columns = train.texts, train.labels, train.groups, inputs.unlabelled, validation.texts, validation.labels
    about = [digest_lines(column or ()) for column in columns]
    key = digest([inputs.parent.id, chosen.model_dump(mode="json"), run.seed, *about])
    folder = run.shared / "first" / key[:32]
    first = stage(run, folder / FIRST, lambda inside: static.apply(inputs, chosen, inside))
    width = sum(head.size for head in task_of(first.card).heads.values())
    kept = stored_rows(folder / UNLEARNT, (len(train), width + 1))
    if kept is None:
        kept = np.column_stack(static.out_of_fold(inputs, chosen, run))
        store_rows(folder / UNLEARNT, kept)
    engine = open_session(first, threads=run.threads).engine
    lengths = np.array([len(row) for row in engine.encode(train.texts)], dtype=np.int64)
    return first, FirstAnswers(kept[:, :width], kept[:, width], lengths)
