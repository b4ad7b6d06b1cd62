"""The words of a text that a prediction depends on: two-stage occlusion, clauses first, then words of the top clauses.

    weight(span) = focus(text) - focus(text without the span)

The focus is a number that the task computes for an answer (`Task.focus`). For a label it is the log-odds of its
calibrated probability.

Source: Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, 2014 (occlusion); Li, Monroe and
Jurafsky, Understanding Neural Networks through Representation Erasure, 2016 (for words). At most 16 texts are scored:
the text and its variants without a clause in one pass, then variants without a word in a second. A long text is cut
into larger pieces, so its evidence is coarser. The evidence shows what changed this model's answer, not what is true.
It misses words that have an effect only together. If each clause is enough by itself, no single one is missed; then
every clause is scored alone, against an empty text. If the work was stopped early, `cut` gives the reason: the weights
are correct, and weaker spans may be missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Literal, Protocol, cast

import numpy as np
import numpy.typing as npt

from penjing.core.abilities import MarkedTask
from penjing.core.answers import Answer, Choice, answer_to_json
from penjing.core.errors import UsageError
from penjing.core.pair import split_pair
from penjing.core.task import Item, JointTask, Outputs, PartedTask, Task
from penjing.explain.pieces import GROUP_CHARACTERS, PieceScorer, PieceSupport
from penjing.runtime.session import Session
from penjing.text.words import HAN, word_spans

Floats = npt.NDArray[np.float64]
SpanKind = Literal["clause", "word", "alone"]
MOST_VARIANTS, MOST_CLAUSES, TOP_CLAUSES = 16, 6, 2
# The replacement for a removed span. A space, nothing, an ellipsis and the model's mask token chose equally good words.
# Words of two clauses were better than those of one (comprehensiveness 0.25 against 0.16).
GAP = " "
# A point or colon ends a clause only before white space: not in `3.5`, `10:30` or an address.
_BREAK = re.compile(r"[，。！？；：、…,!?;\n]+|[.:](?=\s|$)|——")
# A clause with more words is split at a word boundary, several times if necessary.
_LONGEST = 16
_MOST_JOINED = 128
# Of a piece of an answer, the strongest spans are given.
MOST_OF_PIECE = 5


class Scorer(Protocol):
    """The part of a session that is used here."""

    @property
    def task(self) -> Task: ...

    @property
    def calibration(self) -> Mapping[str, Any]: ...

    def outputs(self, masked: Sequence[str]) -> Outputs: ...


@dataclass(frozen=True)
class EvidenceSpan:
    """A span of the masked text, [start, end) in characters.

    weight: the decrease of the focus without it; of kind `alone` its increase by this clause alone, from no text.
    """

    start: int
    end: int
    text: str
    weight: float
    kind: SpanKind


@dataclass(frozen=True)
class PieceSpan(EvidenceSpan):
    """A span that one piece of an answer rests on: `piece` is its position, from 0, among those of the answer.

    weight: the decrease of the log-odds of this piece (`explain/pieces.py`). Without pieces, `piece` is 0 and stands
    for the answer that there is none.
    """

    piece: int


@dataclass(frozen=True)
class Evidence:
    """Spans that support an answer, strongest first; spans that speak against it are omitted.

    cut: the reason why spans may be missing, or "" if all variants were scored. about: the label or the task that was
    asked for, or "".
    """

    answer: Answer
    spans: tuple[EvidenceSpan, ...]
    cut: str = ""
    about: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values: label and p of a Choice, else `answer`; spans (start, end, text, weight, kind).

        `cut` and `about` are included only if they are not empty.
        """
        shown: dict[str, Any] = {"answer": answer_to_json(self.answer)}
        if isinstance(self.answer, Choice):
            shown = dict(zip(("label", "p"), self.answer.top(), strict=True))
        shown["spans"] = [asdict(span) for span in self.spans]
        return shown | {name: said for name, said in (("cut", self.cut), ("about", self.about)) if said}


def of_whole_texts(task: Task) -> bool:
    """Whether some answer of a task is about whole texts, so that one focus explains it."""
    return any(head.kind == "pooled" for head in task.heads.values())


def explains(task: Task) -> bool:
    """Whether the answers of a task have evidence: those about whole texts, and marked pieces of a text."""
    return of_whole_texts(task) or isinstance(task, MarkedTask)


