"""Confident learning: which given labels are probably wrong, from answers to rows that a model was not fitted to.

    a row is found where p(given label | x) is among the m smallest, and another label is more probable
    m: the rows whose p(k | x) is, for a label k that is not theirs, at least the mean over the rows that are given k

Source: Northcutt, Jiang, Chuang, Confident Learning: Estimating Uncertainty in Dataset Labels, 2021; sets of labels,
each label by itself: Thyagarajan, Snorrason, Northcutt, Mueller, Identifying Incorrect Annotations in Multi-Label
Classification Data, 2022. Computed by cleanlab (`filter_by="low_self_confidence"`).
When: labels that a model predicts well; the first rows of the list are then nearly all wrong. When not: labels that a
model hardly learns: its contradiction says more about the model. Labels of fewer than 10 rows, and those of which it
finds fewer than half of the rows, are left out. Errors that are systematic are not found: where most rows of a kind are
labelled wrongly, the model learns the wrong label.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from penjing.core.answers import Answer, Choice, Flags, as_kind
from penjing.core.errors import MissingPackageError
from penjing.core.task import CatalogueTask, Task
from penjing.data.audit import LEAST_LABEL_ROWS

Floats = npt.NDArray[np.float64]
_FILTER = "low_self_confidence"


@dataclass(frozen=True)
class Judged:
    """Rows with their gold, and the answers of models that were not fitted to them."""

    task: Task
    golds: Sequence[str]
    answers: Sequence[Answer]


@dataclass(frozen=True)
class LabelError:
    """The position of a row whose label is perhaps wrong, what is more probable, and both probabilities."""

    position: int
    suggested: str
    p: float
    p_given: float


@dataclass(frozen=True)
class LabelErrors:
    """Rows whose labels are perhaps wrong, the least probable label first, and the labels that were not judged."""

    errors: tuple[LabelError, ...] = ()
    left_out: tuple[str, ...] = ()


Finder = Callable[[Judged], LabelErrors]


def finder_of(task: Task) -> Finder | None:
    """How wrong labels of a task are found, by its heads; None for answers that are no labels of a closed set."""
    heads = list(task.heads.values())
    if len(heads) != 1 or heads[0].kind != "pooled" or isinstance(task, CatalogueTask):
        return None
    return {"cross_entropy": choice_errors, "binary_cross_entropy": set_errors}.get(heads[0].loss)


def choice_errors(judged: Judged) -> LabelErrors:
    """Of answers that are one label: the label of each row. Raises MissingPackageError."""
    choices = [as_kind(answer, Choice) for answer in judged.answers]
    if not choices:
        return LabelErrors()
    labels, counts = choices[0].labels, Counter(judged.golds)
    hits = Counter(gold for gold, choice in zip(judged.golds, choices, strict=True) if choice.top()[0] == gold)
    learned = {label for label in labels if counts[label] >= LEAST_LABEL_ROWS and 2 * hits[label] >= counts[label]}
    left_out = tuple(label for label in labels if label not in learned)
    used = [place for place, gold in enumerate(judged.golds) if gold in learned]
    given = np.array([labels.index(judged.golds[place]) for place in used], dtype=np.int64)
    if len(learned) < 2:
        return LabelErrors((), labels)
    shares = _normed(np.array([choices[place].probabilities for place in used], dtype=np.float64))
    with _cleanlab():
        from cleanlab.filter import find_label_issues

        wrong = np.asarray(find_label_issues(given, shares, filter_by=_FILTER, n_jobs=1))
    rows = np.flatnonzero(wrong & (shares.argmax(axis=1) != given))
    found = [
        LabelError(used[row], labels[int(shares[row].argmax())], _short(shares[row].max()), _short(own))
        for row, own in zip(rows.tolist(), shares[rows, given[rows]], strict=True)
    ]
    return LabelErrors(_ordered(found), left_out)


def set_errors(judged: Judged) -> LabelErrors:
    """Of answers that are sets: each label by itself; what is suggested is the set with these labels changed.

    p, p_given: of the label of which the model is surest. Raises MissingPackageError.
    """
    flags, (name,) = [as_kind(answer, Flags) for answer in judged.answers], judged.task.heads
    if not flags:
        return LabelErrors()
    truth = np.asarray(judged.task.encode(judged.golds, ())[name]) > 0.5
    shares = np.array([each.probabilities for each in flags], dtype=np.float64)
    rows_of, hits = truth.sum(axis=0), (truth & (shares >= 0.5)).sum(axis=0)
    enough = (rows_of >= LEAST_LABEL_ROWS) & (len(truth) - rows_of >= LEAST_LABEL_ROWS)
    used = np.flatnonzero(enough & (2 * hits >= rows_of))
    left_out = tuple(np.delete(np.array(flags[0].labels, dtype=object), used).tolist())
    doubted = np.zeros(truth.shape, dtype=bool)
    with _cleanlab():
        from cleanlab.filter import find_label_issues

        for place in used.tolist():
            both = np.stack((1 - shares[:, place], shares[:, place]), axis=1)
            doubted[:, place] = find_label_issues(truth[:, place].astype(int), both, filter_by=_FILTER, n_jobs=1)
    doubted &= (shares >= 0.5) != truth
    found = []
    for row in np.flatnonzero(doubted.any(axis=1)).tolist():
        # Of a label that is given and doubted, the model says that it is absent.
        sure = np.where(truth[row], 1 - shares[row], shares[row])[doubted[row]].max()
        changed = replace(flags[row], given=tuple((truth[row] ^ doubted[row]).tolist()))
        suggested = judged.task.outcome(judged.task.facts(changed))
        found.append(LabelError(row, suggested, _short(sure), _short(1 - sure)))
    return LabelErrors(_ordered(found), left_out)


@contextmanager
def _cleanlab() -> Iterator[None]:
    """Raises MissingPackageError where it is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ModuleNotFoundError as error:
        what = f"looking for wrong labels needs the package `{error.name}`, which is not installed"
        raise MissingPackageError(what, fix="pip install 'penjing[train]'") from None


def _ordered(found: list[LabelError]) -> tuple[LabelError, ...]:
    return tuple(sorted(found, key=lambda each: (each.p_given, -each.p, each.position)))


def _normed(shares: Floats) -> Floats:
    """Rows that sum to 1: probabilities are rounded."""
    result: Floats = shares / shares.sum(axis=1, keepdims=True)
    return result


def _short(value: float) -> float:
    return round(float(value), 4)
