"""Requests to an engine and their results: a prediction, or a decision with its record and its evidence."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penjing.cases.rule_reasons import policy_parts
from penjing.core.errors import RequestError, UsageError
from penjing.core.nouns import Scalar
from penjing.data.masked import Masked
from penjing.data.own_places import own_places
from penjing.decide.decider import Decided, Decider, Request, place
from penjing.explain.budget import EvidenceBudget, explain_within
from penjing.explain.counterfactual import MOST_TEXTS, Counterfactual, counterfactual
from penjing.explain.evidence import MOST_VARIANTS, explain
from penjing.store.records import PreparedRecord, make_record, prepare_record
from penjing.store.waiting import WaitingText


@dataclass(frozen=True)
class Ask:
    """A text for an engine; `decide`: whether the policy decides too.

    index: the text's place in its request, from 0, of `count`; budget: the bound on the evidence of that request.
    """

    text: str
    fields: dict[str, Any]
    evidence: bool
    decide: bool = True
    index: int = 0
    count: int = 1
    budget: EvidenceBudget | None = None
    counterfactual: bool = False
    about: str = ""

    def cost(self) -> float:
        """The estimated cost: characters times the work for each."""
        more = (MOST_VARIANTS if self.evidence else 0) + (MOST_TEXTS if self.counterfactual else 0)
        return max(1, len(self.text)) * (1 + more)


@dataclass(frozen=True)
class Answer:
    """The answer as JSON values; for a decision also its record, ready to be written, and what decided it."""

    shown: dict[str, Any]
    record: PreparedRecord | None = None
    decided_by: str = ""


def work(decider: Decider, asks: Sequence[Ask]) -> list[Answer]:
    """Decide and predict in one pass of the engine. Raises RequestError if a text or a field is refused."""
    requests = [Request(ask.text, ask.fields, where=place(ask.index, ask.count)) for ask in asks if ask.decide]
    decided = iter(decider.decide(requests))
    bare = [_read(decider, ask) for ask in asks if not ask.decide]
    predicted = decider.session.predict([masked.text for masked, _ in bare], [fields for _, fields in bare])
    shown = (one.to_json() | own_places(one.answer, masked) for one, (masked, _) in zip(predicted, bare, strict=True))
    return [_decision(decider, next(decided), ask) if ask.decide else Answer(next(shown)) for ask in asks]


def without_draw(decision: Mapping[str, Any]) -> dict[str, Any]:
    """A decision as a caller may see it: without the number that the case drew and its probability (`facts.audit`).

    The same case draws the same number again, so who sees it knows which cases no person will look at. The record keeps
    it for replays.
    """
    facts = {name: value for name, value in decision["facts"].items() if name != "audit"}
    return {**decision, "facts": facts}


def _read(decider: Decider, ask: Ask) -> tuple[Masked, dict[str, Scalar]]:
    """The masked text and the typed fields of a text that is predicted alone."""
    _, masked, fields = decider.read(Request(ask.text, ask.fields), place(ask.index, ask.count))
    return masked, fields


def _decision(decider: Decider, decided: Decided, ask: Ask) -> Answer:
    """The answer for a decision, with its p, and the reason of the rule that fired where it has one.

    With evidence and the masked text if evidence was asked for.
    """
    evidence = _evidence(decider, decided, ask) if ask.evidence else None
    shown = without_draw(decided.decision.to_json())
    shown |= policy_parts(decider.policy, shown) | own_places(decided.prediction.answer, decided.masked)
    if evidence is not None:  # the offsets of evidence are in the masked text
        shown |= {"text": decided.masked.text, "evidence": evidence}
    if ask.counterfactual:
        shown["counterfactual"] = _counterfactual(decider, decided, ask)
    kept = decider.release.info.texts == "masked"
    record = make_record(
        decided.decision,
        decided.prediction,
        decided.masked.text if kept else None,
        decider.session.fingerprint(),
        evidence if kept else None,
    )
    held = None if kept else WaitingText(decided.masked.text, evidence)
    return Answer(shown, prepare_record(record, held), decided.decision.decided_by)


def _counterfactual(decider: Decider, decided: Decided, ask: Ask) -> dict[str, Any]:
    """The smallest change that changes the decision; within what is left of the budget of the request."""
    decision, text = decided.decision.to_json(), decided.masked.text
    if ask.budget is None:
        return counterfactual(decider, decision, text).to_json()
    if reason := ask.budget.refuses(decider.session, text, ask.index):
        return Counterfactual(none=reason).to_json()
    began = time.monotonic()
    try:
        return counterfactual(decider, decision, text, seconds=ask.budget.seconds - ask.budget.spent).to_json()
    finally:
        ask.budget.spent += time.monotonic() - began


def _evidence(decider: Decider, decided: Decided, ask: Ask) -> dict[str, Any]:
    text, session = decided.masked.text, decider.session.given(decided.decision.facts["fields"])
    if ask.budget is None:
        return explain(session, text, about=ask.about).to_json()
    try:
        return explain_within(session, text, decided.prediction, ask.budget, ask.index, ask.about).to_json()
    except UsageError as error:  # the part that the evidence should be about
        raise RequestError(error.what, where=place(ask.index, ask.count), fix=error.fix) from None
