"""What is guessed of a file: a table of one text and one label, until something else is seen."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from penjing.data.guessed import Guess


def test_a_file_is_a_table_of_texts_and_labels_until_something_else_is_seen() -> None:
    found = Guess("text", "label", "utf-8", ("text", "label"), ())
    assert (found.form, found.spans, found.numbers, found.separator) == (None, False, "none", None)
    assert (found.other, found.ends, found.question, found.time) == (None, None, None, None)
    with pytest.raises(FrozenInstanceError):
        found.label = "other"  # type: ignore[misc]
