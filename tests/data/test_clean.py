"""Cleaning: one kind of space and line end, nothing invisible, idempotent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from penjing.core.errors import RequestError
from penjing.data.clean import clean

NASTY = some.text(
    some.one_of(
        some.characters(exclude_categories=["Cs"], exclude_characters="\0"),
        some.sampled_from(" \t\r\n\x0b\x0c\x85\xa0\xad\u0301e\u200b\u200d\u2028\u3000\ufeff\u1100\u1161\u0344"),
    )
)


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("A  b\t\tc", "A b c"),
        ("a\r\nb\rc\u2028d", "a\nb\nc\nd"),
        (" \n a \n\n b　", "a\nb"),
        ("\ufeffzero\u200bwidth\xad", "zerowidth"),
        ("e\u0301", "é"),
        ("Ａ１，", "Ａ１，"),
        ("bell\x07", "bell"),
        ("", ""),
        ("\u200b \n", ""),
    ],
)
def test_what_becomes_of(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(NASTY)
def test_idempotent(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert once == once.strip()


@pytest.mark.parametrize(("text", "said"), [("ab\0", "a NUL character at character 3"), ("\ud800", "lone surrogate")])
def test_what_no_tokenizer_takes_is_refused(text: str, said: str) -> None:
    with pytest.raises(RequestError, match=said):
        clean(text)
