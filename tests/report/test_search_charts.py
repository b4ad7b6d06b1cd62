"""Charts of a search: a dot for each trial with a score, the best so far as a line, a bar for each option."""

from __future__ import annotations

import re

from penjing.report.search_charts import history, importance, search_charts
from penjing.report.search_part import SearchPart, TrialRow

SCORES = ((0.7, "finished"), (None, "failed"), (0.5, "ended"), (0.9, "finished"), (0.8, "finished"))


def part(**changes: object) -> SearchPart:
    rows = [
        TrialRow.model_validate({"number": number, "values": {"c": 1}, "state": state, "score": score})
        for number, (score, state) in enumerate(SCORES, start=1)
    ]
    known = {"step": "tune.full", "metric": "macro_f1", "trials": rows, "best": 4, "options": {}, "yaml": "- x"}
    return SearchPart.model_validate({**known, **changes})


def test_the_history_shows_every_score_and_never_falls() -> None:
    svg = history(part(), "<a>", ("trial", "score"))
    assert len(re.findall("<circle", svg)) == 4 and svg.count("dot other") == 1 and svg.count(" ring") == 1
    path = re.search(r'<path d="M([^"]*)"', svg)
    assert path is not None
    points = [tuple(map(float, point.split())) for point in path[1].split(" L")]
    heights = [y for _, y in points]
    assert len(points) == 6 and heights == sorted(heights, reverse=True) and heights[0] == heights[3] > heights[4]
    assert points[3][0] == points[4][0], "it is a step"
    assert "&lt;a&gt;" in svg


def test_one_trial_and_equal_scores_are_drawn_too() -> None:
    one = part(trials=part().trials[:1], best=1)
    assert "<circle" in history(one, "t", ("x", "y"))
    whole = TrialRow(number=1, values={}, state="finished", score=1.0)
    assert ">1.01<" not in history(part(trials=(whole,), best=1), "t", ("x", "y")), "a share is at most 1"


def test_importances_are_bars_of_their_share() -> None:
    svg = importance({"dropout": 0.25, "rate": 0.75}, "t")
    wide = [float(found) for found in re.findall(r'width="([0-9.]+)"', svg)]
    assert svg.index("rate") < svg.index("dropout") and abs(wide[0] / wide[1] - 3) < 0.01 and "75 %" in svg


def test_without_importances_there_is_one_chart() -> None:
    words = {"search_history": "h", "search_trials_axis": "t", "search_importance": "i"}
    assert list(search_charts(part(), words, "m")) == ["search_history"]
    both = search_charts(part(importance={"rate": 1.0}), words, "m")
    assert list(both) == ["search_history", "search_importance"]
