"""What the evidence of one request may take: so many texts, tokens of a text, and seconds; beyond it, it says so."""

from __future__ import annotations

import time
from dataclasses import dataclass

from penjing.core.nouns import Prediction
from penjing.explain.evidence import Evidence, explain
from penjing.runtime.session import Session


@dataclass
class EvidenceBudget:
    """Bounds of the evidence of one request, and what it has taken so far.

    texts: texts that are explained, the first ones; tokens: longest text that is explained, in tokens of its model
    (in characters for a model that reads none); seconds: time for all texts together, waiting for turns included.
    """

    texts: int
    tokens: int
    seconds: float
    spent: float = 0.0

    def out_of_time(self, more: float = 0.0) -> str:
        """Why evidence ends here once the seconds are over; "" before."""
        if self.spent + more < self.seconds:
            return ""
        return f"the time for the evidence of a request, {self.seconds:g} s, was over"


def explain_within(
    session: Session, masked_text: str, prediction: Prediction, budget: EvidenceBudget, place: int = 0
) -> Evidence:
    """The evidence of the text at `place` (from 0) of a request, as far as the budget allows.

    Evidence that is left out has no spans, the prediction's answer, and the reason in `cut`.
    """
    said = ""
    if place >= budget.texts:
        said = f"evidence is given for the first {budget.texts:,} texts of a request"
    elif (length := _length(session, masked_text, budget.tokens)) > budget.tokens:
        unit = "tokens" if session.answering(masked_text).tokens else "characters"
        said = f"the text has {length:,} {unit}; evidence is given for texts of at most {budget.tokens:,}"
    said = said or budget.out_of_time()
    if said:
        return Evidence(prediction.answer, (), said)
    began = time.monotonic()
    try:
        return explain(session, masked_text, stop=lambda: budget.out_of_time(time.monotonic() - began))
    finally:
        budget.spent += time.monotonic() - began


def _length(session: Session, text: str, enough: int) -> int:
    """Tokens of a text for the model that answers it; its characters where that is certainly enough to know."""
    # A token has at least one character, and the special tokens around a text are few.
    if len(text) + 8 <= enough:
        return len(text)
    tokens = session.answering(text).tokens
    return len(text) if tokens is None else len(tokens.encode([text])[0])
