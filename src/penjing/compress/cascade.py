"""A cascade: hashed n-grams answer where they are sure to say what the teacher says, the next model answers the rest.

    p(l | x) = softmax(first(x) / T1)[l];   s = the label with the highest p;   w[l] = max_k n[k] / n[l]
    x leaves at the first stage with s where   w[s] p(s | x) / sum_l w[l] p(l | x) >= t
    t = the lowest threshold with  (k + 1/2) / (n + 1) <= 1 - a  and  macro-F1 >= a  over texts that the first stage
        has not learnt from, n of which leave at t, k of them with another label than the teacher's; macro-F1 is of
        all these texts against the teacher's labels, which those that do not leave are taken to get

Source: Viola and Jones, Rapid Object Detection using a Boosted Cascade of Simple Features, 2001; Varshney and Baylor,
Model Cascading: Towards Jointly Improving Efficiency and Accuracy of NLP Systems, 2022; Saerens, Latinne and
Decaestecker, Adjusting the Outputs of a Classifier to New a Priori Probabilities, 2002 (w, with n[l] the texts that the
teacher gives l, and one). The first stage is `compress.static`, made here by the teacher; the step before is the
second, exported first if it is still in torch.
The threshold is set on validation texts, on every fifth unlabelled one, which the first stage does not learn from, and
on the train texts, each answered by a student of the other two thirds: the validation rows of a rare label are too few
to speak for it. The teacher knows the train texts by heart and the students know less than the first stage, so this
is a little severe. Agreement with the teacher needs no label. Its share alone lets a rare label go: the few texts of
one may all leave with another, and the share hardly falls; the macro-F1 does, and the weights send on what may be of
a rare label. Errors of the whole are what the certificate bounds.
When: a mean time of tens of microseconds is wanted, most texts are easy, and the second stage keeps the promise alone.
When not: where p99 must fall too (the slow texts stay slow), where few texts leave, and never for pairs of texts.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import Field

from penjing.compress import export, static
from penjing.compress.distill import TEACHER
from penjing.compress.parts.sealing import Compression, check_stop, encoder_parent, seal, whole
from penjing.compress.parts.teacher import store, stored, teacher_outputs
from penjing.core.artifact import open_artifact
from penjing.core.canon import canonical_json, digest, digest_lines, unit_hash
from penjing.core.errors import DamageError
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
    "least share of the texts that leave early on which the teacher says the same, and least macro-F1 of all answers "
    "against the teacher's"
)
HELD_OUT = 0.2
UNLEARNT = "unlearnt.npy"
_SLICE = 256
HEADS: tuple[HeadKind, ...] = ("pooled",)
LOSSES: tuple[Loss, ...] = ("cross_entropy",)


class Options(BaseOptions):
    """What `compress.cascade` may be told."""

    agreement: float = Field(0.99, ge=0.5, lt=1, description=AGREEMENT)
    audit: float = Field(
        0.01, ge=0, le=1, description="share of the texts that leave early that the second stage answers too, to count"
    )
    engine: export.EngineChoice = Field(
        "auto",
        description="the second stage's engine, where the step before is in torch: as in `compress.export`",
    )
    bits: int = Field(17, ge=10, le=20, description="the first stage's table has 2^bits rows")
    copies: int = Field(2, ge=0, le=20, description="augmented texts for each train text, for the first stage")
    epochs: int = Field(12, ge=1, le=200, description="the first stage's passes over all texts")


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The parent behind a first stage. Raises UsageError for a parent that is no tuned encoder."""
    parent = encoder_parent(inputs, "compress.cascade", int8=True)
    check_heads("compress.cascade", HEADS, LOSSES, task_of(parent.card))
    teacher = inputs.teachers.get(TEACHER, parent)
    held_out = {text for text in inputs.unlabelled if unit_hash(text) < HELD_OUT}
    apart = replace(inputs, parent=teacher, unlabelled=[text for text in inputs.unlabelled if text not in held_out])
    beside = replace(run, shared=run.shared or run.scratch)
    first, unlearnt = _first_stage(apart, options, beside)
    second = (
        parent
        if parent.card.form != "torch"
        else _stage(beside, run.scratch / SECOND, lambda inside: _exported(inputs, options, inside))
    )
    unseen = [*inputs.validation.texts, *sorted(held_out)]
    parts = inputs.validation.texts, sorted(held_out), inputs.train.texts
    wanted = teacher_outputs(
        teacher, parts, beside, "compress.cascade: the teacher on the texts that set the threshold"
    )
    found = np.concatenate([_logits(first, unseen, run), unlearnt])
    said, meant = found.argmax(axis=1), wanted.argmax(axis=1)
    weights = rarity(meant, wanted.shape[1])
    sure = sureness(found, calibration_of(first.card)["temperature"], weights)
    threshold = choose_threshold(sure, said, meant, options.agreement)
    exits = CascadeExit(threshold=threshold, weights=tuple(weights.tolist()), audit=options.audit)
    leaves, alike = sure[: len(unseen)] >= threshold, (said == meant)[: len(unseen)]

    def fill(folder: Path) -> None:
        shutil.copytree(first.folder, folder / FIRST)
        shutil.copytree(second.folder, folder / SECOND)
        (folder / EXITS).write_bytes(canonical_json(exits.model_dump(mode="json")))

    notes = {
        "exit_share": round(float(leaves.mean()), 6) if len(leaves) else 0.0,
        "exit_agreement": round(float(alike[leaves].mean()), 6) if leaves.any() else 1.0,
        "second_form": second.card.form,
        "parameters": first.card.parameters + second.card.parameters,
    }
    # Both stages are calibrated already: without validation rows nothing is left to divide by.
    plain = card_fields(task_of(parent.card), {**calibration_of(parent.card), "temperature": 1.0})
    calibrated = replace(parent, card=parent.card.model_copy(update=plain))
    return seal(
        Compression(inputs, options, run, calibrated, "compress.cascade"),
        form="cascade",
        folder=whole(run.scratch / "cascade", fill),
        notes=notes,
        compare=wanted[: len(inputs.validation)],
    )


