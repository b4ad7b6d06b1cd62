"""Sentences and table rows about promises: what is proven by true label, what more rows give, the ways out."""

from __future__ import annotations

from collections.abc import Iterator

from penjing.report.contract import PageLanguage, Report
from penjing.report.item_part import item_lines
from penjing.report.label_part import label_lines
from penjing.report.marked import mistake_lines
from penjing.report.period_part import when
from penjing.report.phrases import as_written, percent, words
from penjing.report.promised import HarmRow, Menu, OfferRow

# A share of automated cases from which on a looser limit is worth a word.
_WORTH = 0.05
LABELS_SHOWN, ERRORS_SHOWN = 12, 3


def need_sentences(report: Report, language: PageLanguage) -> list[str]:
    """What more rows would do for what is not proven, by the limit that needs the fewest."""
    phrases, decisions = words(language), report.decisions
    needs = decisions.needs.values()
    enough = [need.rows for need in needs if need.answer == "enough" and need.rows]
    if not enough:
        hopeless = bool(needs) and all(need.answer == "no_help" for need in needs)
        return [phrases["says_no_help" if hopeless else "says_unknown"]]
    rows = min(enough)
    total = report.data.labelled_rows(rows, "calibration")
    said = [phrases["says_enough" if total > rows else "says_enough_own"].format(rows=f"{rows:,}", all=f"{total:,}")]
    if report.sealed and total > rows + decisions.rows:
        # All rows that `amend` is given certify, but none that was used before.
        said.append(phrases["says_amend"].format(rows=f"{rows + decisions.rows:,}"))
    return said


def way_out_sentences(report: Report, language: PageLanguage) -> list[str]:
    """What a user can do where nothing is automated: rows, labels that have too few of them, a looser limit."""
    phrases = words(language)
    said = need_sentences(report, language)
    for row in report.harm:
        if row.limit is not None and row.proof_best is not None and row.proof_best > row.limit:
            said.append(
                phrases["says_best_miss"].format(
                    label=row.label,
                    rows=f"{row.proof_rows or 0:,}",
                    best=percent(row.proof_best, language),
                    limit=as_written(row.limit, language),
                )
            )
    if (offer := _looser(report)) is not None:
        said.append(
            phrases["says_looser" if report.decisions.items is None else "says_looser_items"].format(
                limit=as_written(offer.max_error, language), share=percent(offer.now, language, 0)
            )
        )
    return said


def _looser(report: Report) -> OfferRow | None:
    """The smallest limit above that of the recipe under which a part of the cases would be decided.

    None where misses are limited too: the menu is about errors alone.
    """
    if report.decisions.max_miss:
        return None
    limit = report.decisions.max_error
    most = limit if isinstance(limit, float) else max(limit.values())
    offers = report.menu.offers if report.menu else ()
    return next((each for each in offers if each.max_error > most and each.now >= _WORTH), None)


def miss_sentences(report: Report, language: PageLanguage) -> list[str]:
    """The limits by true label that the certificate proves."""
    limits = report.decisions.max_miss
    if not limits or not report.decisions.certified or report.decisions.by_label:
        return []
    listed = words(language)["and"].join(f"{name} {as_written(limit, language)}" for name, limit in limits.items())
    return [words(language)["says_misses"].format(limits=listed)]


def harm_cells(row: HarmRow, language: PageLanguage) -> dict[str, str]:
    """The cells of one row of the harm table."""
    phrases = words(language)
    state = ""
    if row.limit is not None:
        state = phrases["miss_proven" if row.proven else "miss_not_proven"]
    return {
        "label": row.label,
        "rows": f"{row.rows:,}",
        "wrong": f"{row.wrong:,}",
        "forced": f"{row.forced:,}" if row.forced else "",
        "share": percent(row.wrong / row.rows, language, trim=False) if row.rows else "–",
        "high": percent(row.high, language, trim=False),
        "best": percent(row.best, language, trim=False),
        "limit": "" if row.limit is None else as_written(row.limit, language),
        "state": state,
    }


def offer_cells(offer: OfferRow, language: PageLanguage) -> dict[str, str]:
    """The cells of one row of the menu."""
    shares = {name: percent(getattr(offer, name), language, 0) for name in ("now", "more", "most")}
    return {"limit": as_written(offer.max_error, language), **shares}


def menu_period(menu: Menu | None, language: PageLanguage) -> str:
    """Which period the menu is about, and at which confidence; "" where rules have no dates."""
    if menu is None or menu.period is None:
        return ""
    confidence = "–" if menu.confidence is None else as_written(menu.confidence, language)
    return words(language)["menu_periods"].format(when=when(menu.period, language), confidence=confidence)


def terminal_lines(report: Report, language: PageLanguage) -> Iterator[str]:
    """The harm table, errors about pieces of the text, and the menu as lines for a terminal."""
    phrases = words(language)
    if report.harm:
        phrase = phrases.get(f"harm_line_{report.test.metric}", phrases["harm_line"])
        yield phrase.format(rows=f"{report.test.rows:,}")
        for row in report.harm[:LABELS_SHOWN]:
            cells = harm_cells(row, language)
            more = "" if row.limit is None else phrases["harm_limit_line"].format(**cells)
            yield "  " + phrases["harm_row_line"].format(**cells) + more
        if len(report.harm) > LABELS_SHOWN:
            yield "  " + phrases["others"].format(count=len(report.harm) - LABELS_SHOWN)
    yield from mistake_lines([(one.p, one.text, one.marks) for one in report.errors[:ERRORS_SHOWN]], phrases)
    yield from label_lines(report, language)
    yield from item_lines(report, language)
    if report.menu is not None:
        certify = "label" if report.decisions.by_label else "item" if report.decisions.items else "case"
        yield from menu_lines(report.menu, language, certify)


def menu_lines(menu: Menu, language: PageLanguage, certify: str = "case") -> Iterator[str]:
    """The menu as lines for a terminal. certify: as in a recipe; the shares are those of what the limits are about."""
    phrases = words(language)
    row = {"label": "menu_settled_line", "item": "menu_items_line"}.get(certify, "menu_row_line")
    yield phrases["menu_line"].format(rows=f"{menu.rows:,}")
    if about := menu_period(menu, language):
        yield "  " + about
    for offer in menu.offers:
        yield "  " + phrases[row].format(**offer_cells(offer, language))
    for label, offers in list(menu.by_label.items())[:LABELS_SHOWN]:
        given = [offer_cells(offer, language) for offer in offers if offer.now > 0]
        listed = phrases["and"].join(phrases["menu_label_part"].format(**each) for each in given)
        yield "  " + phrases["menu_label_line"].format(label=label, offers=listed or phrases["menu_nothing"])
