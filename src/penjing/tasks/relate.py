"""The task `relate`: how two entities of a sentence are related, or that they are not.

    p(r | s, h, t) = softmax(z / T)[r];   the answer is the most probable relation, an error another than the gold

Head: one number a relation, trained by cross entropy, over the sentence with its head and its tail marked
(`text/entity_marks.py`). The order of the two counts: (h, t) and (t, h) are two cases. "No relation" is an answer like
the others, but the first metric does not count it:

    micro-F1 = 2 hits / (given + true), each over all relations but "no relation"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from penjing.core.errors import DataError, RequestError
from penjing.core.options import Options as _Options
from penjing.core.task import About
from penjing.data.fold import fold
from penjing.tasks.classify import Classify, ClassifyReader
from penjing.tasks.metrics import Floats

FURTHER = ("head", "tail")
# How data names "no relation", of which `none: auto` takes the one that is there.
NONE_NAMES = (
    "no_relation", "no relation", "none", "na", "unknown", "other", "无", "无关系", "没有关系", "未知", "其他",
)  # fmt: skip


class Options(_Options):
    """The options of `task: {type: relate}`."""

    none: str = Field(
        "auto",
        description="the label that means no relation; auto: none, no_relation, unknown … where there is one",
    )


ABOUT = About(
    name="relate",
    gold="the column of the relations",
    metric="share of the teacher's micro-F1",
    line="{type: relate}",
    comment="how two entities of a sentence are related",
    facts=("label", "p", "margin"),
    further=FURTHER,
)


def open_reader(options: Options) -> RelateReader:
    """The reader of relations."""
    return RelateReader(options.none)


def restore(state: Mapping[str, Any]) -> Relate:
    """The task of an artifact, from its labels in their order and the one that means no relation."""
    return Relate(tuple(state["labels"]), none=state["none"])


class _Entities:
    """What the reader and the task have in common: the texts of a case."""

    symmetric = False
    further = FURTHER
    # The task that keeps several relations of one head and tail.
    several_in = "triples"

    def check_texts(self, texts: Sequence[str]) -> None:
        """Raise RequestError if the head or the tail is not in the sentence. texts: sentence, head, tail."""
        sentence, head, tail = texts
        what = f"the head `{head[:40]}` is not in the text" if head not in sentence else ""
        what = what or (f"the tail `{tail[:40]}` is not in the text" if tail not in sentence else "")
        if what:
            raise RequestError(what, fix="write it as the text does, letter by letter")


@dataclass(frozen=True)
class RelateReader(_Entities, ClassifyReader):
    """Reads relations before their set is known. none: the label that means no relation, or `auto`."""

    none: str = "auto"

    def learn(self, golds: Sequence[str]) -> Relate:
        """The task of the relations, sorted. Raises DataError for fewer than two, and if `none` is no label."""
        labels = super().learn(golds).labels
        if self.none == "auto":
            known = {fold(name) for name in NONE_NAMES}
            return Relate(labels, none=next((label for label in labels if fold(label) in known), ""))
        if self.none not in labels:
            listed = ", ".join(f"`{label}`" for label in labels[:12])
            raise DataError(f"no train row has the label `{self.none}`, which `none` names", fix=f"known are: {listed}")
        return Relate(labels, none=self.none)


@dataclass(frozen=True)
class Relate(_Entities, Classify):
    """One of `labels` for a sentence with its head and tail; `none` is the one that means no relation, or ""."""

    none: str = ""

    name = "relate"

    def learn(self, golds: Sequence[str]) -> Relate:
        """The task of the relations, sorted. Raises DataError for fewer than two."""
        return RelateReader(self.none or "auto").learn(golds)

    @property
    def state(self) -> dict[str, Any]:
        return {"labels": list(self.labels), "none": self.none}

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """micro_f1 without "no relation", then macro_f1 and accuracy as of `classify`, from sums (..., 3 L)."""
        parts = np.asarray(sums, dtype=np.float64).reshape(*np.shape(sums)[:-1], 3, len(self.labels))
        kept = [place for place, label in enumerate(self.labels) if label != self.none]
        truths, guesses, hits = (parts[..., part, :][..., kept].sum(axis=-1) for part in range(3))
        return {"micro_f1": 2 * hits / np.maximum(truths + guesses, 1), **super().metrics(sums)}
