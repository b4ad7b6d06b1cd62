"""The report's part on what more labelled rows would buy: its typed figures, its sentence, its chart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from collections.abc import Mapping

Share = Annotated[float, Field(ge=0, le=1)]
Rows = Annotated[int, Field(ge=1)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CurvePoint(_Part):
    """The mean score of fits on so many train rows, with the ends of its 95 % interval."""

    rows: Rows
    score: float
    low: float
    high: float


class RowsForecast(_Part):
    """What more train rows would buy, by the plain word model on parts of the train rows, scored on validation rows."""

    metric: str = Field(description="the first metric of the task")
    rows: Rows = Field(description="train rows there are")
    more: Rows = Field(description="so many more, at most as many again")
    gain: Share = Field(description="by how much the score would rise")
    low: Share
    high: Share = Field(description="the ends of its 95 % interval")
    answer: Literal["gain", "flat", "noisy"] = Field(
        description="gain: the figures can be used; flat: more rows would hardly help; noisy: nothing can be said"
    )
    points: tuple[CurvePoint, ...]
    law: tuple[float, float, float] = Field(description="a, b, c of the fitted error c + a n^-b")


def forecast_sentence(found: RowsForecast, phrases: Mapping[str, str], metric: str) -> str:
    """One sentence. phrases: those of the page in its language; metric: the name of the metric there."""
    values = {
        "more": f"{found.more:,}",
        "gain": f"{100 * found.gain:.1f}",
        "low": f"{100 * found.low:.1f}",
        "high": f"{100 * found.high:.1f}",
        "metric": metric,
    }
    return phrases[f"learning_{found.answer}"].format(**values)
