"""The typed part of a report about noise: what each kind does to score, automation and errors on test rows."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Ranged(_Part):
    """A value with the two ends of its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


class NoiseRow(_Part):
    """One kind of noise, on the test rows that it altered.

    score_before, score_after: the task's first metric on the same rows without and with noise. automated_before,
    automated_after: cases that the model decides without a person. Of the first, `other_outcome` are decided otherwise
    with noise, and `reviewed` go to a person. errors: among the cases that are automated with noise; error_high: the
    one-sided 95 % upper bound of their share.
    """

    kind: str
    strength: Share
    rows: Count
    score_before: Ranged
    score_after: Ranged
    difference: Ranged = Field(description="with noise minus without, paired")
    automated_before: Count
    automated_after: Count
    other_outcome: Count
    reviewed: Count
    errors: Count
    errors_before: Count
    error_high: Share


class RobustPart(_Part):
    """Noise on test rows. rows: how many rows got each kind; unaltered: kinds that none of them has anything for."""

    rows: Count
    kinds: tuple[NoiseRow, ...]
    unaltered: tuple[str, ...] = ()
    skipped: dict[str, str] = Field({}, description="kinds that were not possible, with the reason in English")
