"""Charts of a search over options: the score of every trial with the best so far, and what each option explains."""

from __future__ import annotations

from collections.abc import Mapping

from penjing.report.charts import WIDTH, Drawing, Plot
from penjing.report.search_part import SearchPart


def search_charts(part: SearchPart, phrases: Mapping[str, str], metric: str) -> dict[str, str]:
    """The charts by name; importances only where there were enough trials."""
    drawn = {"search_history": history(part, phrases["search_history"], (phrases["search_trials_axis"], metric))}
    if part.importance:
        drawn["search_importance"] = importance(part.importance, phrases["search_importance"])
    return drawn


def history(part: SearchPart, title: str, names: tuple[str, str]) -> str:
    """A dot for each trial at its number, smaller where it was ended early; steps of the best so far."""
    scores = [(one.number, one.score, one.state) for one in part.trials if one.score is not None]
    low, high = min(score for _, score, _ in scores), max(score for _, score, _ in scores)
    margin = 0.08 * (high - low) or 0.01
    # A share is never above 1, and its axis does not go further.
    top = high + margin if high > 1 else min(1.0, high + margin)
    plot = Plot(title, (1, max(2, len(part.trials))), (low - margin, top), names, scale="whole")
    line: list[tuple[float, float]] = []
    best: float | None = None
    for one in part.trials:
        if best is not None:
            line.append((plot.x(one.number), plot.y(best)))  # it stays until the trial that is better
        if one.state == "finished" and one.score is not None and (best is None or one.score > best):
            best = one.score
            line.append((plot.x(one.number), plot.y(best)))
    plot.path(line, "trace main")
    for number, score, state in scores:
        finished = state == "finished"
        ring = " ring" if number == part.best else ""
        css = f"dot main soft{ring}" if finished else "dot other"
        plot.dot(plot.x(number), plot.y(score), 5 if ring else 3.5 if finished else 2.5, css)
    return plot.svg()


def importance(shares: Mapping[str, float], title: str) -> str:
    """One bar for each option, the longest first: its share of the variance of the score."""
    rows = sorted(shares.items(), key=lambda pair: -pair[1])
    drawing = Drawing(title, height=10 + 40 * len(rows))
    wide = WIDTH - 70
    for place, (name, share) in enumerate(rows):
        y = 40.0 * place + 18
        drawing.text(0, y, name, "label")
        drawing.rect(0, y + 6, wide * share, 8, "dot main soft")
        drawing.text(wide * share + 6, y + 14, f"{100 * share:.0f} %", "tick")
    return drawing.svg()