def explain(
    session: Scorer,
    masked_text: str,
    answer: Answer | None = None,
    stop: Callable[[], str] | None = None,
    about: str = "",
) -> Evidence:
    """The evidence of a masked text for an answer (None: the model's own). Offsets are in the masked text.

    stop: called between small groups of variants; the first reason that it returns (not "") ends the work and is
    stored in `cut`. about: a label of a set, or one of several tasks, that the evidence is about. The pieces of an
    answer that has some are explained each by itself (`PieceSpan`); `answer` is not used then. Raises UsageError for an
    answer or a part that the task does not know, and for a task without evidence.
    """
    if not explains(session.task):
        raise UsageError(
            f"the task `{session.task.name}` answers with pieces of the text: they are its evidence",
            fix="leave the evidence out",
        )
    if about and not isinstance(session.task, PartedTask):
        what = f"the answers of the task `{session.task.name}` have no parts to ask for"
        raise UsageError(what, fix="ask for evidence of the whole answer")
    if isinstance(session, Session):
        # All variants must be answered by the cascade stage that answers this text.
        session = session.answering(masked_text)
    if not of_whole_texts(session.task):
        return _explain_pieces(cast(PieceScorer, session), masked_text, stop)
    clauses = split_clauses(masked_text)
    stage = clauses if len(clauses) > 1 else []
    focus = _Focus(session, answer, stop, about)
    values, cut = focus.of([masked_text, *(without(masked_text, span) for span in stage)])
    whole, falls = values[0], values[0] - values[1:]
    stage = stage[: len(falls)]
    found = _weigh(masked_text, stage, falls, "clause")
    # Of a pair no clause alone is compared with anything.
    if stage and not cut and not (falls > 0).any() and split_pair(masked_text) is None:
        values, cut = focus.of([GAP, *(masked_text[start:end] for start, end in stage)])
        found = _weigh(masked_text, stage[: len(values) - 1], values[1:] - values[0], "alone")
    top = [stage[i] for i in np.argsort(-falls, kind="stable")[:TOP_CLAUSES] if falls[i] > 0] if stage else clauses
    # A clause of one word has been scored already.
    words = [word for word in _words_of(masked_text, top, MOST_VARIANTS - 1 - len(stage)) if word not in stage]
    cut = cut or (stop() if stop is not None and words else "")
    if words and not cut:
        values, cut = focus.of([without(masked_text, span) for span in words])
        found += _weigh(masked_text, words[: len(values)], whole - values, "word")
    spans = sorted((span for span in found if span.weight > 0), key=lambda one: (-one.weight, one.start, one.end))
    return Evidence(focus.answer, tuple(spans), cut, about)


def _explain_pieces(session: PieceScorer, text: str, stop: Callable[[], str] | None) -> Evidence:
    """As `explain`, with the weights of each piece of the answer: one pass over the variants serves them all."""
    support = PieceSupport(session, text, GAP, stop)
    clauses = split_clauses(text)
    stage = clauses if len(clauses) > 1 else []
    values, cut = support.of([[span] for span in stage])
    falls = support.whole - values
    stage = stage[: len(falls)]
    found = _weigh_pieces(text, stage, falls, "clause")
    # A clause that holds a piece has the words nearest to it.
    rank = np.lexsort((-np.nansum(falls, axis=1), -np.isnan(falls).sum(axis=1)))
    top = [stage[i] for i in rank[:TOP_CLAUSES]] if stage else clauses
    words = [word for word in _words_of(text, top, MOST_VARIANTS - 1 - len(stage)) if word not in stage]
    cut = cut or (stop() if stop is not None and words else "")
    if words and not cut:
        values, cut = support.of([[span] for span in words])
        found += _weigh_pieces(text, words[: len(values)], support.whole - values, "word")
    strongest = sorted((span for span in found if span.weight > 0), key=lambda one: (-one.weight, one.start, one.end))
    kept = [
        one
        for i, one in enumerate(strongest)
        if sum(other.piece == one.piece for other in strongest[:i]) < MOST_OF_PIECE
    ]
    return Evidence(support.answer, tuple(kept), cut)


def _weigh_pieces(text: str, spans: Sequence[tuple[int, int]], falls: Floats, kind: SpanKind) -> list[PieceSpan]:
    """A span for each piece that is still there without it."""
    return [
        PieceSpan(start, end, text[start:end], round(float(weight), 4), kind, piece)
        for (start, end), row in zip(spans, falls, strict=True)
        for piece, weight in enumerate(row)
        if not np.isnan(weight)
    ]


