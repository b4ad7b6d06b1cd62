"""Looks for labels that are perhaps wrong: `tune.linear` in five folds, then confident learning over all its answers.

Train and validation rows alone are looked at. Calibration and test rows stay as they are: a label that was corrected
because a model contradicts it is no independent proof of what models do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from penjing.compress.parts.folds import answer_out_of_fold, fold_numbers
from penjing.core.answers import Answer
from penjing.core.canon import digest
from penjing.core.errors import MissingPackageError
from penjing.core.methods import Step, source_hash
from penjing.core.nouns import Inputs, Progress, Run, Silent, Table
from penjing.core.recipe import RecipeFile
from penjing.core.stop import check_stop
from penjing.core.task import Task
from penjing.data.doubts import MOST_LISTED, Doubt, LabelDoubts
from penjing.data.features import rows_of
from penjing.data.prepare import Prepared
from penjing.make.cache import Cache, library_versions, table_fingerprint, task_key
from penjing.make.label_errors import Judged, LabelError, finder_of
from penjing.make.menu import linear_step
from penjing.make.timings import Measured
from penjing.runtime.open import open_session

FOLDS = 5
# The strength that `tune.linear` chose on each of three sets; to choose it anew takes thrice as long as the folds.
_STRENGTH = 4.0
# Fewer rows teach a model too little to contradict a person.
LEAST = 100
# Of `work_of`: half a minute of one processor for `check`, three minutes for `make`.
MOST, MOST_OF_RUN = 60_000_000, 360_000_000
_FEATURES = 100


@dataclass(frozen=True)
class _LookedAt:
    """The rows that are looked at, with the file of each."""

    table: Table
    files: list[str]


def find_doubts(
    file: RecipeFile,
    data: Prepared,
    progress: Progress,
    stop: Callable[[], bool] = lambda: False,
    *,
    most: int | None = MOST,
) -> LabelDoubts:
    """The rows of a recipe whose labels are perhaps wrong; nothing is kept on the disk.

    most: where the work is more, nothing is done (None: any work). Rows of one group, and equal texts, are in one fold.
    Raises MissingPackageError without cleanlab or scikit-learn, RunInterruptedError when stopped.
    """
    rows, task = _rows_of(data), data.task
    finder = finder_of(task)
    if finder is None:
        return LabelDoubts(skipped=f"the answers of the task `{task.name}` are not labels of a closed set")
    if len(rows.table) < LEAST:
        return LabelDoubts(skipped=f"fewer than {LEAST} train and validation rows")
    if most is not None and work_of(rows.table, task) > most:
        what = "it takes minutes for so much text or so many labels; `penjing check RECIPE --labels` does it"
        return LabelDoubts(skipped=what)
    progress.start("looking for labels that are perhaps wrong", FOLDS)
    with TemporaryDirectory() as folder:
        judged, positions = _judged(file, data, rows.table, _FoldWork(Path(folder), progress, stop))
    found = finder(judged)
    doubts = tuple(_doubt(rows, positions[error.position], error) for error in found.errors[:MOST_LISTED])
    return LabelDoubts(looked=len(positions), count=len(found.errors), doubts=doubts, left_out=found.left_out)


def doubts_of_run(file: RecipeFile, data: Prepared, cache: Cache, most: int = MOST_OF_RUN) -> LabelDoubts:
    """The same within `make`: kept in its cache under everything that it depends on."""
    sources = [source_hash(__name__), source_hash("penjing.tune.linear"), library_versions()]
    rows = _rows_of(data)
    read = [rows.files, list(rows.table.rows), rows.table.fields, data.language, task_key(data.task)]
    options = linear_step(file).options.model_dump(mode="json")
    about = digest([sources, table_fingerprint(rows.table), read, options, file.recipe.seed, most])
    kept = Measured(cache.folder / f"labels-{about[:16]}", about)
    cache.used.add(kept.folder.name)

    def look() -> dict[str, Any]:
        try:
            found = find_doubts(file, data, cache.progress, cache.stop, most=most)
            return found.model_dump(mode="json")
        except MissingPackageError as error:
            return LabelDoubts(skipped=error.what).model_dump(mode="json")

    return LabelDoubts.model_validate(kept.once(["doubts"], look))


@dataclass(frozen=True)
class _FoldWork:
    """Where the models of the folds are written, and the progress and the stop of the whole."""

    folder: Path
    progress: Progress
    stop: Callable[[], bool]


def _judged(file: RecipeFile, data: Prepared, table: Table, work: _FoldWork) -> tuple[Judged, list[int]]:
    """What models say of rows that they were not fitted to, and the positions of these rows."""
    step = linear_step(file)
    step = replace(step, options=step.options.model_copy(update={"c": (_STRENGTH,)}))

    def answer(rest: list[int], held: list[int]) -> list[Answer]:
        return _answers(file, data, step, (table.take(rest), table.take(held)), work)

    numbers = fold_numbers(table, FOLDS)
    positions, answers = answer_out_of_fold(numbers, FOLDS, answer, lambda _: work.progress.advance())
    golds = table.labels or ()
    return Judged(data.task, [golds[place] for place in positions], answers), positions


def _answers(
    file: RecipeFile, data: Prepared, step: Step, tables: tuple[Table, Table], work: _FoldWork
) -> list[Answer]:
    """The answers of a model of the rest on the rows that were held out. tables: the rest, held out."""
    check_stop(work.stop)
    rest, held = tables
    features = file.recipe.data.feature_types()
    inputs = Inputs(None, rest, held, language=data.language, task=data.task, features=features)
    with TemporaryDirectory(dir=work.folder) as name:
        run = Run(Path(name) / "model", Path(name) / "scratch", file.recipe.seed, stop=work.stop, progress=Silent())
        session = open_session(step.method.apply(inputs, step.options, run), threads=1)
        return [one.answer for one in session.predict(held.texts, rows_of(held))]


def work_of(table: Table, task: Task) -> int:
    """Characters times (labels + 100): what fits of the word model take, up to a factor."""
    columns = sum(head.size for head in task.heads.values())
    return sum(map(len, table.texts)) * (_FEATURES + columns)


def _rows_of(data: Prepared) -> _LookedAt:
    whole = data.train.joined(data.validation)
    return _LookedAt(whole, [*data.origins["train"], *data.origins["validation"]])


def _doubt(rows: _LookedAt, position: int, error: LabelError) -> Doubt:
    return Doubt(
        file=rows.files[position],
        row=rows.table.rows[position],
        text=rows.table.texts[position],
        given=(rows.table.labels or ())[position],
        suggested=error.suggested,
        p=error.p,
        p_given=error.p_given,
    )
