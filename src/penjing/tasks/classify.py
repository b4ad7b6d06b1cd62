"""The task `classify`: one label a text.

    p(l | x) = softmax(z / T)[l];   the answer is the most probable label, and an error is another label than the gold

Head: one number a label, trained by cross entropy. Certified by the probability of the answer, with one limit for all
labels or one a label.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from penjing.core.answers import Answer, Choice, as_kind
from penjing.core.errors import DataError, RequestError, UsageError
from penjing.core.options import Options as _Options
from penjing.core.options import nearest
from penjing.core.task import SMALL, About, FactKind, Head, Item, MaskedText, Outputs, Section, Unit
from penjing.data.labels import LONGEST_LABEL, match_label, nearest_label, read_label
from penjing.tasks.band import margin_within
from penjing.tasks.calibrate import fit_temperature
from penjing.tasks.metrics import Floats, confusion, encode_labels, f1_of_sums, softmax

HEAD = "label"
_DIGITS = 6


class Options(_Options):
    """The options of `task: {type: classify}`: none."""


ABOUT = About(
    name="classify",
    gold="the column of the labels",
    metric="share of the teacher's macro-F1",
    line="{type: classify}",
    comment="one label a text",
    facts=("label", "p", "margin"),
)


def open_reader(options: Options) -> ClassifyReader:  # noqa: ARG001 - there is nothing to choose
    """The reader of labels."""
    return ClassifyReader()


def restore(state: Mapping[str, Any]) -> Classify:
    """The task of an artifact, from its labels in their order."""
    return Classify(tuple(state["labels"]))


@dataclass(frozen=True)
class ClassifyReader:
    """Reads labels as they are written, before the set of labels is known."""

    golds_are_names = True
    golds_are_lists = False

    def read(self, cell: str, masked: MaskedText | None = None) -> str:  # noqa: ARG002
        """A label, cleaned like a text. Raises DataError."""
        try:
            label = read_label(cell)
        except RequestError as error:
            raise DataError(error.what, fix=error.fix) from None
        if len(label) > LONGEST_LABEL:
            raise DataError(f"a label of {len(label)} characters", fix="is `label:` the right column?")
        return label

    def strata(self, golds: Sequence[str]) -> list[str]:
        """The labels themselves."""
        return list(golds)

    def learn(self, golds: Sequence[str]) -> Classify:
        """The task of the labels, sorted. Raises DataError for fewer than two."""
        labels = tuple(sorted({gold for gold in golds if gold}))
        if len(labels) < 2:
            raise DataError("the train rows have one label only", fix="give rows of at least two labels")
        return Classify(labels)


@dataclass(frozen=True)
class Classify(ClassifyReader):
    """One of `labels`; `small` labels are left out of the mean over labels."""

    labels: tuple[str, ...]
    small: frozenset[str] = frozenset()

    name = "classify"
    errors = ()

    @property
    def state(self) -> dict[str, Any]:
        return {"labels": list(self.labels)}

    @cached_property
    def heads(self) -> Mapping[str, Head]:
        return {HEAD: Head("pooled", len(self.labels), "cross_entropy")}

    def with_rows(self, rows: Mapping[str, int]) -> Classify:
        """The same task with promises over the labels of at least 30 rows (over all labels, if none has so many)."""
        small = frozenset(label for label in self.labels if rows.get(label, 0) < SMALL)
        return replace(self, small=small if len(small) < len(self.labels) else frozenset())

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """The known label that is written. Raises DataError for an unknown one, with the nearest."""
        label = super().read(cell, masked)
        found = match_label(label, self.labels, {})
        if found is None:
            raise DataError(f"unknown label `{label}`", fix=nearest_label(label, self.labels))
        return found

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:  # noqa: ARG002
        """{"label": positions (n,) int64}. Raises DataError for a label that is not known."""
        return {HEAD: encode_labels(golds, self.labels)}

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:  # noqa: ARG002
        """{"temperature"}, of least smoothed loss (`tasks/calibrate.py`)."""
        return {"temperature": fit_temperature(outputs[HEAD], encode_labels(golds, self.labels))}

    def plain(self) -> dict[str, Any]:
        return {"temperature": 1.0}

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:  # noqa: ARG002
        """A Choice an item."""
        table = softmax(outputs[HEAD], calibration["temperature"]).round(_DIGITS).tolist()
        return [Choice(self.labels, tuple(row)) for row in table]

    def energy(self, outputs: Outputs, calibration: Mapping[str, Any]) -> Floats:
        """-log sum_l exp(z_l / T). Source: Liu et al., Energy-based Out-of-distribution Detection, 2020."""
        scaled = np.asarray(outputs[HEAD], dtype=np.float64) / calibration["temperature"]
        found: Floats = -np.logaddexp.reduce(scaled, axis=1)
        return found

    def kinds(self) -> dict[str, FactKind]:
        return {"label": "label", "p": "unit", "margin": "unit"}

    def facts(self, answer: Answer) -> dict[str, Any]:
        """label, p, margin (p less that of the second label) and the probability of every label."""
        choice = as_kind(answer, Choice)
        top, p = choice.top()
        second = sorted(choice.probabilities)[-2] if len(choice.probabilities) > 1 else 0.0
        probabilities = dict(zip(choice.labels, choice.probabilities, strict=True))
        return {"label": top, "p": p, "margin": round(p - second, 6), "probabilities": probabilities}

    @property
    def scopes(self) -> tuple[str, ...]:
        return self.labels

    def scope(self, facts: Mapping[str, Any]) -> str:
        label: str = facts["label"]
        return label

    def outcome(self, facts: Mapping[str, Any]) -> str:
        label: str = facts["label"]
        return label

    def unsettled(self, facts: Mapping[str, Any], band: int) -> bool:
        """Each probability may change by the band, so two labels that differ by at most twice the band may swap."""
        return len(self.labels) > 1 and margin_within(facts, 2 * band)

    def moved(self, one: Answer, other: Answer) -> float:
        """The largest difference of a probability."""
        if not (isinstance(one, Choice) and isinstance(other, Choice) and one.labels == other.labels):
            return 1.0
        pairs = zip(one.probabilities, other.probabilities, strict=True)
        return round(max((abs(a - b) for a, b in pairs), default=0.0), 6)

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:
        """The log-odds of the answer's label, from the logits: they change even where its probability rounds to 1.

        Raises UsageError for a label that is not known.
        """
        label, temperature = _top(answer), calibration["temperature"]
        if label not in self.labels:
            raise UsageError(f"unknown label `{label}`", fix=nearest(label, self.labels))
        place = self.labels.index(label)

        def odds(outputs: Outputs) -> Floats:
            scaled = np.asarray(outputs[HEAD], dtype=np.float64) / temperature
            result: Floats = scaled[:, place] - np.logaddexp.reduce(np.delete(scaled, place, axis=1), axis=1)
            return result

        return odds

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 3 L): for each label whether it is the gold, whether it is the answer, whether it is both."""
        truth = encode_labels(golds, self.labels)
        guess = encode_labels([_top(answer) for answer in answers], self.labels)
        rows, labels = np.arange(len(truth)), len(self.labels)
        counts = np.zeros((len(truth), 3, labels))
        counts[rows, 0, truth] = 1
        counts[rows, 1, guess] = 1
        counts[rows[truth == guess], 2, truth[truth == guess]] = 1
        return counts.reshape(len(truth), 3 * labels)

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """macro_f1 over the labels that occur and are not small, and accuracy, from sums (..., 3 L)."""
        parts = np.asarray(sums, dtype=np.float64).reshape(*np.shape(sums)[:-1], 3, len(self.labels))
        truths, guesses, hits = parts[..., 0, :], parts[..., 1, :], parts[..., 2, :]
        kept = [place for place, label in enumerate(self.labels) if label not in self.small]
        by_label = f1_of_sums(hits, truths, guesses)[..., kept]
        present = ~np.isnan(by_label)
        macro = np.nan_to_num(by_label).sum(axis=-1) / np.maximum(present.sum(axis=-1), 1)
        return {"macro_f1": macro, "accuracy": hits.sum(axis=-1) / np.maximum(truths.sum(axis=-1), 1)}

    def wrong(self, outcome: str, gold: str) -> bool:
        return outcome != gold

    def error_in_words(self) -> Mapping[Literal["en", "zh"], str]:
        return {}

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One: the label."""
        label = facts["label"]
        return (Unit(label, facts["p"], label, label != gold),)

    def figures(self, answers: Sequence[Answer], golds: Sequence[str]) -> tuple[Section, ...]:
        """The confusion matrix."""
        guess = encode_labels([_top(answer) for answer in answers], self.labels)
        matrix = confusion(encode_labels(golds, self.labels), guess, len(self.labels)).tolist()
        rows = tuple((label, *row) for label, row in zip(self.labels, matrix, strict=True))
        title = {"en": "Which labels are taken for which", "zh": "哪些标签被误判成哪些"}
        return (Section("confusion", "matrix", title, ("", *self.labels), rows),)  # type: ignore[arg-type]


def _top(answer: Answer) -> str:
    return as_kind(answer, Choice).top()[0]
