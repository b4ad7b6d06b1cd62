"""Self-training: a teacher labels texts without labels, and a student learns from those that it is sure of.

    round 0:  the teacher learns from the train rows
    round r:  D = { (x, answer of the teacher) : p(answer) >= threshold },   the student learns from train rows and D

D keeps the shares that the labels have among the train rows (strata, where a task has no labels): of each it has the
texts with the highest p, as many as the label with the fewest allows, and at least as many as it has train rows. Every
student begins at the base, and is the next teacher. The result is the round with the best score on validation, of equal
ones the last; so on validation it is never worse than the teacher of round 0.

Source: Xie, Luong, Hovy, Le, Self-training with Noisy Student improves ImageNet classification, 2020 (rounds, the
threshold, balanced labels); Lee, Pseudo-Label, 2013. The noise of the student is its dropout; the source also alters
its inputs, as `tune.consistency` does.
When: many texts without labels from where the labelled ones come, and a first model that is mostly right. When not: it
is often wrong where it is sure (the student learns its errors), or the texts come from elsewhere.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from penjing.core.artifact import CARD, open_artifact, write_artifact
from penjing.core.canon import digest
from penjing.core.errors import DamageError
from penjing.core.folder import MANIFEST
from penjing.core.nouns import Artifact, Inputs, Run, Table
from penjing.core.stop import check_stop
from penjing.core.task import HeadKind, Task
from penjing.data.features import rows_fingerprint
from penjing.runtime.open import open_session
from penjing.tasks import task_for
from penjing.tasks.measure import metric_names
from penjing.tune.fitting import TuningMethod, tune
from penjing.tune.further import unlabelled_texts
from penjing.tune.options import TrainingOptions

METHOD = "tune.selftrain"
HEADS: tuple[HeadKind, ...] = ("pooled", "token", "span")
PAIRS = True
JOINT = True
UNLABELLED = True
_SLICE = 64


class Options(TrainingOptions):
    """The options of `tune.selftrain`."""

    rounds: int = Field(2, ge=1, le=10, description="how many students learn, one after another")
    student_epochs: float = Field(
        3.0, gt=0, le=100, description="passes of a student over all that it learns from; `epochs` are those of round 0"
    )
    threshold: float = Field(0.8, ge=0, lt=1, description="least probability of an answer that a student learns")
    texts: int = Field(2000, ge=0, le=1_000_000, description="most texts without labels that are used (0: all)")


@dataclass(frozen=True)
class Sure:
    """A text with the answer of a teacher, written as gold is, its stratum, and its probability."""

    text: str
    gold: str
    stratum: str
    p: float


def apply(inputs: Inputs, options: Options, run: Run) -> Artifact:
    """Tune `inputs.parent` on `inputs.train`, then on the answers for `inputs.unlabelled` too, round by round.

    Raises UsageError for no texts without labels, or a parent that is no encoder or takes fewer than `max_tokens`,
    DataError for tables without rows or labels, RunInterruptedError when stopped.
    """
    texts = unlabelled_texts(METHOD, inputs, options.texts, run.seed)
    inputs = replace(inputs, task=task_for(inputs))
    present, rounds = inputs, list[dict[str, float | int]]()
    best: tuple[float, Artifact] | None = None
    for number in range(options.rounds + 1):
        made = _round(number, present, options, run)
        task = open_session(made, threads=run.threads).task
        score = made.card.metrics[f"validation_{metric_names(task)[0]}"]
        rounds.append({"learned_from": len(present.train) - len(inputs.train), "score": score})
        if best is None or score >= best[0]:
            best = score, made
        if number == options.rounds:
            break
        sure = balanced(_answers(made, texts, options.threshold, run), task, inputs.train)
        if not sure:
            run.progress.say(f"round {number + 1}: no answer of {len(texts)} texts is sure enough; the rounds end")
            break
        words = ", ".join(f"{name}: {count}" for name, count in sorted(Counter(one.stratum for one in sure).items()))
        run.progress.say(f"round {number + 1}: {len(sure)} of {len(texts)} texts are sure enough ({words})")
        present = replace(inputs, train=_with_sure(inputs.train, sure))
    assert best is not None
    return _result(best[1], inputs, options, rounds, run)


def _round(number: int, inputs: Inputs, options: Options, run: Run) -> Artifact:
    """The model of a round, trained now or complete from before a kill."""
    about = [rows_fingerprint(inputs), inputs.parent.id if inputs.parent else "", options.model_dump(mode="json")]
    key = digest([*about, run.seed, run.threads, run.device])
    folder = run.scratch / f"round-{number}-{key[:16]}"
    if (folder / "model").exists():
        try:
            return open_artifact(folder / "model")
        except DamageError:
            shutil.rmtree(folder / "model")
    run.progress.say(f"round {number} of {options.rounds}")
    epochs = options.student_epochs if number else options.epochs
    own = options.model_copy(update={"epochs": epochs})
    return tune(inputs, own, replace(run, out=folder / "model", scratch=folder), TuningMethod(METHOD))


def _answers(teacher: Artifact, texts: Sequence[str], threshold: float, run: Run) -> list[Sure]:
    """The answers of a teacher that reach the threshold."""
    session = open_session(teacher, threads=run.threads)
    task, found = session.task, list[Sure]()
    run.progress.start("answers for texts without labels", len(texts))
    for first in range(0, len(texts), _SLICE):
        check_stop(run.stop)
        some = texts[first : first + _SLICE]
        for text, prediction in zip(some, session.predict(some), strict=True):
            facts = task.facts(prediction.answer)
            if facts["p"] >= threshold and not prediction.too_long:
                gold = task.outcome(facts)
                found.append(Sure(text, gold, task.strata([gold])[0], float(facts["p"])))
        run.progress.advance(len(some))
    return found


def balanced(sure: Sequence[Sure], task: Task, train: Table) -> list[Sure]:
    """Those with the highest p, so that strata have the shares of the train rows, in the order of the texts given."""
    rows, have = Counter(task.strata(train.labels or ())), Counter(one.stratum for one in sure)
    times = min((have[name] / rows[name] for name in have if name in rows), default=0.0)
    times = max(times, 1.0)
    kept: set[str] = set()
    for name in have:
        most = int(times * rows[name])
        ranked = sorted((one for one in sure if one.stratum == name), key=lambda one: (-one.p, one.text))
        kept.update(one.text for one in ranked[:most])
    return [one for one in sure if one.text in kept]


def _with_sure(train: Table, sure: Sequence[Sure]) -> Table:
    """The train rows, and after them the texts with their answers."""
    return Table(
        texts=[*train.texts, *(one.text for one in sure)],
        labels=[*(train.labels or ()), *(one.gold for one in sure)],
    )


def _result(
    made: Artifact, inputs: Inputs, options: Options, rounds: Sequence[dict[str, float | int]], run: Run
) -> Artifact:
    """The model of a round as the artifact of the run; its card names the rows that people labelled."""

    def fill(folder: Path) -> None:
        for path in sorted(made.folder.iterdir()):
            if path.is_dir():
                shutil.copytree(path, folder / path.name)
            elif path.name not in (MANIFEST, CARD):
                shutil.copyfile(path, folder / path.name)

    notes = {**made.card.notes, "rounds": list(rounds)}
    last = {**made.card.lineage[-1], "options": options.model_dump(mode="json")}
    lineage = (*made.card.lineage[:-1], last)
    card = made.card.model_copy(update={"data": rows_fingerprint(inputs), "lineage": lineage, "notes": notes})
    return write_artifact(run.out, card, fill)
