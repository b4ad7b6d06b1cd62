"""The typed part of a report about evidence: whether the words that are shown explain the answers of the model."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Faithful(_Part):
    """Decrease of the probability of the answer by replacement, for three rankings of the words."""

    evidence: float
    random: float
    tfidf: float | None = None
    nearest: float | None = None


class Faithfulness(_Part):
    """Whether the shown evidence explains the model's answer.

    Sufficiency: decrease if only the evidence is kept (lower is better). Comprehensiveness: decrease if the evidence
    is removed (higher is better). Random: words of equal length. TF-IDF: words with the largest TF-IDF weights; for
    pieces of a text there is `nearest`: the words next to the piece.
    """

    rows: Annotated[int, Field(ge=0)]
    sufficiency: Faithful
    comprehensiveness: Faithful
