"""A cascade: a model of hashed n-grams answers texts on which it agrees with the teacher; a second model the rest.

    p(l | x) = softmax(first(x) / T1)[l];   s = the label with the highest p;   w[l] = max_k n[k] / n[l]
    x exits at the first stage with s if   w[s] p(s | x) / sum_l w[l] p(l | x) >= t
    t = the lowest threshold with  (k + 1/2) / (n + 1) <= 1 - a  and  macro-F1 >= a  over texts that the first stage
        was not trained on, n of which exit at t, k of them with another label than the teacher's; macro-F1 compares
        all these texts with the teacher's labels, and counts the texts that do not exit as equal to them

Source: Viola and Jones, Rapid Object Detection using a Boosted Cascade of Simple Features, 2001; Varshney and Baylor,
Model Cascading: Towards Jointly Improving Efficiency and Accuracy of NLP Systems, 2022; Saerens, Latinne and
Decaestecker, Adjusting the Outputs of a Classifier to New a Priori Probabilities, 2002 (w, with n[l] the texts that the
teacher gives l, plus one). The first stage is `compress.static`, trained here with the teacher. The second stage is
the step before, exported first if it is still in torch.
The threshold is set on validation texts, on every fifth unlabelled text (which the first stage is not trained on), and
on the train texts. Each train text is answered by a student of the other two thirds. The train texts are needed because
the validation rows of a rare label are too few. The teacher was fitted to the train texts and the students have less
data than the first stage, so the threshold is a little too strict. Agreement with the teacher needs no label. Its share
alone does not protect a rare label: its few texts may all get another label, and the share hardly changes. Macro-F1
changes then, and the weights w send texts that may have a rare label to the second stage. The certificate bounds the
errors of the whole cascade.
When: the mean time must be tens of microseconds, most texts are easy, and the second stage alone keeps the promise.
When not: p99 must fall too (slow texts stay slow), few texts exit early, or the inputs are pairs of texts.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field

from penjing.compress import export, static
from penjing.compress.distill import TEACHER
from penjing.compress.parts.sealing import Compression, check_stop, encoder_parent, seal, whole
from penjing.compress.parts.stages import serving, stage
from penjing.compress.parts.teacher import store, stored, teacher_outputs
from penjing.core.canon import canonical_json, digest, digest_lines, unit_hash
from penjing.core.methods import check_heads
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.core.task import HeadKind, Loss
from penjing.runtime.cascade import EXITS, FIRST, SECOND, CascadeExit, sureness
from penjing.runtime.open import open_session
from penjing.runtime.session import DIGITS
from penjing.tasks import calibration_of, card_fields, task_of
from penjing.tasks.metrics import Floats, f1_of_sums

AGREEMENT = (
    "least share of early-exit texts with the teacher's answer, and least macro-F1 of all answers compared with the "
    "teacher's"
)
HELD_OUT = 0.2
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
    first, unlearnt = _first_stage(apart, options, beside)
    second = serving(parent, inputs, options.engine, beside, SECOND)
    unseen = [*inputs.validation.texts, *sorted(held_out)]
    parts = inputs.validation.texts, sorted(held_out), inputs.train.texts
    teacher_logits = teacher_outputs(
        teacher, parts, beside, "compress.cascade: the teacher on the texts that set the threshold"
    )
    found = np.concatenate([_logits(first, unseen, run), unlearnt])
    predicted, wanted = found.argmax(axis=1), teacher_logits.argmax(axis=1)
    weights = rarity(wanted, teacher_logits.shape[1])
    confidence = sureness(found, calibration_of(first.card)["temperature"], weights)
    threshold = choose_threshold(confidence, predicted, wanted, options.agreement)
    exits = CascadeExit(threshold=threshold, weights=tuple(weights.tolist()), audit=options.audit)
    exiting, agrees = confidence[: len(unseen)] >= threshold, (predicted == wanted)[: len(unseen)]

    def fill(folder: Path) -> None:
        shutil.copytree(first.folder, folder / FIRST)
        shutil.copytree(second.folder, folder / SECOND)
        (folder / EXITS).write_bytes(canonical_json(exits.model_dump(mode="json")))

    notes = {
        "exit_share": round(float(exiting.mean()), 6) if len(exiting) else 0.0,
        "exit_agreement": round(float(agrees[exiting].mean()), 6) if exiting.any() else 1.0,
        "second_form": second.card.form,
        "parameters": first.card.parameters + second.card.parameters,
    }
    # Both stages are calibrated already, so the cascade gets no validation rows and no temperature of its own.
    plain = card_fields(task_of(parent.card), {**calibration_of(parent.card), "temperature": 1.0})
    calibrated = replace(parent, card=parent.card.model_copy(update=plain))
    return seal(
        Compression(inputs, options, run, calibrated, "compress.cascade"),
        form="cascade",
        folder=whole(run.scratch / "cascade", fill),
        notes=notes,
        compare=teacher_logits[: len(inputs.validation)],
    )


def rarity(wanted: npt.NDArray[np.int64], labels: int) -> Floats:
    """The count of the most frequent label in `wanted` divided by the count of each label, with 1 added to every
    count."""
    counts = np.bincount(wanted, minlength=labels) + 1
    weights: Floats = (counts.max() / counts).round(DIGITS)
    return weights


def choose_threshold(
    confidence: npt.NDArray[np.float64], predicted: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64], least: float
) -> float:
    """The lowest probability at which texts (n,) may exit with the predicted label.

    confidence: highest probability of each text. predicted, wanted: positions of the first stage's and the teacher's
    labels. least: required share and macro-F1. 2 if no text may exit.
    """
    order = np.argsort(-confidence, kind="stable")
    ordered, wrong = confidence[order], np.cumsum((predicted != wanted)[order])
    # Texts with equal probabilities exit together.
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else np.zeros(0, dtype=np.int64)
    share = 1 - (wrong[ends] + 0.5) / (ends + 2)
    macro = _macro_f1_by_errors(predicted[order], wanted[order])[wrong[ends]]
    good = ends[(share >= least) & (macro >= least)]
    return float(ordered[good[-1]]) if len(good) else 2.0


def _macro_f1_by_errors(predicted: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> Floats:
    """Macro-F1 against `wanted` if only the first 0, 1, 2, ... of the differing texts are answered by `predicted`."""
    truths = np.bincount(wanted, minlength=int(predicted.max(initial=0)) + 1).astype(np.float64)
    hits, guesses = truths.copy(), truths.copy()
    found = [1.0]
    for place in np.flatnonzero(predicted != wanted):
        hits[wanted[place]] -= 1
        guesses[wanted[place]] -= 1
        guesses[predicted[place]] += 1
        found.append(float(np.nanmean(f1_of_sums(hits, truths, guesses))))
    return np.array(found)


def _first_stage(inputs: Inputs, options: Options, run: Run) -> tuple[Artifact, npt.NDArray[np.float32]]:
    """The static student of the teacher, and logits of the train texts by students that were not trained on them.

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
    shape = len(train), sum(head.size for head in task_of(first.card).heads.values())
    unlearnt = stored(folder / UNLEARNT, shape)
    if unlearnt is None:
        unlearnt = static.out_of_fold(inputs, chosen, run)
        store(folder / UNLEARNT, unlearnt)
    return first, unlearnt


def _logits(artifact: Artifact, texts: Sequence[str], run: Run) -> npt.NDArray[np.float32]:
    session = open_session(artifact, threads=run.threads)
    parts = [session.logits([])]
    for start in range(0, len(texts), _SLICE):
        check_stop(run)
        parts.append(session.logits(texts[start : start + _SLICE]))
    return np.concatenate(parts)
