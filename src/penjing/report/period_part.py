"""What is certified in each period between the dates of rules: sentences, and rows of a table."""

from __future__ import annotations

from datetime import datetime

from penjing.core.certificate import CertifiedPeriod
from penjing.core.periods import dates, in_order, standing
from penjing.report.contract import PageLanguage, Report
from penjing.report.phrases import as_written, percent, words


def standing_in(report: Report) -> list[CertifiedPeriod]:
    """The period of the run, and those to come; none where the dates of rules cut time into no periods."""
    return standing(report.decisions.periods, _second(report))


def _second(report: Report) -> int:
    return int(datetime.fromisoformat(report.made).timestamp()) if report.made else 0


def when(days: tuple[str | None, str | None], language: PageLanguage, *, now: bool = False) -> str:
    """The first and the last day of a period as the beginning of a sentence. now: it is the period of the run."""
    first, last = days
    key = ("always" if last is None else "until") if first is None else "from" if last is None else "between"
    said = words(language)[f"when_{key}"].format(first=first, last=last)
    return words(language)["when_now"].format(when=said) if now else said


def period_sentences(report: Report, limit: str, language: PageLanguage) -> list[str]:
    """What is certified in the period of the run, in those to come, in those past. limit: on errors, as written."""
    phrases, decisions = words(language), report.decisions
    key = "says_periods_by_label" if isinstance(decisions.max_error, dict) else "says_periods"
    key = "says_periods_labels" if decisions.by_label else "says_periods_items" if decisions.items else key
    if not any(each.certified for each in decisions.periods):
        key = "says_periods_none"
    said = [phrases[key].format(confidence=as_written(decisions.confidence, language), max=limit)]
    for cells in period_rows(report, language):
        said.append(phrases[cells["key"]].format(**cells))
    return said


def period_rows(report: Report, language: PageLanguage) -> list[dict[str, str]]:
    """The rows of the table of periods: that of the run, those to come, those past."""
    ordered = in_order(report.decisions.periods, _second(report))
    return [_cells(each, language, now=place == 0) for place, each in enumerate(ordered)]


def period_heading(report: Report, language: PageLanguage) -> str:
    """The heading of the column of periods, with the zone by whose clock their days are."""
    zone = next((each.time_zone for each in report.decisions.periods if each.time_zone), "UTC")
    return words(language)["col_period"].format(zone=zone)


def _cells(period: CertifiedPeriod, language: PageLanguage, *, now: bool) -> dict[str, str]:
    certified = period.certified
    about = "" if period.counted == "cases" else f"_{period.counted}"
    return {
        "key": f"period_certified{about}" if certified else "period_none",
        "when": when(dates(period), language, now=now),
        "rows": f"{period.rows:,}",
        "rate": percent(period.automation, language) if certified else words(language)["none_certified"],
        "value": percent(period.error or 0.0, language, 2) if certified else "",
    }
