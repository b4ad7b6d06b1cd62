"""Sets of rows by what was found in a text: words together, words refused, fields without a value."""

from __future__ import annotations

from penjing.decide.atoms import AtomRows, absent, empty
from penjing.decide.condition import Among, Contains, Empty, Matches, Starts


def word(each: str) -> tuple[str, str, str]:
    return "text", "contains", each


def test_all_words_of_a_test_must_be_found_and_any_word_of_another() -> None:
    rows = AtomRows(
        3,
        {
            0: [("text", Contains(("a", "b"), every=True))],
            1: [("text", Contains(("a", "c")))],
            2: [("text", Contains(("a", "b"), every=True, negated=True))],
        },
    )
    assert rows.left([]) == 0b100
    assert rows.left([word("a")]) == 0b110
    assert rows.left([word("b")]) == 0b100
    assert rows.left([word("a"), word("b")]) == 0b011


def test_two_tests_of_one_row_are_not_met_by_one_word() -> None:
    rows = AtomRows(2, {0: [("text", Contains(("a",))), ("text", Contains(("b",)))], 1: [("text", Starts(("a",)))]})
    assert rows.left([word("a")]) == 0
    assert rows.left([word("a"), word("b"), ("text", "starts", "a")]) == 0b11


def test_the_same_word_may_be_asked_for_twice_in_a_row() -> None:
    rows = AtomRows(1, {0: [("text", Contains(("a", "b"))), ("text", Contains(("b", "c")))]})
    assert rows.left([word("b")]) == 1
    assert rows.left([word("a")]) == 0


def test_a_field_without_a_value_leaves_every_test_open_but_that_of_its_emptiness() -> None:
    rows = AtomRows(
        5,
        {
            0: [("city", Among(("x",)))],
            1: [("city", Among(("x",), negated=True))],
            2: [("city", Matches("x"))],
            3: [("city", Empty())],
            4: [("city", Empty(negated=True))],
        },
    )
    assert rows.left([absent("city"), empty("city")]) == 0b01111
    assert rows.left([]) == 0b10010


def test_a_table_without_tests_of_texts_leaves_all_its_rows() -> None:
    assert AtomRows(2, {}).left([word("a")]) == 0b11
