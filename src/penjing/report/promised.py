"""The typed parts of a report about what is promised by true label, what could be promised, and what more rows give."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from penjing.core.certificate import Certificate, CertifiedPeriod
from penjing.core.periods import dates
from penjing.prove.forecast import Forecast
from penjing.prove.harm import Harm, best_bound

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, from_attributes=True)


class NeedPart(_Part):
    """What more rows would do for a limit that is not proven (core/certificate.py, `Need`)."""

    answer: Literal["enough", "unknown", "no_help"]
    rows: Count | None = Field(None, description="calibration rows that would be enough, beyond those there are")


class HarmRow(_Part):
    """One true label on the test rows: cases decided wrongly without a person, as a share of all its cases."""

    label: str
    rows: Count
    wrong: Count = Field(description="decided wrongly without a person, by the model or by a rule")
    forced: Count = Field(0, description="those of them whose outcome a rule forced")
    high: Share = Field(description="one-sided upper bound of the share; it holds for each label by itself")
    best: Share = Field(description="the bound that as many rows would have without one such case")
    limit: float | None = Field(None, description="its `max_miss`")
    proven: bool | None = Field(None, description="whether the certificate proves that limit")
    proof_rows: Count | None = Field(None, description="calibration rows of this label, on which the proof is based")
    proof_best: Share | None = Field(None, description="the smallest limit that so many rows can prove")


class OfferRow(_Part):
    """One limit on errors, and the share of cases that would be decided without a person under it."""

    max_error: float
    now: Share = Field(description="with the calibration rows there are")
    more: Share = Field(description="with four times as many")
    most: Share = Field(description="with any number of rows")


class ItemsPart(_Part):
    """Lists of items that are certified item by item, on the test rows."""

    most: Count = Field(description="of a text at most so many items are decided without a person")
    told: Count = Field(description="items of all answers")
    settled: Count = Field(description="those of them that are decided without a person")
    wrong: Count = Field(description="those of the settled items that are wrong")
    high: Share | None = Field(None, description="one-sided upper bound of their share; None without any")
    meant: Count = Field(0, description="true items of the texts that are decided whole")
    missed: Count = Field(0, description="those of them that are missing; no limit is about them")


class Menu(_Part):
    """What could be promised, as validation rows suggest: for all cases, and for those with each answer."""

    rows: Count = Field(description="calibration rows")
    period: tuple[str | None, str | None] | None = Field(None, description="first and last day, where rules have dates")
    confidence: Share | None = Field(None, description="that of one period: the level is shared by all that have rows")
    offers: tuple[OfferRow, ...]
    by_label: dict[str, tuple[OfferRow, ...]] = {}


def harm_rows(
    harm: tuple[Harm, ...], certificate: Certificate, period: CertifiedPeriod | None = None
) -> tuple[HarmRow, ...]:
    """The harm table with the promises of the certificate. period: the one that holds, of several."""
    # The steps are those of one period, which may be another one.
    tests = certificate.path_steps[0].tests if certificate.path_steps and period is None else ()
    certified = certificate.certified if period is None else period.certified
    proof = {test.of: test.cases for test in tests if test.kind == "miss"}
    level = 1 - certificate.confidence
    return tuple(
        HarmRow(
            label=each.label,
            rows=each.rows,
            wrong=each.wrong,
            forced=each.forced,
            high=round(each.high, 6),
            best=round(each.best, 6),
            limit=certificate.max_miss.get(each.label),
            proven=certified if each.label in certificate.max_miss else None,
            proof_rows=proof.get(each.label),
            proof_best=round(best_bound(proof[each.label], level), 6) if each.label in proof else None,
        )
        for each in harm
    )


def menu_of(forecast: Forecast, rows: int, period: CertifiedPeriod | None = None) -> Menu | None:
    """The menu of a forecast; None where there is none. period: the one that it is about, of several."""
    if not forecast.menu:
        return None
    by_label = {name: tuple(map(OfferRow.model_validate, offers)) for name, offers in forecast.by_label.items()}
    offers = tuple(map(OfferRow.model_validate, forecast.menu))
    if period is None:
        return Menu(rows=rows, offers=offers, by_label=by_label)
    return Menu(rows=rows, period=dates(period), confidence=period.confidence, offers=offers, by_label=by_label)
