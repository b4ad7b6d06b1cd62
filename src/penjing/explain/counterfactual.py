"""The smallest change of a text, found by deleting words and clauses, that changes its decision: outcome or route.

Single clauses and words are deleted first. If none changes the decision, the words that lower the score most are
deleted together, as few of them as change the decision; then each is put back that is not needed. Every
change is decided by the release itself, with the fields and the clock of the case, so what is shown is true of this
release. More than half of the words are never deleted: what is left says nothing about the text. It need not be the
smallest of all, which only trying all subsets would find. Where an answer is pieces of the text, it changes if a piece
elsewhere does (`same_answer.py`). A case that was drawn for an audit is compared with its
decision before the draw, and `note` says so: no deletion changes the draw.

Source: Wachter, Mittelstadt and Russell, Counterfactual Explanations without Opening the Black Box, 2018; for texts by
deletion: Li, Monroe and Jurafsky, Understanding Neural Networks through Representation Erasure, 2016.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from penjing.core.answers import Answer
from penjing.core.chinese import chinese
from penjing.core.errors import RequestError
from penjing.core.nouns import Decision
from penjing.core.pair import split_texts
from penjing.core.task import PairReader
from penjing.data.masked import Masked, counted
from penjing.data.pair_text import mask_parts
from penjing.decide.decider import Decider
from penjing.decide.schema import FieldValues
from penjing.explain.evidence import join_shortest, split_clauses
from penjing.explain.same_answer import LeftText, Piece, Said, left_of, same_answer
from penjing.text.words import HAN, word_spans

MOST_TEXTS, MOST_WORDS = 96, 40
SECONDS = 5.0
_GROUP = 16
# So many words may always be deleted; of a longer text at most half, for what is left is another text.
_FEW = 3


@dataclass(frozen=True)
class Counterfactual:
    """What was deleted, in the order of the text, and the decision without it; none: why no change was found.

    text: the masked text that is left; texts: how many changed texts were decided; note: which decision it is compared
    with, where that is not the recorded one.
    """

    removed: tuple[str, ...] = ()
    text: str = ""
    outcome: str = ""
    route: str = ""
    reason: str = ""
    texts: int = 0
    none: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain values: `removed`, `text`, `outcome`, `route` and `reason`, or `none`; `note` if any; and `texts`."""
        shown: dict[str, Any] = {"none": self.none}
        if not self.none:
            shown = {"removed": list(self.removed), "text": self.text, "outcome": self.outcome}
            shown |= {"route": self.route, "reason": self.reason}
        return shown | ({"note": self.note} if self.note else {}) | {"texts": self.texts}


