"""What is asked of an engine and what comes of it: a prediction, a decision with its record, and its evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from penjing.core.nouns import Prediction, Release
from penjing.decide.decider import Decided, Decider, Request, place
from penjing.explain.budget import EvidenceBudget, explain_within
from penjing.explain.evidence import MOST_VARIANTS, explain
from penjing.store.records import Record, make_record

# The decision itself, and the texts that evidence scores at most.
EVIDENCE_COST = 1 + MOST_VARIANTS


@dataclass(frozen=True)
class Ask:
    """A text for an engine; `decide` is whether the policy speaks too.

    index: the text's place in its request, from 0, of `count`; budget: the bound on the evidence of that request.
    """

    text: str
    fields: dict[str, Any]
    evidence: bool
    decide: bool = True
    index: int = 0
    count: int = 1
    budget: EvidenceBudget | None = None

    def cost(self) -> float:
        """The estimated cost: characters times what is asked of each."""
        return max(1, len(self.text)) * (EVIDENCE_COST if self.evidence else 1)


@dataclass(frozen=True)
class Answer:
    """What came of it: a decision with its masked text, or a prediction alone."""

    prediction: Prediction
    decided: Decided | None = None
    evidence: dict[str, Any] | None = None


def work(decider: Decider, asks: Sequence[Ask]) -> list[Answer]:
    """Decide and predict in one pass of the engine. Raises RequestError for a text or a field that is refused."""
    requests = [Request(ask.text, ask.fields, where=place(ask.index, ask.count)) for ask in asks if ask.decide]
    decided = iter(decider.decide(requests))
    bare = [decider.masked(ask.text, place(ask.index, ask.count)).text for ask in asks if not ask.decide]
    predicted = iter(decider.session.predict(bare) if bare else [])
    answers = []
    for ask in asks:
        if not ask.decide:
            answers.append(Answer(next(predicted)))
            continue
        one = next(decided)
        answers.append(Answer(one.prediction, one, _evidence(decider, one, ask) if ask.evidence else None))
    return answers


def _evidence(decider: Decider, decided: Decided, ask: Ask) -> dict[str, Any]:
    text = decided.masked.text
    if ask.budget is None:
        return explain(decider.session, text).to_json()
    return explain_within(decider.session, text, decided.prediction, ask.budget, ask.index).to_json()


def record_of(release: Release, decider: Decider, answer: Answer) -> Record:
    """The record of a decided answer; the masked text goes in only where the release keeps texts."""
    assert answer.decided is not None
    text = answer.decided.masked.text if release.info.texts == "masked" else None
    evidence = answer.evidence if text is not None else None
    return make_record(answer.decided.decision, answer.prediction, text, decider.session.fingerprint(), evidence)


def decision_json(answer: Answer) -> dict[str, Any]:
    """The decision as it is answered: with its p; where evidence was asked for, with it and the masked text."""
    assert answer.decided is not None
    shown = answer.decided.decision.to_json()
    shown["p"] = answer.decided.decision.facts["p"]
    if answer.evidence is not None:  # its offsets count in the masked text
        shown |= {"text": answer.decided.masked.text, "evidence": answer.evidence}
    return shown
