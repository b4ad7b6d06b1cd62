"""The task `answer`: the piece of a text that answers a question about it, or that none does.

    the answer is the piece, or "no answer", of the largest score (`tasks/answer_decode.py`);
    p of a piece: a logistic regression (`tasks/confidence.py`) on the log-odds of its share of all pieces and of no
    answer, on how far the best piece elsewhere and the best one with other edges are, and on the log of its length
    p of no answer: its share, calibrated by Platt scaling

Head: two numbers a token, for the beginning and the end, trained by cross entropy over the tokens of a window, where
the first token stands for no answer. An error is an answer with other words than any right one, or an answer where
there is none. Certified by p. What gold is, and which places have the same words: `tasks/answer_gold.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from penjing.core.abilities import Bounds
from penjing.core.answers import Answer, Span, Spans, as_kind
from penjing.core.errors import DataError
from penjing.core.options import Options as _Options
from penjing.core.task import ALL, About, FactKind, Head, Item, MaskedText, Outputs, Section, TextPiece, Unit
from penjing.tasks.answer_decode import BestPiece, best_of, fit_bias, located, log_odds, scores_of
from penjing.tasks.answer_figures import answer_figures, overlap
from penjing.tasks.answer_gold import ANSWER, read_answers, trimmed, write_answers
from penjing.tasks.band import half_within
from penjing.tasks.confidence import confidence, fit_confidence
from penjing.tasks.platt import fit_platt, platt
from penjing.tasks.tag_decode import units_of

Floats = npt.NDArray[np.float64]
HEAD = "passage"
ANSWERED, NONE = "answered", "none"
_DIGITS = 6
_LEAST = 1e-9


class Options(_Options):
    """The options of `task: {type: answer}`: none."""


ABOUT = About(
    name="answer",
    gold="the column of the answers: their words, or their places as JSON",
    metric="share of the teacher's exact matches",
    line="{type: answer}",
    comment="the piece of the text that answers a question",
    facts=("answered", "p"),
    further=("question",),
    max_tokens=256,
)


def open_reader(options: Options) -> AnswerReader:  # noqa: ARG001 - there is nothing to choose
    """The reader of answers."""
    return AnswerReader()


def restore(state: Mapping[str, Any]) -> AnswerPassages:
    """The task of an artifact: whether questions without an answer are known."""
    return AnswerPassages(none=state["none"])


@dataclass(frozen=True)
class AnswerReader:
    """Reads answers before it is known whether some questions have none."""

    golds_are_names = False
    golds_are_lists = True
    symmetric = False
    further = ("question",)

    def check_texts(self, texts: Sequence[str]) -> None:
        """Any text and question are a case."""

    def read(self, cell: str, masked: MaskedText | None = None) -> str:
        """The places of a cell in canonical form, "" for an empty cell. Raises DataError."""
        return write_answers(read_answers(cell, masked)) if cell.strip() else ""

    def strata(self, golds: Sequence[str]) -> list[str]:
        """Whether each question has an answer."""
        return [(NONE if gold == "[]" else ANSWERED) if gold else "" for gold in golds]

    def learn(self, golds: Sequence[str]) -> AnswerPassages:
        """The task: whether there are questions without an answer. Raises DataError where none has one."""
        strata = set(self.strata(golds))
        if ANSWERED not in strata:
            raise DataError("no question of the train rows has an answer", fix="give rows of questions that have one")
        return AnswerPassages(none=NONE in strata)


@dataclass(frozen=True)
class AnswerPassages(AnswerReader):
    """Pieces of passages; none: whether "no answer" can be the answer."""

    none: bool

    name = "answer"
    errors = ()

    @property
    def state(self) -> dict[str, Any]:
        return {"none": self.none}

    @property
    def heads(self) -> Mapping[str, Head]:
        return {HEAD: Head("span", 2, "cross_entropy")}

    def with_rows(self, rows: Mapping[str, int]) -> AnswerPassages:  # noqa: ARG002 - every question counts alike
        return self

    def encode(self, golds: Sequence[str], items: Sequence[Item]) -> dict[str, Any]:
        """{"passage": first and last token of the answer, (n, 2) int64}; (0, 0) where the item does not hold it."""
        pairs = np.zeros((len(golds), 2), dtype=np.int64)
        for row, (gold, item) in enumerate(zip(golds, items, strict=True)):
            units = units_of(item)
            for start, end, _ in read_answers(self.read(gold))[:1]:
                if (found := located(start, end, units)) is not None:
                    pairs[row] = units.tokens[found[0]], units.tokens[found[1]]
        return {HEAD: pairs}

    def fit(self, outputs: Outputs, golds: Sequence[str], items: Sequence[Item] = ()) -> dict[str, Any]:
        """The bias of no answer, then how the probabilities of answers and of no answer follow from their numbers."""
        places = [[(start, end) for start, end, _ in read_answers(gold)] for gold in golds]
        bias = 0.0
        if self.none:
            scored = (scores_of(table, item, 0.0) for table, item in zip(outputs[HEAD], items, strict=True))
            bias = fit_bias(list(scored), places)
        found = [self._found(table, item, bias) for table, item in zip(outputs[HEAD], items, strict=True)]
        said = [(_about(one), one.place in own) for one, own in zip(found, places, strict=True) if one.place]
        none = [(one.share, not own) for one, own in zip(found, places, strict=True) if one.place is None]
        about, right = [one for one, _ in said], [one for _, one in said]
        return {
            "bias": bias,
            ANSWERED: fit_confidence(about, right) if said else self.plain()[ANSWERED],
            NONE: list(fit_platt([one for one, _ in none], [one for _, one in none])),
        }

    def plain(self) -> dict[str, Any]:
        return {"bias": 0.0, ANSWERED: [1.0, 0.0], NONE: [1.0, 0.0]}

    def decode(self, outputs: Outputs, calibration: Mapping[str, Any], items: Sequence[Item]) -> list[Answer]:
        """Spans an item: the answer with its place in the masked text, or no span."""
        answers: list[Answer] = []
        for table, item in zip(outputs[HEAD], items, strict=True):
            found = self._found(table, item, calibration["bias"])
            p = round(_probability(found, calibration), _DIGITS)
            answers.append(Spans(() if found.place is None else (Span(*found.place, ANSWER, p),), p))
        return answers

    def _found(self, table: Any, item: Item, bias: float) -> BestPiece:
        found = best_of(scores_of(table, item, bias), none=self.none)
        return found if found.place is None else replace(found, place=trimmed(item.text, *found.place))

    def kinds(self) -> dict[str, FactKind]:
        return {"answered": "bool", "answer.length": "count", "answer.p": "unit", "p": "unit"}

    def bounds(self) -> Bounds:
        """The probability of the answer is that of what is said, or 0."""
        return Bounds(ordered=("answer.p", "p"))

    def facts(self, answer: Answer) -> dict[str, Any]:
        """Whether there is an answer, its characters, its probability (0 for none); p of what is said; its place."""
        one = as_kind(answer, Spans)
        span = one.spans[0] if one.spans else None
        return {
            "answered": span is not None,
            "answer.length": 0 if span is None else span.end - span.start,
            "answer.p": 0.0 if span is None else span.p,
            "p": one.p,
            "spans": [[each.start, each.end, each.label] for each in one.spans],
        }

    @property
    def scopes(self) -> tuple[str, ...]:
        return (ALL,)

    def scope(self, facts: Mapping[str, Any]) -> str:  # noqa: ARG002 - one limit for all questions
        return ALL

    def outcome(self, facts: Mapping[str, Any]) -> str:
        return write_answers([(start, end, label) for start, end, label in facts["spans"]])

    def pieces(self, outcome: str) -> list[TextPiece]:
        """The answer of an outcome, or the one that was given as gold, as the report marks it."""
        return read_answers(outcome)[:1]

    def support(
        self,
        outputs: Outputs,
        items: Sequence[Item],
        pieces: Sequence[Sequence[TextPiece | None]],
        calibration: Mapping[str, Any],
    ) -> Floats:
        """The log-odds of each piece at its place in its item, (n, k), before Platt scaling; NaN for None."""
        rows = []
        for table, item, own in zip(outputs[HEAD], items, pieces, strict=True):
            scores = scores_of(table, item, calibration["bias"])
            each = [None if one is None else scores.at(one[0], one[1]) for one in own] or [scores.none]
            total = scores.total(none=self.none or not own)
            rows.append([log_odds(one, total) for one in each])
        return np.array(rows, dtype=np.float64)

    def unsettled(self, facts: Mapping[str, Any], band: int) -> bool:
        """An answer that is more probable than all others together, by more than the band, stays the answer."""
        return half_within(facts, band)

    def moved(self, one: Answer, other: Answer) -> float:
        """The difference of p; 1 for another answer."""
        if not (isinstance(one, Spans) and isinstance(other, Spans)) or _place(one) != _place(other):
            return 1.0
        return round(abs(one.p - other.p), _DIGITS)

    def focus(self, answer: Answer, calibration: Mapping[str, Any]) -> Callable[[Outputs], Floats]:
        """The best beginning and end of any piece against no answer; turned round where the answer is none."""
        sign = 1.0 if as_kind(answer, Spans).spans else -1.0

        def support(table: Any) -> float:
            values = np.asarray(table, dtype=np.float64)
            return float(sign * (values[1:].max(axis=0).sum() - values[0].sum() - calibration["bias"]))

        return lambda outputs: np.array([support(table) for table in outputs[HEAD]])

    def counts(self, answers: Sequence[Answer], golds: Sequence[str]) -> Floats:
        """(n, 3): rows, exact matches, and the best F1 of characters with a right answer."""
        rows = []
        for answer, gold in zip(answers, golds, strict=True):
            said, right = _place(as_kind(answer, Spans)), [(start, end) for start, end, _ in read_answers(gold)]
            rows.append((1.0, said in right if said else not right, overlap(said, right)))
        return np.array(rows, dtype=np.float64).reshape(len(rows), 3)

    def metrics(self, sums: Floats) -> dict[str, Floats]:
        """exact_match: the words of a right answer, or none where there is none; f1: the mean overlap in characters."""
        rows, exact, f1 = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
        return {"exact_match": exact / np.maximum(rows, 1.0), "f1": f1 / np.maximum(rows, 1.0)}

    def wrong(self, outcome: str, gold: str) -> bool:
        said, right = read_answers(outcome), read_answers(gold)
        return said[0] not in right if said else bool(right)

    def error_in_words(self) -> Mapping[Literal["en", "zh"], str]:
        return {
            "en": "an answer with other words than a right one, or one where there is none",
            "zh": "与正确答案用词不同的答案，或本无答案却给出的答案",
        }

    def units(self, facts: Mapping[str, Any], gold: str) -> tuple[Unit, ...]:
        """One: the answer of a question."""
        outcome = self.outcome(facts)
        return (Unit(ALL, facts["p"], outcome, self.wrong(outcome, gold)),)

    def figures(self, answers: Sequence[Answer], golds: Sequence[str]) -> tuple[Section, ...]:
        """What the answers are, and how often they are right by their probability."""
        said = [as_kind(answer, Spans) for answer in answers]
        return answer_figures(said, [[(start, end) for start, end, _ in read_answers(gold)] for gold in golds])


def _about(found: BestPiece) -> tuple[float, float, float, float]:
    """The numbers by which it is judged how probable a piece is to be right."""
    assert found.place is not None
    share = min(max(found.share, _LEAST), 1 - _LEAST)
    return math.log(share / (1 - share)), found.apart, found.beside, math.log(found.place[1] - found.place[0])


def _probability(found: BestPiece, calibration: Mapping[str, Any]) -> float:
    """The calibrated p. Two numbers are those of Platt scaling, as in releases of earlier versions for pieces too."""
    scale = calibration[NONE if found.place is None else ANSWERED]
    if isinstance(scale, Mapping):
        return float(confidence([_about(found)], scale)[0])
    return float(platt([found.share], tuple(scale))[0])


def _place(answer: Spans) -> tuple[int, int] | None:
    return (answer.spans[0].start, answer.spans[0].end) if answer.spans else None
