"""Boxes around cases that no row decides: all cases in them are such cases, and the next case lies outside."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from tests.decide.brute import Brute
from tests.decide.test_check import AMOUNT, CHANNEL, FIELD_TESTS, LISTS, TEXT, TEXT_TESTS, VIP, Row, rows_of, table

from penjing.decide.condition import Condition, Contains, Rule, Then
from penjing.decide.logic.boxes import Boxes, Side
from penjing.decide.logic.questions import Logic, Witness
from penjing.decide.logic.rows import TableRows


@settings(max_examples=150, deadline=None)
@given(rows=rows_of(("text", TEXT_TESTS), *FIELD_TESTS))
def test_every_case_of_a_box_is_left_to_the_model(rows: list[Row]) -> None:
    made = table(rows)
    logic = Logic(TableRows(made))
    boxes = Boxes(logic.rows)
    brute = Brute([TEXT, AMOUNT, CHANNEL, VIP], made.rules, LISTS)
    left = ~brute.before(len(made.rules))
    known = []
    answer = logic.open()
    while isinstance(answer, Witness) and len(known) < 12:
        known.append(boxes.tests(boxes.around(answer.case)))
        answer = logic.open(known)
    covered = np.zeros(brute.shape, dtype=np.bool_)
    for box in known:
        held = np.ones(brute.shape, dtype=np.bool_)
        for fact, (tests, absent) in box.items():
            row = Rule("box", 1, tuple(Condition(fact, test, "") for test in tests), Then("review"))
            part = Brute(brute.axes, [row], LISTS)
            held &= part.standing[0] if absent else part.true[0]
        assert not (held & ~left).any(), box
        covered |= held
    assert isinstance(answer, Witness) or (covered == left).all()


def test_the_tests_of_a_text_have_one_order_in_every_process() -> None:
    """A set of texts has another order in each process: the gap of a table must not change with it."""
    words = [Contains((f"word {number:02}",)) for number in range(12)]
    boxes = Boxes(TableRows(table([([("text", each)], Then("review")) for each in words])))
    tests, _ = boxes.tests({"text": Side(failing=frozenset(words))})["text"]
    named = [test.words for test in tests if isinstance(test, Contains)]
    assert named == [each.words for each in words]