def in_chinese(shown: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values of a counterfactual, its sentences in Chinese."""
    return {name: chinese(value) if name in ("none", "note") else value for name, value in shown.items()}


def counterfactual(
    decider: Decider, decided: Mapping[str, Any], text: str, most: int = MOST_TEXTS, seconds: float = SECONDS
) -> Counterfactual:
    """The smallest change that was found within `most` texts and `seconds`.

    decided: as `Decision.to_json` gives it, by the release of `decider`; text: its masked text.
    """
    search = _DeletionSearch(decider, decided, text, most, time.monotonic() + seconds)
    found = search.one() or search.several()
    if found is None:
        none = search.cut or "deleting words and clauses does not change the decision"
        return Counterfactual(none=none, note=search.note, texts=search.spent)
    spans, decision = found
    return Counterfactual(
        removed=tuple(text[start:end] for start, end in sorted(spans)),
        text=left_of(text, spans).text,
        outcome=decision.outcome,
        route=decision.route,
        reason=decision.reason,
        note=search.note,
        texts=search.spent,
    )


@dataclass(frozen=True)
class _Made:
    """The decision on a changed text, and whether it is another one."""

    decision: Decision
    changes: bool


class _DeletionSearch:
    """Decides changed texts, and counts them."""

    def __init__(self, decider: Decider, decided: Mapping[str, Any], text: str, most: int, until: float) -> None:
        spec = decider.policy.spec.model_copy(update={"audit": 0.0})
        self._policy, self._session = replace(decider.policy, spec=spec), decider.session
        facts = decided["facts"]
        self._facts, self._id, self._text = facts, str(decided["id"]), text
        recorded = FieldValues(facts["fields"] or {}, facts.get("unknown") or ())
        self._fields = self._policy.schema.recorded(recorded)
        silent = self._policy.decide(self._id, facts)
        self._silent = silent
        self.note = ""
        if decided["reason"] == "audit":
            self.note = f"compared with the decision before the draw for audit: `{silent.outcome}`, automatic"
        self._most, self._until = most, until
        self.spent, self.cut = 0, ""
        self._falls: dict[Piece, float] = {}

    def one(self) -> tuple[list[Piece], Decision] | None:
        """The shortest single word or clause whose deletion changes the decision."""
        words = word_spans(self._text, HAN.search(self._text) is not None)
        self._words = join_shortest(words, MOST_WORDS)
        tried = [[span] for span in dict.fromkeys([*self._words, *split_clauses(self._text)])]
        decisions = self._decide(tried)
        changed = [
            (spans, made.decision)
            for spans, made in zip(tried, decisions, strict=False)
            if made is not None and made.changes
        ]
        for (span,), made in zip(tried, decisions, strict=False):
            self._falls[span] = -self._score(made)
        return min(changed, key=lambda each: (each[0][0][1] - each[0][0][0], each[0][0]), default=None)

    def several(self) -> tuple[list[Piece], Decision] | None:
        """Few words whose deletion together changes the decision."""
        order = sorted((word for word in self._words if word in self._falls), key=lambda word: -self._falls[word])
        count, found = 2, None
        while found is None and count < 2 * len(order) and not self.cut:
            found = self._first_change([order[:count]])
            count *= 2
        if found is None:
            return None
        found = self._shorter(order, found)
        if len(found[0]) > max(_FEW, len(self._words) // 2):
            self.cut = "only deleting more than half of the words changes the decision"
            return None
        return found

    def _shorter(self, order: list[Piece], found: tuple[list[Piece], Decision]) -> tuple[list[Piece], Decision]:
        """As few as possible of the first words: half the span each time, then without each that is not needed."""
        most = len(found[0])
        least = most // 2
        while most - least > 1 and not self.cut:
            middle = (least + most) // 2
            fewer = self._first_change([order[:middle]])
            found, least, most = (found, middle, most) if fewer is None else (fewer, least, middle)
        for word in reversed(found[0]):  # the weakest first
            rest = [each for each in found[0] if each != word]
            found = (self._first_change([rest]) if rest else None) or found
        return found

    def _first_change(self, tried: Sequence[list[Piece]]) -> tuple[list[Piece], Decision] | None:
        made = zip(tried, self._decide(tried), strict=False)
        return next(((spans, one.decision) for spans, one in made if one is not None and one.changes), None)

    def _changes(self, decision: Decision, answer: Answer, masked: Masked, left: LeftText) -> bool:
        before = self._silent
        if decision.route != before.route or decision.outcome == before.outcome:
            return decision.route != before.route
        if decision.forced or before.forced:
            return True
        return not same_answer(self._whole, Said(decision.outcome, answer, masked), left)

    @cached_property
    def _whole(self) -> Said:
        """What is said of the whole text."""
        masked = counted(self._text)
        (prediction,) = self._session.predict([masked.text], [self._fields])
        return Said(self._silent.outcome, prediction.answer, masked)

    def _score(self, made: _Made | None) -> float:
        """The probability of the answer before; of other tasks the p of their answer."""
        if made is None:
            return 1.0
        label, facts = self._facts.get("label"), made.decision.facts
        return float(facts.get("probabilities", {}).get(label, facts["p"]))

    def _decide(self, tried: Sequence[list[Piece]]) -> list[_Made | None]:
        """The decision without each of these; None where nothing is left. It ends where the bounds are reached."""
        made: list[_Made | None] = []
        for start in range(0, len(tried), _GROUP):
            group = tried[start : start + min(_GROUP, self._most - self.spent)]
            if not group or time.monotonic() > self._until:
                self.cut = "no change was found within the bounds of the search"
                break
            self.spent += len(group)
            made += self._decisions([left_of(self._text, spans) for spans in group])
        return made

    def _decisions(self, texts: Sequence[LeftText]) -> list[_Made | None]:
        cases = [left if self._is_case(left.text) else None for left in texts]
        masked = [mask_parts(self._session.masking, left.text) for left in cases if left is not None]
        predicted = self._session.predict([each.text for each in masked], [self._fields] * len(masked))
        answered, clock = iter(zip(predicted, masked, strict=True)), str(self._facts["clock"])
        made: list[_Made | None] = []
        for left in cases:
            if left is None:
                made.append(None)
                continue
            prediction, text = next(answered)
            decision = self._policy.decide(self._id, self._policy.facts(prediction, text, self._fields, clock))
            made.append(_Made(decision, self._changes(decision, prediction.answer, text, left)))
        return made

    def _is_case(self, text: str) -> bool:
        """Whether something is left of each text, and they are still a case: a head is in its sentence."""
        texts = split_texts(text)
        if not all(part.strip() for part in texts):
            return False
        if isinstance(self._session.task, PairReader):
            try:
                self._session.task.check_texts(texts)
            except RequestError:
                return False
        return True
