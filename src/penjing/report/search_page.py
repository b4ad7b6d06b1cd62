"""What the page says of a search over options: a sentence for the notes, and the rows of its table."""

from __future__ import annotations

from typing import Any

from penjing.core.chinese import chinese
from penjing.report.contract import Note, PageLanguage
from penjing.report.phrases import words
from penjing.report.search_part import SearchPart, TrialRow, values_in_words
from penjing.report.verdict import metric_name, metric_value, note_of

ROWS = 20  # trials that the table shows, the best first


def search_note(part: SearchPart) -> Note:
    """What a search found, that its score is optimistic, and the step to copy."""
    return note_of(
        "searched" if part.best > 1 else "searched_in_vain",
        metric=part.metric,
        trials=f"{len(part.trials):,}",
        step=part.step,
        number=f"{part.best}",
        score=f"{part.best_score:.4f}",
        yaml=part.yaml,
    )


def search_context(part: SearchPart | None, language: PageLanguage) -> dict[str, Any] | None:
    """The template's values for the section; None without a search."""
    if part is None:
        return None
    phrases, first = words(language), part.trials[0]
    lead = phrases["search_lead"].format(
        trials=f"{len(part.trials):,}",
        step=part.step,
        ended=part.count("ended"),
        failed=part.count("failed"),
        best=part.best,
        metric=metric_name(part.metric, language),
        score=metric_value(part.metric, part.best_score, language),
        first="–" if first.score is None else metric_value(part.metric, first.score, language),
    )
    if part.noise is not None:
        noise = metric_value(part.metric, part.noise, language)
        lead = phrases["search_noise"].format(lead=lead, rows=f"{part.rows:,}", noise=noise)
    ordered = sorted(part.trials, key=lambda one: (one.state != "finished", -(one.score or 0.0), one.number))
    return {
        "lead": lead,
        "yaml": part.yaml,
        "rows": [_row(one, part, language) for one in ordered[:ROWS]],
        "more": max(0, len(ordered) - ROWS),
        "metric": metric_name(part.metric, language, heading=True),
    }


def _row(trial: TrialRow, part: SearchPart, language: PageLanguage) -> dict[str, Any]:
    phrases = words(language)
    score = "–" if trial.score is None else metric_value(part.metric, trial.score, language)
    state = phrases["trial_best"] if trial.number == part.best else phrases[f"trial_{trial.state}"]
    return {
        "number": trial.number,
        "values": values_in_words(trial.values),
        "score": score,
        "seconds": f"{trial.seconds:,.0f}",
        "state": state,
        "reason": chinese(trial.reason) if language == "zh" else trial.reason,
        "best": trial.number == part.best,
    }
