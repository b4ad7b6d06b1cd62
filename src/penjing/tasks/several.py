"""The task `several`: any number of labels a text, also none.

    a label is given where its calibrated probability reaches its threshold;   an error is a set other than the gold

Head: one number a label, trained by binary cross entropy. Calibration and thresholds are in `tasks/flags.py`. Certified
by the probability that the whole set is right. Prefer `classify` where each text has exactly one label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import Field, field_validator

from penjing.core.abilities import Bounds
from penjing.core.answers import Answer, Flags, as_kind
from penjing.core.errors import DataError, UsageError, shown
from penjing.core.options import Options as _Options
from penjing.core.options import WrongValueError
from penjing.core.task import ALL, SMALL, About, FactKind, Head, Item, MaskedText, Outputs, Section, Unit
from penjing.data.labels import match_label, nearest_label
from penjing.tasks.band import margin_within
from penjing.tasks.flags import FlagsCalibration, fit_flags
from penjing.tasks.label_sets import split_cell, widths
from penjing.tasks.metrics import Floats
from penjing.tasks.set_figures import set_figures
from penjing.tasks.set_scores import set_counts, set_metrics

HEAD = "labels"
MOST_LABELS = 2000
_NOT_BETWEEN = "[]\"'\\`"
# Separators of which a label may hold one; where all of its parts are labels, it is a set that was not cut.
_OTHERS = "、，,/ "


class Options(_Options):
    """The options of `task: {type: several}`; the separator is written under `data:`."""

    none: str = Field("none", min_length=1, max_length=60, description="the word for a text without any label")
    empty: Literal["unlabelled", "none"] = Field(
        "unlabelled", description="an empty cell: nobody has labelled the text, or it has no label"
    )
    separator: str = Field(";", min_length=1, max_length=1, description="what is between the labels of a cell")

    @field_validator("separator")
    @classmethod
    def _is_between(cls, separator: str) -> str:
        if separator.isalnum() or separator in _NOT_BETWEEN or not separator.isprintable():
            raise WrongValueError(f"is `{separator}`, which labels or lists are written with", 'write `separator: ";"`')
        return separator


ABOUT = About(
    name="several",
    gold="the column of the labels, any number in a cell",
    metric="share of the teacher's micro-F1",
    line="{type: several}",
    comment="any number of labels a text",
    facts=("count", "p", "margin"),
    sets=True,
)


def open_reader(options: Options) -> SeveralReader:
    """The reader of sets of labels."""
    reader = FilledReader if options.empty == "none" else SeveralReader
    return reader(options.separator, options.none)


def restore(state: Mapping[str, Any]) -> Several:
    """The task of an artifact, from its labels in their order."""
    return Several(state["separator"], state["none"], tuple(state["labels"]))


@dataclass(frozen=True)
class SeveralReader:
    """Reads sets of labels before the labels are known. Canonical gold: sorted labels with the separator between.

    none: the word for no label.
    """

    separator: str
    none: str

    golds_are_names = False
    golds_are_lists = True

    def parts(self, cell: str) -> tuple[str, ...]:
        """The words of a cell, cleaned. Raises DataError for a cell that is no set."""
        return split_cell(cell, self.separator)

    def read(self, cell: str, masked: MaskedText | None = None) -> str:  # noqa: ARG002
        """A set in its canonical form, "" for an empty cell. Raises DataError."""
        if not cell.strip():
            return ""
        return self._joined(self._named(self.parts(cell)))

    def _named(self, words: Sequence[str]) -> tuple[str, ...]:
        """The labels of these words, of which `none` is the only one or is not there. Raises DataError."""
        if self.none in words and len(words) > 1:
            raise DataError(
                f"the cell has `{self.none}`, which means no label, beside other labels",
                fix="take it out, or name another word: `task: {type: several, none: WORD}`",
            )
        return tuple(word for word in words if word != self.none)

    def _joined(self, labels: Sequence[str]) -> str:
        return self.separator.join(sorted(labels)) or self.none

    def members(self, gold: str) -> tuple[str, ...]:
        """The labels of canonical gold."""
        return () if gold in ("", self.none) else tuple(gold.split(self.separator))

    def strata(self, golds: Sequence[str]) -> list[str]:
        """The rarest of the labels of each gold, so that a split spreads the rare ones."""
        counts = Counter(label for gold in golds for label in self.members(gold))
        return [
            min(self.members(gold), key=lambda label: (counts[label], label), default=self.none if gold else "")
            for gold in golds
        ]

    def learn(self, golds: Sequence[str]) -> Several:
        """The task of all labels that occur, sorted. Raises DataError for fewer than two, for more than 2,000, and for
        a label whose parts are labels: it is a set with another separator."""
        labels = sorted({label for gold in golds for label in self.members(gold)})
        if len(labels) < 2:
            raise DataError(
                "the train rows have one label only" if labels else "no train row has a label",
                fix="give rows of at least two labels; is the separator right?",
            )
        if len(labels) > MOST_LABELS:
            what = f"the train rows have {len(labels):,} different labels; {MOST_LABELS:,} are the most"
            raise DataError(what, fix="is the separator right? Else use coarser labels")
        self._check_uncut(labels)
        return Several(self.separator, self.none, tuple(labels))

    def _check_uncut(self, labels: Sequence[str]) -> None:
        known = set(labels)
        for label in labels:
            for other in _OTHERS:
                parts = [part.strip() for part in label.split(other)]
                if len(parts) > 1 and other not in widths(self.separator) and known.issuperset(parts):
                    raise DataError(
                        f"the label `{shown(label, 60)}` is several labels with `{other}` between them, and the "
                        f"separator is `{self.separator}`",
                        fix="write one separator in all rows",
                    )


@dataclass(frozen=True)
class FilledReader(SeveralReader):
    """The same for data files in which an empty cell is a text without any label.

    The task that it learns has no such reading: a verdict or a row of `amend` that is empty is none.
    """

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """As `SeveralReader.read`; an empty cell is the word for no label."""
        return super().read(cell, masked) or self.none


@dataclass(frozen=True)
class Several(SeveralReader):
    """Any number of `labels`; `small` labels are left out of the mean over labels."""

    labels: tuple[str, ...]
    small: frozenset[str] = frozenset()

    name = "several"
    errors = ()

    @property
    def state(self) -> dict[str, Any]:
        return {"labels": list(self.labels), "separator": self.separator, "none": self.none}

    @cached_property
    def heads(self) -> Mapping[str, Head]:
        return {HEAD: Head("pooled", len(self.labels), "binary_cross_entropy")}

    @cached_property
    def _place(self) -> Mapping[str, int]:
        return {label: place for place, label in enumerate(self.labels)}

    def with_rows(self, rows: Mapping[str, int]) -> Several:
        """The same task, its macro-F1 over the labels of at least 30 rows (over all labels, if none has so many)."""
        small = frozenset(label for label in self.labels if rows.get(label, 0) < SMALL)
        return replace(self, small=small if len(small) < len(self.labels) else frozenset())

    def read(self, cell: str, masked: MaskedText | None = None) -> str:  # noqa: ARG002
        """As `SeveralReader.read`, but of known labels only. Raises DataError with the nearest label."""
        if not cell.strip():
            return ""
        found = []
        for word in self._named(self.parts(cell)):
            label = match_label(word, self.labels, {})
            if label is None:
                raise DataError(f"unknown label `{shown(word, 60)}`", fix=nearest_label(word, self.labels))
            found.append(label)
        return self._joined(tuple(dict.fromkeys(found)))

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:  # noqa: ARG002
        """{"labels": 0 or 1 of each label, (n, L) float32}. Raises DataError for a label that is not known."""
        target = np.zeros((len(golds), len(self.labels)), dtype=np.float32)
        for row, gold in enumerate(golds):
            for label in self.members(gold):
                if label not in self._place:
                    fix = nearest_label(label, self.labels)
                    raise DataError(f"unknown label `{shown(label, 60)}`", where=f"row {row + 1}", fix=fix)
                target[row, self._place[label]] = 1
        return {HEAD: target}

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:
        """Scale, biases, thresholds, and the map of the set's log-odds."""
        return fit_flags(outputs[HEAD], self.encode(golds, items)[HEAD]).to_json()

    def plain(self) -> dict[str, Any]:
        return FlagsCalibration.plain(len(self.labels)).to_json()

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:  # noqa: ARG002
        """Flags of each item."""
        fitted = FlagsCalibration.from_json(calibration)
        shares = fitted.probabilities(outputs[HEAD])
        rows = zip(
            shares.tolist(),
            fitted.given(shares).tolist(),
            fitted.sure(outputs[HEAD]).tolist(),
            fitted.margins(shares).tolist(),
            strict=True,
        )
        return [Flags(self.labels, tuple(row), tuple(given), p, margin) for row, given, p, margin in rows]

    def energy(self, outputs: Outputs, calibration: Mapping[str, Any]) -> Floats:
        """-sum_l log(1 + exp(z_l)) of the calibrated log-odds z.

        Source: Wang et al., Can Multi-label Classification Networks Know What They Don't Know?, 2021 (joint energy).
        """
        found: Floats = -np.logaddexp(0.0, FlagsCalibration.from_json(calibration).odds(outputs[HEAD])).sum(axis=1)
        return found

    def kinds(self) -> dict[str, FactKind]:
        found: dict[str, FactKind] = {"count": "count", "p": "unit", "margin": "unit"}
        found |= {f"has.{label}": "bool" for label in self.labels}
        return found | {f"p.{label}": "unit" for label in self.labels}

    def bounds(self) -> Bounds:
        """`count` is the number of the labels that are given."""
        given = tuple(f"has.{label}" for label in self.labels)
        return Bounds({"count": tuple(range(len(self.labels) + 1))}, counted={"count": given})

    def facts(self, answer: Answer) -> dict[str, Any]:
        """count, p, margin, and of each label has.LABEL (whether it is given) and p.LABEL."""
        flags = as_kind(answer, Flags)
        found: dict[str, Any] = {"count": sum(flags.given), "p": flags.p, "margin": flags.margin}
        found |= {f"has.{label}": given for label, given in zip(flags.labels, flags.given, strict=True)}
        return found | {f"p.{label}": p for label, p in zip(flags.labels, flags.probabilities, strict=True)}

    @property
    def scopes(self) -> tuple[str, ...]:
        return (ALL,)

    def scope(self, facts: Mapping[str, Any]) -> str:  # noqa: ARG002 - one limit for all sets
        return ALL

    def outcome(self, facts: Mapping[str, Any]) -> str:
        return self._joined([label for label in self.labels if facts[f"has.{label}"]])

    def unsettled(self, facts: Mapping[str, Any], band: int) -> bool:
        """Whether a label may be given or not, if its probability changes by the band."""
        return margin_within(facts, band)

    def moved(self, one: Answer, other: Answer) -> float:
        """The largest difference of a probability; that of the set counts where the set is the same."""
        if not (isinstance(one, Flags) and isinstance(other, Flags) and one.labels == other.labels):
            return 1.0
        pairs = zip(one.probabilities, other.probabilities, strict=True)
        far = max((abs(a - b) for a, b in pairs), default=0.0)
        return round(max(far, abs(one.p - other.p)) if one.given == other.given else far, 6)

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:
        """The sum of the log-odds of the given labels; of none, minus the largest log-odds of all labels."""
        fitted = FlagsCalibration.from_json(calibration)
        places = np.flatnonzero(as_kind(answer, Flags).given)

        def odds(outputs: Outputs) -> Floats:
            table = fitted.odds(outputs[HEAD])
            result: Floats = table[:, places].sum(axis=1) if len(places) else -table.max(axis=1)
            return result

        return odds

    def part(self, answer: Answer, name: str) -> Answer:
        """The answer as if this label alone were given: its focus is the log-odds of the label."""
        if name not in self._place:
            what = f"evidence is asked for the unknown label `{shown(name, 60)}`"
            raise UsageError(what, fix=nearest_label(name, self.labels))
        return replace(as_kind(answer, Flags), given=tuple(label == name for label in self.labels))

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 3 L + 3), as `set_scores.set_counts` describes."""
        given = np.array([as_kind(answer, Flags).given for answer in answers], dtype=np.float64)
        return set_counts(
            given.reshape(len(golds), len(self.labels)), [self.members(gold) for gold in golds], self._place
        )

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """micro_f1 over all labels, macro_f1 over those that occur and are not small, exact: the share of texts whose
        whole set is right."""
        kept = [place for place, label in enumerate(self.labels) if label not in self.small]
        return set_metrics(sums, len(self.labels), kept)

    def wrong(self, outcome: str, gold: str) -> bool:
        return outcome != gold

    def error_in_words(self) -> Mapping[Literal["en", "zh"], str]:
        return {"en": "a set with a label too many or too few", "zh": "多给或少给了任何一个标签的答案"}

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One: the set."""
        outcome = self.outcome(facts)
        return (Unit(ALL, facts["p"], outcome, self.wrong(outcome, gold)),)

    def figures(self, answers: Sequence[Answer], golds: Sequence[str]) -> tuple[Section, ...]:
        """Each label, its probabilities, labels taken together, and what is missed and given instead."""
        return self._figures(answers, golds, ())

    def fitted_figures(
        self, answers: Sequence[Answer], golds: Sequence[str], calibration: Mapping[str, Any]
    ) -> tuple[Section, ...]:
        """The same, with the threshold of each label."""
        return self._figures(answers, golds, FlagsCalibration.from_json(calibration).threshold)

    def _figures(
        self, answers: Sequence[Answer], golds: Sequence[str], thresholds: Sequence[float]
    ) -> tuple[Section, ...]:
        flags = [as_kind(answer, Flags) for answer in answers]
        return set_figures(self.labels, flags, [self.members(gold) for gold in golds], thresholds)
