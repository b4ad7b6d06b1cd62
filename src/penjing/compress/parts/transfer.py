"""The texts that a student learns from, with its teacher's outputs for each.

    train rows, texts without labels, changed copies of train rows, and neighbours of train rows from a larger pool

The pool of neighbours is a corpus (`corpus`), cut into crops as long as the train texts (compress/parts/crops), or else
the texts without labels. The nearest are those by the student's own pooled states (compress/parts/nearest). A text of
the pool that equals a train or a validation text is left out. A step cannot see calibration and test rows; `penjing
corpus build --against` takes these out of a corpus before. With `out_of_fold` the train rows and their copies are
answered by teachers that were tuned without them (compress/parts/folds).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydantic import Field, ValidationInfo, field_validator

from penjing.compress.parts.crops import sample_crops
from penjing.compress.parts.folds import fold_numbers, fold_teacher
from penjing.compress.parts.near_tokens import REPLACED, replaced
from penjing.compress.parts.nearest import nearest_places
from penjing.compress.parts.pooled import pooled_states
from penjing.compress.parts.teacher import teacher_outputs
from penjing.core.errors import UsageError
from penjing.core.nouns import Artifact, Inputs, Run
from penjing.core.options import Options, WrongValueError
from penjing.core.stop import check_stop
from penjing.data.augment.clauses import augment
from penjing.data.fold import fold
from penjing.data.mask import VERSION, open_masking
from penjing.tasks import task_of

Floats = npt.NDArray[np.float32]
# Train rows whose neighbours are looked for, drawn at random where there are more.
QUERIES = 10_000
_LIMIT = 512


class TransferOptions(Options):
    """The options that decide which texts a student learns from, and who answers them."""

    copies: int = Field(1, ge=0, le=20, description="augmented texts for each train text, labelled by the teacher")
    replaced: int = Field(0, ge=0, le=20, description=REPLACED)
    neighbours: int = Field(
        0,
        ge=0,
        le=5_000_000,
        description="how many texts of the corpus, those nearest to the train texts, are added; without a corpus: how "
        "many of the unlabelled texts are used (0: all)",
    )
    corpus: str | None = Field(
        None,
        description="a folder of `penjing corpus build`, relative to the recipe, from which neighbours are taken",
    )
    crops: int = Field(
        200_000, ge=100, le=5_000_000, description="pieces of the corpus, drawn at random, among which the nearest are"
    )
    out_of_fold: int = Field(
        0,
        ge=0,
        le=10,
        description="folds of the train rows, each answered by a teacher that is tuned without it; 0: the one teacher "
        "answers all; of k folds the cost is k - 1 tunings at one rate",
    )

    @field_validator("corpus")
    @classmethod
    def _of_which_some_are_taken(cls, corpus: str | None, info: ValidationInfo) -> str | None:
        if corpus and info.data.get("neighbours") == 0:
            fix = "write how many texts to take, such as `neighbours: 50000`"
            raise WrongValueError("is named, and `neighbours` is 0", fix)
        return corpus

    @field_validator("out_of_fold")
    @classmethod
    def _not_one(cls, folds: int) -> int:
        if folds == 1:
            raise WrongValueError("is 1, and one fold leaves no rows to tune on", "write 0, or 2 and more")
        return folds


@dataclass(frozen=True)
class TransferSet:
    """texts: the train texts first; outputs: the teacher's for each, (n, sum of the heads' sizes); sizes: by origin."""

    texts: list[str]
    outputs: Floats
    sizes: dict[str, int] = field(default_factory=dict)


def transfer_set(
    student: Artifact, teacher: Artifact, inputs: Inputs, options: TransferOptions, run: Run, method: str
) -> TransferSet:
    """All texts with their outputs. Raises UsageError where folds have no teachers, or neighbours no pool."""
    train = list(inputs.train.texts)
    title = f"{method}: the teacher on all texts"
    # The pool comes first: a fault in it must not be found after an hour of the teacher.
    near = neighbours_of(student, inputs, options, run, method)
    unlabelled = [] if options.neighbours and not inputs.corpora else list(inputs.unlabelled)
    own, copies = [], {"copies": [], "replaced": []}  # type: ignore[var-annotated]
    for one, places in _answering(teacher, inputs, options):
        rows = [train[place] for place in places]
        own.append((places, teacher_outputs(one, [rows], run, title)))
        made = augment(rows, options.copies, run.seed), replaced(teacher, rows, options.replaced, run.seed)
        for name, texts in zip(copies, made, strict=True):
            copies[name].append((texts, teacher_outputs(one, [texts], run, title)))
    width = sum(head.size for head in task_of(teacher.card).heads.values())
    outputs = np.empty((len(train), width), dtype=np.float32)
    for places, found in own:
        outputs[places] = found
    groups = {"train": [(train, outputs)]}
    groups["unlabelled"] = [(unlabelled, teacher_outputs(teacher, [unlabelled], run, title))]
    groups |= copies
    groups["neighbours"] = [(near, teacher_outputs(teacher, [near], run, title))]
    every = [part for parts in groups.values() for part in parts]
    return TransferSet(
        [text for texts, _ in every for text in texts],
        np.concatenate([found for _, found in every]),
        {name: sum(len(texts) for texts, _ in parts) for name, parts in groups.items()},
    )


def unanswered_texts(
    student: Artifact, teacher: Artifact, inputs: Inputs, options: TransferOptions, run: Run, method: str
) -> dict[str, list[str]]:
    """By origin all texts beside the train rows, for a teacher that answers while the student learns."""
    train = list(inputs.train.texts)
    return {
        "unlabelled": [] if options.neighbours and not inputs.corpora else list(inputs.unlabelled),
        "copies": augment(train, options.copies, run.seed),
        "replaced": replaced(teacher, train, options.replaced, run.seed),
        "neighbours": neighbours_of(student, inputs, options, run, method),
    }


def neighbours_of(student: Artifact, inputs: Inputs, options: TransferOptions, run: Run, method: str) -> list[str]:
    """The texts of the pool that are nearest to the train texts, by the pooled states of the student, nearest first."""
    if not options.neighbours:
        return []
    pool = _pool(student, inputs, options, run, method)
    if len(pool) <= options.neighbours:
        return pool
    train, limit = inputs.train.texts, student.card.max_tokens or _LIMIT
    drawn = sorted(np.random.default_rng(run.seed).permutation(len(train))[:QUERIES].tolist())
    title = f"{method}: states of the texts among which neighbours are"
    states = pooled_states(student, pool, limit, run, title)
    asking = [train[place] for place in drawn]
    queries = pooled_states(student, asking, limit, run, f"{method}: states of the train texts")
    run.progress.start(f"{method}: neighbours of the train texts", len(drawn))

    def tick(count: int) -> None:
        check_stop(run.stop)
        run.progress.advance(count)

    return [pool[place] for place in nearest_places(queries, states, options.neighbours, tick)]


def _pool(student: Artifact, inputs: Inputs, options: TransferOptions, run: Run, method: str) -> list[str]:
    """The texts among which neighbours are looked for, none of them equal to a train or a validation text."""
    if not inputs.corpora and not inputs.unlabelled:
        raise UsageError(
            f"`{method}` looks for neighbours, and there are no unlabelled texts and no corpus",
            where="neighbours",
            fix="name a `corpus`, or files under `unlabelled`, or take `neighbours` out",
        )
    if not len(inputs.train):
        raise UsageError(f"`{method}` needs training texts to learn from", fix="give at least some rows")
    pool: Sequence[str] = inputs.unlabelled
    if inputs.corpora:
        run.progress.start(f"{method}: pieces of the corpus", None)
        documents = (text for corpus in inputs.corpora for text in corpus.documents("train"))
        found = sample_crops(documents, inputs.train.texts, options.crops, run.seed, lambda: check_stop(run.stop))
        masking = open_masking(student.card.masking or VERSION)
        pool = [masking(text).text for text in found]
    known = {fold(text) for table in (inputs.train, inputs.validation) for text in table.texts}
    return [text for text in dict.fromkeys(pool) if fold(text) not in known]


def _answering(
    teacher: Artifact, inputs: Inputs, options: TransferOptions
) -> list[tuple[Artifact, npt.NDArray[np.int64]]]:
    """Each teacher with the places of the train rows that it answers: one for all rows, or one for each fold."""
    if not options.out_of_fold:
        return [(teacher, np.arange(len(inputs.train)))]
    numbers, found = fold_numbers(inputs.train, options.out_of_fold), []
    for number in sorted(set(numbers.tolist())):
        one = inputs.teachers.get(fold_teacher(number))
        if one is None:
            raise UsageError(
                "`out_of_fold` needs a teacher that was tuned without each fold, and there is none",
                where="out_of_fold",
                fix="run the recipe with `penjing make`, which tunes them, or set `out_of_fold: 0`",
            )
        found.append((one, np.flatnonzero(numbers == number)))
    return found
