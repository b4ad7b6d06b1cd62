"""Columns that are the head and the tail of a relation: by name, and because they are in the text."""

from __future__ import annotations

import pytest

from penjing.data.relations import ends_of

ROWS = {"sentence": ["Acme buys Bolt", "Bolt sells Dyno"], "label": ["buys", "sells"]}


@pytest.mark.parametrize(
    ("head", "tail"),
    [("head", "tail"), ("Subject", "Object"), ("头实体", "尾实体"), ("entity1", "entity2"), ("E1", "e2")],
)
def test_columns_of_these_names_that_lie_in_the_text_are_found(head: str, tail: str) -> None:
    assert ends_of({**ROWS, head: ["Acme", "Bolt"], tail: ["Bolt", "Dyno"]}) == (head, tail)


def test_columns_whose_words_are_not_in_the_text_are_none() -> None:
    assert ends_of({**ROWS, "subject": ["a complaint", "a question"], "object": ["Bolt", "Dyno"]}) is None
    assert ends_of({**ROWS, "head": ["", ""], "tail": ["", ""]}) is None
    assert ends_of(ROWS) is None
