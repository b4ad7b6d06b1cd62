"""The sentence of each finding names the rows, and what to do."""

from __future__ import annotations

from dataclasses import replace

from tests.decide.test_check import between, table

from penjing.decide.condition import Among, Then
from penjing.decide.logic.findings import contradiction, impossible, undecided, unreachable
from penjing.decide.logic.rows import TableRows

APP = ("channel", Among(("app",)))
MADE = table([([APP], Then("review")), ([APP], Then("model")), ([("p", between(None, 100_000))], Then("review"))])
ONE, OTHER, LOW = MADE.rules


def test_a_row_behind_others_is_to_be_moved_above_them_or_given_priority() -> None:
    found = unreachable(MADE, OTHER, [ONE])
    assert found.level == "error" and found.rows == (3, 2) and "row 2 decides every such case" in found.what
    assert found.fix == "move it above row 2, or delete it"
    first = unreachable(MADE, OTHER, [replace(ONE, priority=5)])
    assert first.fix == "give it a `priority` larger than 5, which row 2 has, or delete it"
    assert "without `channel`" in unreachable(MADE, OTHER, [ONE], ["channel"]).what


def test_two_ends_of_the_same_conditions_are_named() -> None:
    found = contradiction(MADE, ONE, OTHER)
    assert found.rows == (2, 3) and "`review` and `model`" in found.what and found.where.endswith(":3:1")


def test_a_row_that_cannot_hold_says_why_with_the_number_of_labels() -> None:
    found = impossible(MADE, TableRows(MADE), LOW)
    assert (
        "is true of no case" in found.what and found.fix is not None and "with 2 labels p is at least 0.5" in found.fix
    )


def test_a_search_that_was_ended_is_no_error() -> None:
    assert undecided(MADE, LOW, None).level == "warning"
