"""Limits on the evidence of one request: number of texts, tokens of a text, and seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass

from penjing.core.nouns import Prediction
from penjing.explain.evidence import Evidence, explain
from penjing.runtime.session import Session


@dataclass
class EvidenceBudget:
    """Limits on the evidence of one request, and the seconds used so far.

    texts: number of texts that are explained, counted from the first. tokens: length of the longest text that is
    explained, in tokens of its model (in characters for a model without tokens). seconds: time for all texts
    together, including the time spent in a queue.
    """

    texts: int
    tokens: int
    seconds: float
    spent: float = 0.0

    def out_of_time(self, more: float = 0.0) -> str:
        """The reason to stop if `spent` plus `more` reaches the limit in seconds, else ""."""
        if self.spent + more < self.seconds:
            return ""
        return f"the time limit of {self.seconds:g} s for the evidence of a request was reached"

    def refuses(self, session: Session, masked_text: str, place: int) -> str:
        """Why the text at position `place` (from 0) of a request is not explained at all, else ""."""
        if place >= self.texts:
            return f"evidence is given for the first {self.texts:,} texts of a request"
        if (length := _length(session, masked_text, self.tokens)) > self.tokens:
            unit = "tokens" if session.answering(masked_text).tokens else "characters"
            return f"the text has {length:,} {unit}; evidence is given for texts of at most {self.tokens:,}"
        return self.out_of_time()


def explain_within(
    session: Session, masked_text: str, prediction: Prediction, budget: EvidenceBudget, place: int = 0, about: str = ""
) -> Evidence:
    """The evidence of the text at position `place` (from 0) of a request, within the budget. about: as of `explain`.

    If no evidence is computed, it has no spans, the prediction's answer, and the reason in `cut`.
    """
    if reason := budget.refuses(session, masked_text, place):
        return Evidence(prediction.answer, (), reason)
    began = time.monotonic()
    try:
        return explain(session, masked_text, stop=lambda: budget.out_of_time(time.monotonic() - began), about=about)
    finally:
        budget.spent += time.monotonic() - began


def _length(session: Session, text: str, enough: int) -> int:
    """Length of a text in tokens of the model that answers it; in characters if those are certainly few enough."""
    # A token has at least one character, and only a few special tokens are added to a text.
    if len(text) + 8 <= enough:
        return len(text)
    tokens = session.answering(text).tokens
    return len(text) if tokens is None else len(tokens.encode([text])[0])
