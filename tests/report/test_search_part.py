"""The options of the best trial as YAML, which a recipe reads as the same values."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from ruamel.yaml import YAML

from penjing.report.search_part import SearchPart, TrialRow, step_as_yaml, values_in_words

OPTIONS: dict[str, Any] = {
    "rate": 1e-5, "exact": 1.25e-7, "share": 0.1, "whole": 3, "one": 1.0, "yes": True, "none": None, "word": "auto",
    "like_no": "no", "digits": "12", "spaced": "a: b", "list": [1.0, 2e-6, "x"], "inner": {"a": [1], "b c": "é"},
}  # fmt: skip


def test_what_is_written_is_read_again() -> None:
    text = step_as_yaml("tune.full", OPTIONS)
    read = YAML(typ="safe", pure=True).load(StringIO(text))
    assert read == [{"tune.full": OPTIONS}]
    assert text.startswith("- tune.full: {rate: 1.0e-05, exact: 1.25e-07, share: 0.1, whole: 3, one: 1, yes: true")
    assert step_as_yaml("tune.linear", {}) == "- tune.linear: {}"


def test_values_for_people() -> None:
    assert values_in_words({"rate": 0.00012, "text": False, "kind": "a b"}) == 'rate 0.00012, text false, kind "a b"'


def test_counts_and_the_best() -> None:
    rows = [TrialRow(number=1, values={}, state="finished", score=0.5), TrialRow(number=2, values={}, state="ended")]
    part = SearchPart(step="s", metric="m", trials=tuple(rows), best=1, options={}, yaml="")
    assert (part.count("finished"), part.count("ended"), part.count("failed"), part.best_score) == (1, 1, 0, 0.5)
    with pytest.raises(ValueError, match="best"):
        part.model_validate({**part.model_dump(), "best": 0})
