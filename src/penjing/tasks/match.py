"""The task `match`: one label for a pair of texts, such as whether they mean the same.

    p(l | a, b) = softmax(z / T)[l];   the answer is the most probable label, an error another label than the gold

Head: one number a label, trained by cross entropy, over both texts at once: an encoder reads `a`, the separator of its
tokenizer, and `b`. Certified as `classify` is. symmetric: (a, b) and (b, a) are the same case where duplicates are
looked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from penjing.core.options import Options as _Options
from penjing.core.task import About
from penjing.tasks.classify import Classify, ClassifyReader
from penjing.tasks.metrics import Floats


class Options(_Options):
    """The options of `task: {type: match}`."""

    symmetric: bool = Field(True, description="whether the order of the two texts makes no difference")


ABOUT = About(
    name="match",
    gold="the column of the labels of the pairs",
    metric="share of the teacher's accuracy",
    line="{type: match}",
    comment="two texts: do they mean the same",
    facts=("label", "p", "margin"),
    further=("other",),
)


def open_reader(options: Options) -> MatchReader:
    """The reader of labels of pairs."""
    return MatchReader(options.symmetric)


def restore(state: Mapping[str, Any]) -> MatchPairs:
    """The task of an artifact, from its labels in their order."""
    return MatchPairs(tuple(state["labels"]), symmetric=state["symmetric"])


class _TwoTexts:
    """What the reader and the task have in common: the texts of a case."""

    further = ("other",)

    def check_texts(self, texts: Sequence[str]) -> None:
        """Any two texts are a case."""


@dataclass(frozen=True)
class MatchReader(_TwoTexts, ClassifyReader):
    """Reads labels of pairs before the set of labels is known."""

    symmetric: bool = True

    def learn(self, golds: Sequence[str]) -> MatchPairs:
        """The task of the labels, sorted. Raises DataError for fewer than two."""
        return MatchPairs(super().learn(golds).labels, symmetric=self.symmetric)


@dataclass(frozen=True)
class MatchPairs(_TwoTexts, Classify):
    """One of `labels` for two texts."""

    symmetric: bool = True

    name = "match"

    def learn(self, golds: Sequence[str]) -> MatchPairs:
        """The task of the labels, sorted. Raises DataError for fewer than two."""
        return MatchReader(self.symmetric).learn(golds)

    @property
    def state(self) -> dict[str, Any]:
        return {"labels": list(self.labels), "symmetric": self.symmetric}

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """accuracy, then macro_f1 as of `classify`."""
        found = super().metrics(sums)
        return {"accuracy": found["accuracy"], "macro_f1": found["macro_f1"]}
