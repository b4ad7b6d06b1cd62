"""Rows out of operation: read, told apart from rows drawn alike, and never fooled by what was selected."""

from __future__ import annotations

import numpy as np
import pytest

from penjing.cases.export import CHINESE_COLUMNS, COLUMNS
from penjing.prove.selected import IN_CHINESE, DrawnCases, are_selected, by_english_names, read_probability, was_drawn
from penjing.prove.sequence import Cases, chosen, run_sequence


@pytest.mark.parametrize(
    ("written", "value"), [("0.01", 0.01), ("1", 1.0), ("0", 0.0), ("1.01", None), ("-0.1", None), ("x", None)]
)
def test_a_probability_is_from_nothing_to_one(written: str, value: float | None) -> None:
    assert read_probability(written) == value and read_probability("nan") is None


def test_files_of_reviews_are_known_by_their_columns() -> None:
    assert are_selected(["id", "Outcome ", "p", "reason", "verdict"]) and are_selected(["编号", "结果", "原因", "结论"])
    assert not are_selected(CHINESE_COLUMNS) and not are_selected(COLUMNS)
    assert not are_selected(["outcome", "reason", "verdict", "drawn"]) and not are_selected(["text", "label", "reason"])
    assert not DrawnCases({0.1}).differs and DrawnCases({0.1, 1.0}).differs and DrawnCases({0.1, 1.0}).least == 0.1
    assert was_drawn({"route": "review"}) and was_drawn({}) and not was_drawn({"route": "automatic"})


def test_an_export_with_a_chinese_heading_is_read_by_english_names() -> None:
    """Both headings of an export name the same columns, and a file that is no export keeps its own names."""
    assert all(CHINESE_COLUMNS[COLUMNS.index(name)] == written for name, written in IN_CHINESE.items())
    row = dict(zip(CHINESE_COLUMNS, map(str, range(len(COLUMNS))), strict=True))
    read = by_english_names(row)
    assert [read[name] for name in IN_CHINESE] == [str(COLUMNS.index(name)) for name in IN_CHINESE]
    assert row.items() <= read.items()
    assert by_english_names(row | {"text": "own"})["text"] == "own"
    assert by_english_names({"文本": "a", "结论": "b"}) == {"文本": "a", "结论": "b"}


def test_the_fields_of_an_exported_decision_are_cells_of_their_own() -> None:
    cells = {"文本": "a", "抽中概率": "1", "字段": '{"vip": true, "amount": 3.5, "since": null}', "结论": "ham"}
    found = by_english_names(cells)
    assert {name: found[name] for name in ("vip", "amount", "since", "text", "verdict")} == {
        "vip": "true", "amount": "3.5", "since": "", "text": "a", "verdict": "ham",
    }  # fmt: skip
    assert by_english_names({"fields": '{"a": 1}'}) == {"fields": '{"a": 1}'}
    assert by_english_names({"fields": "[1]", "drawn": "1"}) == {"fields": "[1]", "drawn": "1"}


def test_weights_keep_the_promise_where_the_plain_share_would_break_it() -> None:
    """Reviewed cases are right, audited ones often wrong: by plain counts all would be automated at far below 10 %."""
    rng, broken, plain = np.random.default_rng(2), 0, 0
    for _ in range(300):
        doubtful = rng.random(3000) < 0.3
        taken = rng.random(3000) < np.where(doubtful, 1.0, 0.05)
        wrong = rng.random(3000) < np.where(doubtful, 0.0, 0.145)  # 0.7 * 0.145 = 0.1015 of all cases
        count = int(taken.sum())
        arrays = (np.zeros(count, np.int64), np.full(count, 900_000), ~wrong[taken], np.ones(count, bool))
        shares = np.where(doubtful, 1.0, 0.05)[taken]
        broken += chosen(run_sequence(Cases(*arrays, drawn=shares, least=0.05), (0.5,), 0.1)) is not None
        plain += chosen(run_sequence(Cases(*arrays), (0.5,), 0.1)) is not None
    assert plain == 300 and broken <= 0.05 * 300 + 2 * np.sqrt(300 * 0.05 * 0.95)


def test_what_nobody_has_looked_at_yet_is_not_proven() -> None:
    """Few automatic cases, one in fifty audited: most files have no audit, though all of those cases are wrong."""
    rng, broken, trusting = np.random.default_rng(4), 0, 0
    for _ in range(300):
        audited = rng.random(20) < 0.02
        count = 60 + int(audited.sum())
        wrong = np.append(np.zeros(60, bool), np.ones(int(audited.sum()), bool))
        shares = np.append(np.ones(60), np.full(int(audited.sum()), 0.02))
        arrays = (np.zeros(count, np.int64), np.full(count, 900_000), ~wrong, np.ones(count, bool))
        broken += chosen(run_sequence(Cases(*arrays, drawn=shares, least=0.02), (0.5,), 0.1)) is not None
        seen = Cases(*arrays, drawn=shares, least=float(shares.min()))
        trusting += chosen(run_sequence(seen, (0.5,), 0.1)) is not None
    assert broken <= 0.05 * 300 and trusting > 150  # a quarter of all 80 cases is wrong