class _Focus:
    """The focus of each text, for the answer to the first text."""

    def __init__(self, session: Scorer, answer: Answer | None, stop: Callable[[], str] | None, about: str) -> None:
        self._session, self._asked, self._stop, self._about = session, answer, stop, about
        self._of: Callable[[Outputs], Floats] | None = None

    def of(self, texts: Sequence[str]) -> tuple[Floats, str]:
        """(focus of the first n texts, the reason to stop there); at least the first text is scored."""
        if self._stop is None:
            return self._score(texts), ""
        size = max(1, GROUP_CHARACTERS // max(1, len(texts[0])))
        parts: list[Floats] = []
        for start in range(0, len(texts), size):
            if start and (cut := self._stop()):
                return np.concatenate(parts), cut
            parts.append(self._score(texts[start : start + size]))
        return np.concatenate(parts), ""

    def _score(self, texts: Sequence[str]) -> Floats:
        outputs, task, calibration = self._session.outputs(texts), self._session.task, self._session.calibration
        if self._of is None:
            first = {name: found[:1] for name, found in outputs.items()}
            own = task.decode(first, calibration, self._items(texts[:1]))[0]
            if self._about and isinstance(task, PartedTask):
                own, self._asked = task.part(self._asked or own, self._about), None
            if isinstance(task, JointTask):
                own, self._asked = task.explained(self._asked or own), None
            self._of = task.focus(self._asked or own, calibration)
            self.answer = _narrowed(self._asked, own)
        return self._of(outputs)

    def _items(self, texts: Sequence[str]) -> Sequence[Item]:
        """What answers about pieces of a text need, of several tasks in one."""
        session = self._session
        return session.items(texts) if isinstance(session, Session) else ()


def _narrowed(asked: Answer | None, own: Answer) -> Answer:
    """The answer that is explained; a requested label comes with the probability that the model gives it."""
    if not (isinstance(asked, Choice) and isinstance(own, Choice)):
        return asked or own
    label = asked.top()[0]
    return Choice((label,), (own.probabilities[own.labels.index(label)],))


def split_clauses(text: str, most: int = MOST_CLAUSES) -> list[tuple[int, int]]:
    """(start, end) of at most `most` clauses, split at punctuation, long ones cut; together they cover all words.

    None is in both texts of a pair.
    """
    if (pair := split_pair(text)) is not None:
        second = len(pair[0]) + 1
        later = split_clauses(pair[1], most - most // 2)
        return [*split_clauses(pair[0], most // 2), *((second + start, second + end) for start, end in later)]
    words = word_spans(text, HAN.search(text) is not None)
    clauses: list[list[tuple[int, int]]] = []
    last = None
    for word in words:
        if last is None or _BREAK.search(text, last, word[0] + 1) or len(clauses[-1]) >= _LONGEST:
            clauses.append([])
        clauses[-1].append(word)
        last = word[1]
    return join_shortest([(clause[0][0], clause[-1][1]) for clause in clauses], most)


def split_words(text: str, clause: tuple[int, int], most: int) -> list[tuple[int, int]]:
    """(start, end) of the words in a clause; if there are more than `most`, the shortest neighbours are joined."""
    start, end = clause
    piece = text[start:end]
    words = word_spans(piece, HAN.search(piece) is not None)
    return join_shortest([(start + first, start + last) for first, last in words], most)


def _words_of(text: str, clauses: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """Words of one or two clauses, at most `most` in total; places that the shorter clause does not use go to the
    other."""
    parts = [split_words(text, clause, most) for clause in clauses]
    if len(parts) == 2:
        parts[1] = join_shortest(parts[1], max(most - len(parts[0]), most // 2))
        parts[0] = join_shortest(parts[0], most - len(parts[1]))
    return [word for part in parts for word in part]


def join_shortest(spans: Sequence[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """At most `most` spans: repeatedly, the two neighbours with the smallest joint length are joined."""
    joined = list(spans)
    if len(joined) > _MOST_JOINED:
        # Very many spans are first joined in equal groups, because joining one by one takes quadratic time.
        ends = np.linspace(0, len(joined), _MOST_JOINED + 1).astype(int).tolist()
        joined = [(joined[i][0], joined[j - 1][1]) for i, j in pairwise(ends)]
    while len(joined) > max(most, 1):
        lengths = [after[1] - before[0] for before, after in pairwise(joined)]
        place = lengths.index(min(lengths))
        joined[place : place + 2] = [(joined[place][0], joined[place + 1][1])]
    return joined


def without(text: str, span: tuple[int, int], gap: str = GAP) -> str:
    """The text with a span replaced by `gap`."""
    return text[: span[0]] + gap + text[span[1] :]


def _weigh(
    text: str, spans: Sequence[tuple[int, int]], weights: npt.NDArray[np.float64], kind: SpanKind
) -> list[EvidenceSpan]:
    return [
        EvidenceSpan(start, end, text[start:end], round(float(weight), 4), kind)
        for (start, end), weight in zip(spans, weights, strict=True)
    ]
