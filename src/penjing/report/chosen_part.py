"""The report's part on a choice out of fold: the scores of the candidates, and their differences with bounds."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Rows = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, from_attributes=True)


class PairedDifference(_Part):
    """A difference of two scores on the same rows.

    low, high: the ends of its 95 % interval; lower, upper: its one-sided 95 % bounds.
    """

    value: float
    low: float
    high: float
    lower: float
    upper: float


class ChosenByFolds(_Part):
    """The candidates, each row answered by models that were fitted without it."""

    rows: Rows = Field(description="train and validation rows that were answered")
    units: Rows = Field(description="groups among them (a row without a group is one), which the bounds draw anew")
    folds: Annotated[int, Field(ge=2)]
    metric: str = Field(description="the first metric of the task")
    form: str = Field(description="the form of the encoder that was compared")
    linear_score: float = Field(description="of the plain word model")
    tuned_score: float = Field(description="of the tuned model before it was compressed")
    form_score: float
    tuned: PairedDifference = Field(description="score of the tuned model minus that of the plain word model")
    chosen: PairedDifference = Field(description="score of the form minus that of the plain word model")