def rarity(meant: npt.NDArray[np.int64], labels: int) -> Floats:
    """How many times rarer each of so many labels is among those `meant` than the most frequent one, each counted once
    more than it stands there."""
    counts = np.bincount(meant, minlength=labels) + 1
    weights: Floats = (counts.max() / counts).round(DIGITS)
    return weights


def choose_threshold(
    sure: npt.NDArray[np.float64], said: npt.NDArray[np.int64], meant: npt.NDArray[np.int64], least: float
) -> float:
    """The lowest probability from which on texts (n,) may leave with what was `said` for what the teacher `meant`.

    sure: highest probability of each text; said, meant: positions of labels; least: share and macro-F1 that are asked
    for. 2 where nothing may leave.
    """
    order = np.argsort(-sure, kind="stable")
    ordered, wrong = sure[order], np.cumsum((said != meant)[order])
    # Texts with equal probabilities leave together.
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True)) if len(ordered) else np.zeros(0, dtype=np.int64)
    share = 1 - (wrong[ends] + 0.5) / (ends + 2)
    macro = _macro_f1_by_errors(said[order], meant[order])[wrong[ends]]
    good = ends[(share >= least) & (macro >= least)]
    return float(ordered[good[-1]]) if len(good) else 2.0


def _macro_f1_by_errors(said: npt.NDArray[np.int64], meant: npt.NDArray[np.int64]) -> Floats:
    """Macro-F1 against `meant` where only the first 0, 1, 2, ... of the texts that differ are answered by `said`."""
    truths = np.bincount(meant, minlength=int(said.max(initial=0)) + 1).astype(np.float64)
    hits, guesses = truths.copy(), truths.copy()
    found = [1.0]
    for place in np.flatnonzero(said != meant):
        hits[meant[place]] -= 1
        guesses[meant[place]] -= 1
        guesses[said[place]] += 1
        found.append(float(np.nanmean(f1_of_sums(hits, truths, guesses))))
    return np.array(found)


def _exported(inputs: Inputs, options: Options, run: Run) -> Artifact:
    return export.apply(inputs, export.Options(engine=options.engine), run)


def _first_stage(inputs: Inputs, options: Options, run: Run) -> tuple[Artifact, npt.NDArray[np.float32]]:
    """The static student of the teacher, and logits of the train texts by students that have not learnt from them.

    They do not hang on the agreement that is asked for, nor on the second stage: cascades of one run share them.
    """
    assert inputs.parent is not None and run.shared is not None
    chosen = static.Options(bits=options.bits, copies=options.copies, epochs=options.epochs)
    train, validation = inputs.train, inputs.validation
    columns = train.texts, train.labels, train.groups, inputs.unlabelled, validation.texts, validation.labels
    about = [digest_lines(column or ()) for column in columns]
    key = digest([inputs.parent.id, chosen.model_dump(mode="json"), run.seed, *about])
    folder = run.shared / "first" / key[:32]
    first = _stage(run, folder / FIRST, lambda inside: static.apply(inputs, chosen, inside))
    shape = len(train), sum(head.size for head in task_of(first.card).heads.values())
    unlearnt = stored(folder / UNLEARNT, shape)
    if unlearnt is None:
        unlearnt = static.out_of_fold(inputs, chosen, run)
        store(folder / UNLEARNT, unlearnt)
    return first, unlearnt


def _stage(run: Run, out: Path, make: Callable[[Run], Artifact]) -> Artifact:
    """A stage, made now, or whole from before."""
    if out.exists():
        try:
            return open_artifact(out)
        except DamageError:
            shutil.rmtree(out)
    return make(replace(run, out=out, scratch=run.scratch / f"{out.name}.scratch"))


def _logits(artifact: Artifact, texts: Sequence[str], run: Run) -> npt.NDArray[np.float32]:
    session = open_session(artifact, threads=run.threads)
    parts = [session.logits([])]
    for start in range(0, len(texts), _SLICE):
        check_stop(run)
        parts.append(session.logits(texts[start : start + _SLICE]))
    return np.concatenate(parts)
