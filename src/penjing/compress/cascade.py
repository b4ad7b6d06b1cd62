"""A cascade: hashed n-grams answer where they are sure to say what the teacher says, the next model answers the rest.

    p1(x) = max softmax(first(x) / T1);   x leaves at the first stage where  p1(x) >= t
    t = the lowest threshold with  (k + 1/2) / (n + 1) <= 1 - a  and  macro-F1 >= a  over held-out texts,
        n of which leave at t, k of them with another label than the teacher's; macro-F1 is of all held-out texts
        against the teacher's labels, which those that do not leave are taken to get

Source: Viola and Jones, Rapid Object Detection using a Boosted Cascade of Simple Features, 2001; Varshney and Baylor,
Model Cascading: Towards Jointly Improving Efficiency and Accuracy of NLP Systems, 2022. The first stage is
`compress.static`, made here by the teacher; the step before is the second, exported first if it is still in torch.
The threshold is set on validation texts and on every fifth unlabelled one, which the first stage does not learn from.
Agreement with the teacher needs no label. Its share alone lets a rare label go: the few texts of one may all leave with
another, and the share hardly falls; the macro-F1 does. Errors of the whole are what the certificate bounds. The first
stage's best epoch and temperature are chosen on the same validation texts, so without unlabelled ones the agreement is
a little optimistic; `keep` is tested on test rows all the same.
When: a mean time of tens of microseconds is wanted, most texts are easy, and the second stage keeps the promise alone.
When not: where p99 must fall too (the slow texts stay slow), where few texts leave, where a label counts that only a
handful of the held-out texts have (its texts leave with a frequent one, and nothing here sees it), and never for pairs
of texts.
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
from penjing.compress.sealing import check_stop, encoder_parent, seal, whole
from penjing.compress.teacher import teacher_logits
from penjing.core.artifact import open_artifact
from penjing.core.canon import canonical_json, unit_hash
from penjing.core.errors import DamageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options as BaseOptions
from penjing.runtime.cascade import EXITS, FIRST, SECOND, Exits
from penjing.runtime.session import DIGITS, open_session
from penjing.tasks.classify import Floats, f1_of_sums, softmax

AGREEMENT = (
    "least share of the texts that leave early on which the teacher says the same, and least macro-F1 of all answers "
    "against the teacher's"
)
HELD_OUT = 0.2
_SLICE = 256


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
    teacher = inputs.teachers.get(TEACHER, parent)
    held_out = {text for text in inputs.unlabelled if unit_hash(text) < HELD_OUT}
    first = _stage(run, FIRST, lambda inside: _first(inputs, teacher, held_out, options, inside))
    second = (
        parent
        if parent.card.form != "torch"
        else _stage(run, SECOND, lambda inside: _exported(inputs, options, inside))
    )
    texts = [*inputs.validation.texts, *sorted(held_out)]
    parts = inputs.validation.texts, sorted(held_out)
    wanted = teacher_logits(teacher, parts, run, "compress.cascade: the teacher on held-out texts")
    found = _logits(first, texts, run)
    sure = np.round(softmax(found, first.card.temperature).max(axis=1), DIGITS)
    said, meant = found.argmax(axis=1), wanted.argmax(axis=1)
    threshold = choose_threshold(sure, said, meant, options.agreement)
    leaves = sure >= threshold
    exits = Exits(threshold=threshold, audit=options.audit)

    def fill(folder: Path) -> None:
        shutil.copytree(first.folder, folder / FIRST)
        shutil.copytree(second.folder, folder / SECOND)
        (folder / EXITS).write_bytes(canonical_json(exits.model_dump(mode="json")))

    notes = {
        "exit_share": round(float(leaves.mean()), 6) if len(leaves) else 0.0,
        "exit_agreement": round(float((said == meant)[leaves].mean()), 6) if leaves.any() else 1.0,
        "second_form": second.card.form,
        "parameters": first.card.parameters + second.card.parameters,
    }
    # Both stages are calibrated already: without validation rows nothing is left to divide by.
    calibrated = replace(parent, card=parent.card.model_copy(update={"temperature": 1.0}))
    return seal(
        inputs,
        options,
        run,
        calibrated,
        method="compress.cascade",
        form="cascade",
        folder=whole(run.scratch / "cascade", fill),
        notes=notes,
        compare=wanted[: len(inputs.validation)],
    )


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


def _first(inputs: Inputs, teacher: Artifact, held_out: set[str], options: Options, run: Run) -> Artifact:
    chosen = static.Options(bits=options.bits, copies=options.copies, epochs=options.epochs)
    texts = [text for text in inputs.unlabelled if text not in held_out]
    return static.apply(replace(inputs, parent=teacher, unlabelled=texts), chosen, run)


def _exported(inputs: Inputs, options: Options, run: Run) -> Artifact:
    return export.apply(inputs, export.Options(engine=options.engine), run)


def _stage(run: Run, name: str, make: Callable[[Run], Artifact]) -> Artifact:
    """A stage, made now in the scratch, or whole from before a kill."""
    out = run.scratch / name
    if out.exists():
        try:
            return open_artifact(out)
        except DamageError:
            shutil.rmtree(out)
    return make(replace(run, out=out, scratch=run.scratch / f"{name}.scratch", shared=run.shared or run.scratch))


def _logits(artifact: Artifact, texts: Sequence[str], run: Run) -> npt.NDArray[np.float32]:
    session = open_session(artifact, threads=run.threads)
    parts = [np.zeros((0, len(session.labels)), dtype=np.float32)]
    for start in range(0, len(texts), _SLICE):
        check_stop(run)
        parts.append(session.logits(texts[start : start + _SLICE]))
    return np.concatenate(parts)
