"""How far each piece of an answer is supported by changed texts, in which the piece has moved.

    support(piece) = log(q / (1 - q)),   q: share of all allowed answers that have exactly this piece, at its new place

Without pieces, q is the share of the answer that has none. A piece is lost where the change removes all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from penjing.core.abilities import MarkedTask
from penjing.core.answers import Answer
from penjing.core.errors import UsageError
from penjing.core.task import Item, Outputs, Task, TextPiece

Floats = npt.NDArray[np.float64]
Erased = Sequence[tuple[int, int]]
# `stop` is asked after each group of variants with about this many characters in total.
GROUP_CHARACTERS = 2000


class PieceScorer(Protocol):
    """The part of a session that is used here."""

    @property
    def task(self) -> Task: ...

    @property
    def calibration(self) -> Mapping[str, Any]: ...

    def outputs(self, masked: Sequence[str]) -> Outputs: ...

    def items(self, masked: Sequence[str]) -> list[Item]: ...


def marked(task: Task) -> MarkedTask:
    """The task as one whose answers are pieces. Raises UsageError for another one."""
    if not isinstance(task, MarkedTask):
        raise UsageError(f"no evidence is known for answers of the task `{task.name}`", fix="leave the evidence out")
    return task


def erase(text: str, spans: Erased, gap: str) -> str:
    """The text with `gap` for each span; spans do not overlap."""
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + gap + text[end:]
    return text


def moved(piece: TextPiece, spans: Erased, gap: int) -> TextPiece | None:
    """Where a piece is once `gap` characters stand for each span; None if nothing of it is left."""
    start, end, label = piece
    left = end - start - sum(max(0, min(end, last) - max(start, first)) for first, last in spans)
    if left <= 0:
        return None
    return _place(start, spans, gap, begins=True), _place(end, spans, gap, begins=False), label


def _place(place: int, spans: Erased, gap: int, *, begins: bool) -> int:
    """Where a piece begins, or ends, in the changed text; an edge that is removed goes to what is left of the piece."""
    shift = 0
    for first, last in sorted(spans):
        if last <= place if begins else last < place:
            shift += gap - (last - first)
        elif begins and first <= place:
            return first + shift + gap
        elif not begins and first < place:
            return first + shift
    return place + shift


class PieceSupport:
    """The support of each piece of one answer in variants of its text."""

    def __init__(self, session: PieceScorer, text: str, gap: str, stop: Callable[[], str] | None = None) -> None:
        """stop: called between small groups of variants; the first reason that it returns (not "") ends the work."""
        self._session, self._task, self._stop = session, marked(session.task), stop
        self._text, self._gap = text, gap
        outputs, items = session.outputs([text]), session.items([text])
        self.answer: Answer = session.task.decode(outputs, session.calibration, items)[0]
        self.pieces: list[TextPiece] = self._task.pieces(session.task.outcome(session.task.facts(self.answer)))
        self.whole: Floats = self._task.support(outputs, items, [self.pieces], session.calibration)[0]

    def of(self, erased: Sequence[Erased]) -> tuple[Floats, str]:
        """((m, pieces) support where each of the first m variants lacks its spans, the reason to stop there).

        NaN for a piece that is lost; without pieces one column, for the answer that has none.
        """
        size = max(1, GROUP_CHARACTERS // max(1, len(self._text))) if self._stop else max(1, len(erased))
        parts: list[Floats] = [np.zeros((0, len(self.whole)))]
        for start in range(0, len(erased), size):
            if start and self._stop is not None and (cut := self._stop()):
                return np.concatenate(parts), cut
            parts.append(self._score(erased[start : start + size]))
        return np.concatenate(parts), ""

    def _score(self, erased: Sequence[Erased]) -> Floats:
        texts = [erase(self._text, spans, self._gap) for spans in erased]
        pieces = [[moved(one, spans, len(self._gap)) for one in self.pieces] for spans in erased]
        outputs, items = self._session.outputs(texts), self._session.items(texts)
        return self._task.support(outputs, items, pieces, self._session.calibration)
