"""Cases that the check finds are real: the rules engine decides each of them as the check says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.decide.brute import Axis, Brute, texts
from tests.decide.test_check import (
    ANSWER_TESTS,
    CITY_TESTS,
    DATE_TESTS,
    FIELD_TESTS,
    FIELDS,
    LISTS,
    PERIODS,
    TEXT_TESTS,
    Row,
    rows_of,
    table,
)
from tests.work_done import assert_done_within

from penjing.decide.check import check
from penjing.decide.condition import Contains, Matches, Test, Then
from penjing.decide.logic import rows as logic_rows
from penjing.decide.logic.questions import Logic, Taken, Undecided, Witness
from penjing.decide.logic.rows import CLOCK, MadeCase, TableRows

PATTERN_TESTS: list[Test] = [
    Matches("退.{0,2}款"),
    Matches("退货?款"),
    Matches("^退"),
    Matches("款$"),
    Matches("(急|快)退", negated=True),
    Matches("退|急"),
    Matches("[退急]款", negated=True),
]


def recorded(case: MadeCase, rows: TableRows) -> dict[str, Any]:
    """The facts of a case as a decision records them."""
    separator = rows.words.separator
    numbers = {"label": "ham", "p": 0.95, "margin": 0.9}
    facts: dict[str, Any] = numbers | {
        fact: case.numbers[fact] / 1e6 for fact in ("p", "margin") if fact in case.numbers
    }
    facts["label"] = case.names.get("label", "ham")
    fields: dict[str, Any] = {}
    for fact, kind in FIELDS.items():
        if fact in case.absent or fact not in rows.facts:
            fields[fact] = None
        elif kind == "str":
            fields[fact] = case.texts[fact].text(separator)
        elif kind == "date":
            fields[fact] = datetime.fromtimestamp(case.numbers[fact], UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        else:
            named = case.names.get(fact)
            fields[fact] = case.numbers.get(fact, named == "true" if kind == "bool" else named)
    text = case.texts["text"].text(separator) if "text" in case.texts else "无"
    return facts | {
        "probabilities": {label: case.numbers.get(f"p.{label}", 0) / 1e6 for label in ("ham", "spam")},
        "fields": fields,
        "text": rows.table.seen(text),
        "clock": datetime.fromtimestamp(case.numbers[CLOCK], UTC).isoformat(),
    }


@settings(max_examples=300, deadline=None)
@given(
    rows=rows_of(
        ("text", [*TEXT_TESTS, *PATTERN_TESTS]), ("city", CITY_TESTS), ("when", DATE_TESTS), ("due", DATE_TESTS),
        *ANSWER_TESTS, *FIELD_TESTS,
    ),
    periods=st.lists(st.sampled_from(PERIODS), min_size=6, max_size=6),
)  # fmt: skip
def test_the_engine_decides_each_case_that_is_found_by_the_row_that_is_asked_for(
    rows: list[Row], periods: Sequence[tuple[int | None, int | None]]
) -> None:
    made = table(rows, dict(enumerate(periods)))
    logic = Logic(TableRows(made))
    for place, rule in enumerate(made.rules):
        answer = logic.holding(place, before=place)
        if isinstance(answer, Witness) and answer.sure:
            assert made.first(recorded(answer.case, logic.rows)) == (rule, ())
        waiting = logic.standing(place, before=place)
        if isinstance(waiting, Witness) and waiting.sure:
            first = made.first(recorded(waiting.case, logic.rows))
            assert first is not None and first[0] == rule
    nothing = logic.open()
    if isinstance(nothing, Witness) and nothing.sure:
        assert made.first(recorded(nothing.case, logic.rows)) is None


class WithPatterns(Brute):
    """Trying every case, with Python's own regular expressions."""

    def _holds(self, value: Any, test: Test) -> bool:
        if isinstance(test, Matches):
            return (re.search(test.pattern, value) is not None) != test.negated
        return super()._holds(value, test)


PATTERN_TEXT = Axis(
    ("text",), tuple((each,) for each in (*texts(("退", "退款", "急", "款", "快")), "退货款", "退的款", "款"))
)


@settings(max_examples=300, deadline=None)
@given(rows=rows_of(("text", [*TEXT_TESTS, *PATTERN_TESTS, *PATTERN_TESTS]), FIELD_TESTS[2]))
def test_no_row_that_fires_in_some_text_with_patterns_is_called_dead(rows: list[Row]) -> None:
    made = table(rows)
    brute = WithPatterns([PATTERN_TEXT, Axis(("channel",), (("app",), ("web",), (None,)))], made.rules, LISTS)
    found = check(made)
    dead = {each.rows[1] if each.kind == "contradiction" else each.rows[0] for each in found if each.level == "error"}
    fired = {row + 2 for row in range(len(rows)) if (brute.true[row] & ~brute.before(row)).any()}
    assert not dead & fired
    if any(each.what.startswith("the rules cover every case") for each in found):
        assert np.logical_or.reduce(brute.standing).all()


@settings(max_examples=200, deadline=None)
@given(rows=rows_of(("text", [*TEXT_TESTS, *PATTERN_TESTS]), ("city", CITY_TESTS), *FIELD_TESTS))
def test_a_few_words_tried_alone_change_no_answer(rows: list[Row]) -> None:
    made = table(rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logic_rows, "FEW", 1)
        few = Logic(TableRows(made))
        answers = [few.holding(place, before=place) for place in range(len(rows))]
    whole = Logic(TableRows(made))
    assert [type(one) for one in answers] == [type(whole.holding(place, before=place)) for place in range(len(rows))]


def test_many_long_cells_of_words_are_checked_in_time_that_grows_with_them() -> None:
    rng = np.random.default_rng(3)
    words = ["".join(chr(0x4E00 + each) for each in rng.integers(60, size=size)) for size in rng.integers(2, 5, 9_000)]
    cells = [tuple(dict.fromkeys(words[each] for each in rng.integers(len(words), size=150))) for _ in range(150)]
    made = table([([("text", Contains(cell))], Then("review")) for cell in cells])
    assert {each.kind for each in check(made)} == {"gap"}
    assert_done_within(5, lambda: check(made))


def test_a_bounded_search_has_no_answer_beyond_its_bound() -> None:
    made = table([([("text", TEXT_TESTS[0])], Then("review")), ([("text", TEXT_TESTS[1])], Then("review"))])
    assert isinstance(Logic(TableRows(made)).holding(1, before=1), Witness)
    assert isinstance(Logic(TableRows(made), work=0).holding(1, before=1), Undecided)
    assert isinstance(Logic(TableRows(made)).holding(0, but=0), Taken)
