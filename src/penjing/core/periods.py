"""The periods of a certificate at a time: the one that holds, those to come, those that are past; and their dates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from penjing.core.certificate import CertifiedPeriod

_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def holds(period: CertifiedPeriod, second: int) -> bool:
    """Whether a second since 1970 lies in a period."""
    first, last = utc_bounds(period)
    return (first is None or first <= second) and (last is None or second <= last)


def utc_bounds(period: CertifiedPeriod) -> tuple[int | None, int | None]:
    """The first and the last second of a period, since 1970 in UTC."""
    first, last = period.first, period.last
    return None if first is None else first - period.ahead[0], None if last is None else last - period.ahead[1]


def present(periods: Sequence[CertifiedPeriod], second: int) -> CertifiedPeriod | None:
    """The period that holds at a second since 1970; None where there are no periods."""
    return next((each for each in periods if holds(each, second)), None)


def standing(periods: Sequence[CertifiedPeriod], second: int) -> list[CertifiedPeriod]:
    """The period that holds at a second since 1970, then those to come."""
    return [each for each in periods if not _is_past(each, second)]


def in_order(periods: Sequence[CertifiedPeriod], second: int) -> list[CertifiedPeriod]:
    """The period that holds at a second since 1970, then those to come, then those that are past."""
    return [*standing(periods, second), *(each for each in periods if _is_past(each, second))]


def _is_past(period: CertifiedPeriod, second: int) -> bool:
    _, last = utc_bounds(period)
    return last is not None and last < second


def periods_in(certificate: Mapping[str, Any]) -> list[CertifiedPeriod]:
    """The periods of a certificate as it is in its file."""
    return [CertifiedPeriod.model_validate(each) for each in certificate.get("periods", ())]


def certified_at(certificate: Mapping[str, Any], second: int) -> dict[str, Any]:
    """Whether a certificate, as it is in its file, lets the model decide at a second since 1970; and its periods."""
    periods = periods_in(certificate)
    if (now := present(periods, second)) is None:
        return {"certified": certificate.get("certified")}
    listed = []
    for each in in_order(periods, second):
        first, last = dates(each)
        proven = each.model_dump(include={"certified", "rows", "automation", "error", "counted"})
        listed.append({"from": first, "to": last, "now": each == now, **proven})
    return {"certified": now.certified, "periods": listed}


def dates(period: CertifiedPeriod) -> tuple[str | None, str | None]:
    """The first and the last day of a period on its clock, with the time where it is no whole day; None: no bound."""
    return _begin(period.first, period.time_zone), _end(period.last, period.time_zone)


def between(first: int | None, last: int | None, time_zone: str = "") -> str:
    """The first and the last second of a period as dates without words: `2026-06-01 – …`."""
    return f"{_begin(first, time_zone) or '…'} – {_end(last, time_zone) or '…'}"


def in_words(period: CertifiedPeriod, *, now: bool = False, weighted: bool = False) -> str:
    """One period and what is proven in it, for a person. now: it holds; weighted: as of the certificate."""
    first, last = dates(period)
    proven = _proven_in_words(period, weighted)
    if first is None and last is None:
        return f"at any time: {proven}"
    if first is None:
        return f"now until {last}: {proven}" if now else f"until {last}: {proven}"
    if last is None:
        return f"now from {first} on: {proven}" if now else f"from {first} on: {proven}"
    return f"now from {first} to {last}: {proven}" if now else f"from {first} to {last}: {proven}"


def _proven_in_words(period: CertifiedPeriod, weighted: bool) -> str:
    if not period.certified:
        return f"nothing is certified on {period.rows:,} calibration rows, cases without a rule go to review"
    share, wrong = f"{period.automation:.1%}", f"{period.error or 0:.2%}"
    if period.counted == "items":
        return (
            f"on {share} of {period.rows:,} calibration rows every item is decided; of all items decided {wrong} are "
            "wrong"
        )
    if period.counted == "labels":
        return (
            f"on {share} of {period.rows:,} calibration rows every label is settled; of these rows {wrong} have a "
            "label wrong or missing"
        )
    if weighted:
        return (
            f"about {share} of all cases are decided by the model, about {wrong} of them wrong, by {period.rows:,} "
            "drawn rows"
        )
    return f"{share} of {period.rows:,} calibration rows are decided by the model, {wrong} of them wrong"


def _begin(second: int | None, time_zone: str) -> str | None:
    return None if second is None else _written(second, second % _DAY == 0, time_zone)


def _end(second: int | None, time_zone: str) -> str | None:
    return None if second is None else _written(second, (second + 1) % _DAY == 0, time_zone)


def _written(second: int, whole: bool, time_zone: str) -> str:
    moment = _EPOCH + timedelta(seconds=second)
    if whole:
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%dT%H:%M:%S}" + (f" ({time_zone})" if time_zone else "Z")
