"""Cases and conditions in the words of a rules file."""

from __future__ import annotations

import pytest
from tests.decide.test_check import between, table

from penjing.decide.condition import Among, Contains, Then
from penjing.decide.logic.questions import Logic, Witness
from penjing.decide.logic.rows import TableRows
from penjing.decide.logic.wording import example_of, number_of, rows_of

MADE = table([
    ([("text", Contains(("退款",))), ("p", between(500_000, None))], Then("review")),
    ([("channel", Among(("app",)))], Then("review")),
    ([("amount", between(3, 3))], Then("review")),
])  # fmt: skip


def test_rows_are_told_by_their_numbers_in_the_file() -> None:
    assert rows_of(MADE.rules[:1]) == "row 2"
    assert rows_of(MADE.rules) == "rows 2, 3 and 4"


@pytest.mark.parametrize(
    ("whole", "kind", "written"),
    [(500_000, "unit", "0.5"), (1_000_000, "unit", "1"), (1, "float", "0.000001"), (7, "int", "7"), (0, "unit", "0")],
)
def test_numbers_are_written_as_a_rule_writes_them(whole: int, kind: str, written: str) -> None:
    assert number_of(whole, kind) == written  # type: ignore[arg-type]


@pytest.mark.parametrize(("row", "said"), [(0, "text contains 退款"), (1, "channel is app"), (2, "amount = 3")])
def test_an_example_has_what_the_row_tests(row: int, said: str) -> None:
    rows = TableRows(MADE)
    answer = Logic(rows).holding(row)
    assert isinstance(answer, Witness)
    assert said in example_of(answer.case, rows, MADE.rules[row : row + 1])
